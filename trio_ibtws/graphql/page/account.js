// The account in a line of figures: what it is worth, and the profit and loss of today.

import { h, say } from "./dom.js";
import { Feed } from "./feed.js";
import { fixed, NONE, signed, toNumber } from "./format.js";
import { ask } from "./http.js";
import { ACCOUNTS, PNL, SUMMARY } from "./operations.js";
import { freshness, mark } from "./panel.js";

const FIGURES = [
  ["NetLiquidation", "Net liquidation"],
  ["dailyPnL", "Daily P&L"],
  ["unrealizedPnL", "Unrealized P&L"],
  ["realizedPnL", "Realized P&L"],
  ["TotalCashValue", "Cash"],
  ["BuyingPower", "Buying power"],
];
const TAGS = "NetLiquidation,TotalCashValue,BuyingPower";

export class Account {
  #service;
  #account = "";
  #rows = new Map();
  #feeds = {};
  #figures;
  #name = h("span", { class: "account-name" });
  #tag = h("span", { class: "tag", hidden: true });
  #stopped = false;

  constructor(service) {
    this.#service = service;
    this.#figures = Object.fromEntries(FIGURES.map(([key]) => [key, h("dd", {}, NONE)]));
    const list = FIGURES.map(([key, name]) =>
      h("div", { class: key.endsWith("PnL") ? "gain" : null }, h("dt", {}, name), this.#figures[key]),
    );
    const title = h("h2", {}, "Account", this.#tag, this.#name);
    this.element = h("section", { class: "figures", "aria-label": "Account" }, title, h("dl", {}, list));
    this.#start();
  }

  age() {
    const fresh = Object.values(this.#feeds)
      .map(freshness)
      .find((one) => one.stale) ?? { stale: false };
    mark(this.element, this.#tag, fresh);
  }

  stop() {
    this.#stopped = true;
    for (const feed of Object.values(this.#feeds)) feed.stop();
  }

  async #start() {
    this.#feeds.summary = new Feed(
      this.#service,
      SUMMARY,
      { tags: TAGS },
      ({ reqAccountSummary: row }) => this.#takeRow(row),
      () => this.age(),
    );
    try {
      const { accounts } = (await ask(this.#service.token, ACCOUNTS)).connection;
      if (!this.#stopped) this.#choose(accounts[0], accounts);
    } catch (error) {
      say(this.#name, error.message);
    }
  }

  /** Shows one of the accounts; the summary tells of all of them. */
  #choose(account, accounts) {
    this.#account = account;
    const options = accounts.map((one) => h("option", { selected: one === account }, one));
    const box = h(
      "select",
      { "aria-label": "Account", onchange: (event) => this.#choose(event.target.value, accounts) },
      options,
    );
    this.#name.replaceChildren(accounts.length > 1 ? box : account);
    for (const figure of Object.values(this.#figures)) say(figure, NONE);
    for (const row of this.#rows.values()) this.#showRow(row);
    this.#feeds.gains?.stop();
    this.#feeds.gains = new Feed(
      this.#service,
      PNL,
      { account },
      ({ reqPnL }) => this.#takeGains(reqPnL),
      () => this.age(),
    );
  }

  #takeRow(row) {
    if (!row?.tag) return;
    this.#rows.set(`${row.account}/${row.tag}`, row);
    this.#showRow(row);
  }

  #showRow({ account, tag, value, currency }) {
    const figure = this.#figures[tag];
    if (!figure || account !== this.#account) return;
    say(figure, fixed(value));
    figure.title = currency;
  }

  #takeGains(gains) {
    for (const [key, value] of Object.entries(gains ?? {})) {
      const figure = this.#figures[key];
      if (!figure) continue;
      say(figure, signed(value));
      figure.classList.toggle("up", toNumber(value) > 0);
      figure.classList.toggle("down", toNumber(value) < 0);
    }
  }
}
