// Bars of the past. TWS refuses the same request twice in fifteen seconds, so answers are kept for a while, and what is
// refused for its pace is asked for again later.

import { ask } from "./http.js";
import { BARS } from "./operations.js";

const KEPT_FOR = 60_000;
const PAUSE = 16_000;
const ATTEMPTS = 4;
const kept = new Map();

/** Returns the bars for { contract, duration, size, show }; `waits()` is called when TWS asks for patience. */
export function pastBars(token, asked, waits = () => {}) {
  const key = JSON.stringify(asked);
  const known = kept.get(key);
  if (known && Date.now() - known.at < KEPT_FOR) return known.bars;
  const bars = read(token, asked, waits);
  kept.set(key, { at: Date.now(), bars });
  bars.catch(() => kept.delete(key));
  return bars;
}

async function read(token, asked, waits) {
  for (let attempt = 1; ; attempt++) {
    try {
      return (await ask(token, BARS, asked)).reqHistoricalData;
    } catch (error) {
      if (attempt === ATTEMPTS || !/pacing/i.test(error.message)) throw error;
      waits();
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}
