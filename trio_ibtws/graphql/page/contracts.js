// Contracts of the watch-list: how they are found, named and asked for.

import { ask } from "./http.js";
import { SYMBOLS } from "./operations.js";

const PAIR = /^([A-Z]{3})[./ ]?([A-Z]{3})$/;
const KEY = "trio_ibtws.watch";

const stock = (symbol) => ({ symbol, secType: "STK", exchange: "SMART", currency: "USD" });
const pair = (symbol, currency) => ({ symbol, secType: "CASH", exchange: "IDEALPRO", currency });
const FIRST = [stock("AAPL"), stock("MSFT"), stock("IBM"), stock("GOOG"), stock("SPY"), pair("EUR", "USD")];

/** Returns a contract's name as a trader says it: AAPL, EUR.USD. */
export function nameOf(contract) {
  return contract.secType === "CASH" ? `${contract.symbol}.${contract.currency}` : contract.symbol;
}

/** Returns the kind of bars that TWS has of a contract. */
export function showOf({ secType }) {
  return { CASH: "MIDPOINT", CFD: "MIDPOINT", CMDTY: "MIDPOINT", CRYPTO: "AGGTRADES" }[secType] ?? "TRADES";
}

/** Returns contracts for what was typed, each with a `note` that describes it. */
export async function findContracts(token, typed) {
  const text = typed.trim().toUpperCase();
  const found = PAIR.exec(text);
  const pairs = found && found[0].length > 6 ? [{ ...pair(found[1], found[2]), note: "currencies · IDEALPRO" }] : [];
  const { reqMatchingSymbols: rows } = await ask(token, SYMBOLS, { pattern: typed.trim() });
  return [...pairs, ...(rows ?? []).map(({ contract }) => asked(contract))].slice(0, 8);
}

function asked({ conId, symbol, secType, primaryExchange, currency, description }) {
  const exchange = secType === "STK" ? "SMART" : primaryExchange;
  const note = [description, secType === "STK" ? "" : secType, primaryExchange, currency].filter(Boolean).join(" · ");
  return { conId, symbol, secType, exchange, currency, note };
}

/** Returns the contract without what is ours, as an input of the schema. */
export function inputOf({ conId, symbol, secType, exchange, currency }) {
  return conId ? { conId, symbol, secType, exchange, currency } : { symbol, secType, exchange, currency };
}

/** Returns the watch-list of the last visit. */
export function loadWatch() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    if (Array.isArray(kept) && kept.every((one) => typeof one?.symbol === "string")) return kept;
  } catch {
    // what is kept there is not ours: begin anew
  }
  return FIRST;
}

export function saveWatch(contracts) {
  localStorage.setItem(KEY, JSON.stringify(contracts.map(inputOf)));
}
