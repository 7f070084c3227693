// What is known of one contract's market, made of its ticks.

import { toNumber } from "./format.js";

// IB's tick types, delayed ones beside live ones.
const FIELDS = new Map([
  [0, "bidSize"],
  [69, "bidSize"],
  [1, "bid"],
  [66, "bid"],
  [2, "ask"],
  [67, "ask"],
  [3, "askSize"],
  [70, "askSize"],
  [4, "last"],
  [68, "last"],
  [5, "lastSize"],
  [71, "lastSize"],
  [6, "high"],
  [72, "high"],
  [7, "low"],
  [73, "low"],
  [8, "volume"],
  [74, "volume"],
  [9, "close"],
  [75, "close"],
  [14, "open"],
  [76, "open"],
]);
const NOT_AVAILABLE = -1; // what IB sends for a price that there is none of
const KINDS = { 2: "frozen", 3: "delayed", 4: "delayed, frozen" };

/** The latest bid, ask, last … of one contract. */
export class Quote {
  bid = null;
  ask = null;
  last = null;
  bidSize = null;
  askSize = null;
  lastSize = null;
  open = null;
  high = null;
  low = null;
  close = null;
  volume = null;
  kind = ""; // "" for live data
  tickedAt = 0;

  /** Takes one event of reqMktData; returns which way the price went: 1, -1 or 0. */
  take(event) {
    if (event.__typename === "MarketDataType") this.kind = KINDS[event.marketDataType] ?? "";
    const field = FIELDS.get(event.tickType);
    if (!field) return 0;
    const before = this.price;
    const value = toNumber(event.price ?? event.size);
    this[field] = value === NOT_AVAILABLE ? null : value;
    this.tickedAt = Date.now();
    return before === null || this.price === null ? 0 : Math.sign(this.price - before);
  }

  /** The last trade, or the middle of bid and ask where nothing is traded in the open. */
  get price() {
    if (this.last !== null) return this.last;
    return this.bid !== null && this.ask !== null ? (this.bid + this.ask) / 2 : null;
  }

  /** The change since the last session's close, and as a fraction of it; null where either is not known. */
  get change() {
    if (this.price === null || !this.close) return null;
    return { points: this.price - this.close, fraction: this.price / this.close - 1 };
  }
}
