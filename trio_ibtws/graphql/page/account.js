// The account in a line of figures: what it is worth, and the profit and loss of today.

import { h, say } from "./dom.js";
import { Feed } from "./feed.js";
import { fixed, signed, toNumber } from "./format.js";
import { ask } from "./http.js";
import { ACCOUNTS, PNL, SUMMARY } from "./operations.js";
import { freshness, mark } from "./panel.js";

const FIGURES = [
  ["NetLiquidation", "Net liquidation"],
  ["dailyPnl", "Daily P&L"],
  ["unrealizedPnl", "Unrealized P&L"],
  ["realizedPnl", "Realized P&L"],
  ["TotalCashValue", "Cash"],
  ["BuyingPower", "Buying power"],
];
const TAGS = "NetLiquidation,TotalCashValue,BuyingPower";

export class Account {
  #service;
  #values = {};
  #feeds = [];
  #figures;
  #name = h("span", { class: "account-name" });
  #tag = h("span", { class: "tag", hidden: true });
  #stopped = false;

  constructor(service) {
    this.#service = service;
    this.#figures = Object.fromEntries(FIGURES.map(([key]) => [key, h("dd", {}, "–")]));
    const list = FIGURES.map(([key, name]) => h("div", { class: key.endsWith("Pnl") ? "gain" : null }, h("dt", {}, name), this.#figures[key]));
    const title = h("h2", {}, "Account ", this.#name, " ", this.#tag);
    this.element = h("section", { class: "figures", "aria-label": "Account" }, title, h("dl", {}, list));
    this.#start();
  }

  age() {
    const fresh = this.#feeds.map(freshness).find((one) => one.stale) ?? { stale: false };
    mark(this.element, this.#tag, fresh);
  }

  stop() {
    this.#stopped = true;
    for (const feed of this.#feeds) feed.stop();
  }

  async #start() {
    const { token, socket } = this.#service;
    const changed = () => this.age();
    this.#feeds.push(new Feed(socket, SUMMARY, { tags: TAGS }, ({ reqAccountSummary: row }) => this.#takeRow(row), changed));
    try {
      const [account] = (await ask(token, ACCOUNTS)).reqManagedAccts;
      say(this.#name, account);
      if (this.#stopped) return;
      this.#feeds.push(new Feed(socket, PNL, { account }, ({ reqPnL }) => this.#takeGains(reqPnL), changed));
    } catch (error) {
      say(this.#name, error.message);
    }
  }

  #takeRow(row) {
    if (!row?.tag) return;
    this.#values[row.tag] = row;
    say(this.#figures[row.tag] ?? h("dd"), fixed(row.value));
    if (this.#figures[row.tag]) this.#figures[row.tag].title = row.currency;
  }

  #takeGains(gains) {
    for (const [key, value] of Object.entries(gains)) {
      const figure = this.#figures[key];
      if (!figure) continue;
      say(figure, signed(value));
      figure.classList.toggle("up", toNumber(value) > 0);
      figure.classList.toggle("down", toNumber(value) < 0);
    }
  }
}
