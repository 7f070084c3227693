// The open orders of all clients. TWS has no subscription to those of others, so they are asked for again and again.

import { nameOf } from "./contracts.js";
import { h, say } from "./dom.js";
import { age, fixed, quantity, toNumber } from "./format.js";
import { ask } from "./http.js";
import { OPEN_ORDERS } from "./operations.js";
import { panel } from "./panel.js";

const EVERY = 4_000;
const HEADS = [
  ["Symbol", ""],
  ["Side", ""],
  ["Quantity", "num"],
  ["Type", "minor"],
  ["Price", "num"],
  ["In force", "minor"],
  ["Status", ""],
];

export class Orders {
  #service;
  #table = h("tbody");
  #empty = h("p", { class: "empty" }, "No open orders");
  #timer = 0;
  #askedAt = 0;
  #error = "";
  #stopped = false;

  constructor(service) {
    this.#service = service;
    this.panel = panel("orders", "Open orders");
    this.element = this.panel.element;
    const heads = HEADS.map(([name, kind]) => h("th", { scope: "col", class: kind || null }, name));
    this.panel.body.append(h("table", {}, h("thead", {}, h("tr", {}, heads)), this.#table), this.#empty);
    this.#look();
  }

  age() {
    const passed = Date.now() - this.#askedAt;
    const late = this.#askedAt && passed > 3 * EVERY ? `As of ${age(passed)} ago` : "";
    const why = this.#error || late || (this.#service.socket.state === "connecting" ? "" : this.#service.trouble);
    this.panel.mark({ stale: Boolean(why), word: this.#askedAt ? "stale" : "refused", why });
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #look() {
    try {
      if (!document.hidden) this.#show((await ask(this.#service.token, OPEN_ORDERS)).reqAllOpenOrders);
    } catch (error) {
      this.#error = error.message;
    }
    this.age();
    if (!this.#stopped) this.#timer = setTimeout(() => this.#look(), EVERY);
  }

  #show(orders) {
    this.#error = "";
    this.#askedAt = Date.now();
    this.#empty.hidden = orders.length > 0;
    this.#table.replaceChildren(...orders.map(line));
  }
}

function line({ contract, order, orderState }) {
  const side = h("td", { class: order.action === "BUY" ? "up" : "down" });
  say(side, order.action === "BUY" ? "Buy" : order.action === "SELL" ? "Sell" : order.action);
  const price = toNumber(order.lmtPrice) ? order.lmtPrice : toNumber(order.auxPrice) ? order.auxPrice : null;
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, nameOf(contract)),
    side,
    h("td", { class: "num" }, quantity(order.totalQuantity)),
    h("td", { class: "minor" }, order.orderType),
    h("td", { class: "num" }, fixed(price, contract.secType === "CASH" ? 5 : 2)),
    h("td", { class: "minor" }, order.tif),
    h("td", {}, h("span", { class: "status" }, orderState?.status ?? "")),
  );
}
