// The positions of the account, each with its profit and loss as it changes.

import { nameOf } from "./contracts.js";
import { h, say } from "./dom.js";
import { Feed } from "./feed.js";
import { fixed, NONE, quantity, signed, toNumber } from "./format.js";
import { PNL_SINGLE, POSITIONS } from "./operations.js";
import { freshness, panel } from "./panel.js";

const MOST_FOLLOWED = 4; // subscriptions are limited on a connection: the others show what they cost only
const HEADS = [
  ["Symbol", ""],
  ["Position", "num"],
  ["Average cost", "num minor"],
  ["Value", "num"],
  ["Day", "num minor"],
  ["Unrealized", "num"],
];

/** The panel; `open(contract)` is called for one that is clicked. */
export class Positions {
  #service;
  #open;
  #feed;
  #rows = new Map();
  #table = h("tbody");
  #empty = h("p", { class: "empty" }, "No positions");

  constructor(service, open) {
    this.#service = service;
    this.#open = open;
    this.panel = panel("positions", "Positions");
    this.element = this.panel.element;
    const heads = HEADS.map(([name, kind]) => h("th", { scope: "col", class: kind || null }, name));
    this.panel.body.append(h("table", {}, h("thead", {}, h("tr", {}, heads)), this.#table), this.#empty);
    this.#feed = new Feed(
      service,
      POSITIONS,
      {},
      ({ reqPositions: row }) => this.#take(row),
      () => this.age(),
    );
  }

  age() {
    const feeds = [this.#feed, ...[...this.#rows.values()].map((row) => row.feed).filter(Boolean)];
    this.panel.mark(feeds.map(freshness).find((one) => one.stale) ?? { stale: false });
  }

  stop() {
    this.#feed.stop();
    for (const row of this.#rows.values()) row.feed?.stop();
  }

  #take(event) {
    if (event.__typename === "EndOfSnapshot") return this.#sweep();
    if (!event.contract) return;
    const { account, contract, position, avgCost } = event;
    const key = `${account}/${contract.conId}`;
    if (!toNumber(position)) this.#remove(key);
    else this.#show(this.#rows.get(key) ?? this.#append(key, account, contract), position, avgCost);
    this.#empty.hidden = this.#rows.size > 0;
  }

  /** After a break all positions are told anew: what is not among them was closed meanwhile. */
  #sweep() {
    for (const [key, row] of this.#rows) if (!row.told) this.#remove(key);
    for (const row of this.#rows.values()) row.told = false;
    this.#empty.hidden = this.#rows.size > 0;
  }

  #show(row, position, avgCost) {
    const { cells } = row;
    row.told = true;
    say(cells[1], quantity(position));
    say(cells[2], fixed(avgCost, 4));
  }

  #append(key, account, contract) {
    const cells = HEADS.map(([, kind], index) =>
      h(index ? "td" : "th", { class: kind || null }, index ? NONE : this.#name(contract)),
    );
    const row = { element: h("tr", {}, cells), cells, feed: null, told: true };
    const followed = [...this.#rows.values()].filter((other) => other.feed).length;
    if (followed < MOST_FOLLOWED) {
      const asked = { account, conId: contract.conId };
      const take = ({ reqPnLSingle: gains }) => gains && "value" in gains && this.#takeGains(row, gains);
      row.feed = new Feed(this.#service, PNL_SINGLE, asked, take, () => this.age());
    }
    this.#rows.set(key, row);
    this.#table.append(row.element);
    return row;
  }

  /** A position's name opens it in the watch-list. */
  #name(contract) {
    const exchange = { STK: "SMART", CASH: "IDEALPRO" }[contract.secType] ?? contract.exchange;
    return h("button", { class: "name", onclick: () => this.#open({ ...contract, exchange }) }, nameOf(contract));
  }

  #remove(key) {
    const row = this.#rows.get(key);
    row?.feed?.stop();
    row?.element.remove();
    this.#rows.delete(key);
  }

  #takeGains({ cells }, { value, dailyPnL, unrealizedPnL }) {
    say(cells[3], fixed(value));
    for (const [cell, gain] of [
      [cells[4], dailyPnL],
      [cells[5], unrealizedPnL],
    ]) {
      say(cell, signed(gain));
      cell.classList.toggle("up", toNumber(gain) > 0);
      cell.classList.toggle("down", toNumber(gain) < 0);
    }
  }
}
