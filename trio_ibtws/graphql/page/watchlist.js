// The watch-list: its rows, and the box that adds one.

import { findContracts, loadWatch, saveWatch } from "./contracts.js";
import { h } from "./dom.js";
import { panel } from "./panel.js";
import { suggestBox } from "./suggest.js";
import { WatchRow } from "./watchrow.js";

const MOST = 10; // subscriptions are limited on a connection, and so are market data lines at TWS

/** The list. Fires "select" when another row is chosen; `selected` is that row. */
export class Watchlist extends EventTarget {
  #service;
  #rows = [];
  #body = h("tbody");
  #box;
  selected = null;

  constructor(service) {
    super();
    this.#service = service;
    this.#box = suggestBox({
      label: "Add a symbol",
      find: (typed) => findContracts(service.token, typed),
      choose: (contract) => this.add(contract),
    });
    const { element, body } = panel("watch", "Watch-list", this.#box.element);
    const heads = [
      ["", ""],
      ["", "trace"],
      ["Last", "num"],
      ["Bid", "num side"],
      ["Ask", "num side"],
      ["Age", "fresh"],
    ];
    const names = ["Symbol", "Today", "", "", "", ""];
    const row = heads.map(([text, kind], index) =>
      h("th", { scope: "col", class: kind || null }, text || names[index]),
    );
    body.append(h("table", { class: "quotes" }, h("thead", {}, h("tr", {}, row)), this.#body));
    this.element = element;
    for (const contract of loadWatch().slice(0, MOST)) this.#append(contract);
    this.#select(this.#rows[0]);
  }

  /** Adds a contract and selects it. */
  add(contract) {
    const there = this.#rows.find((row) => sameThing(row.contract, contract));
    if (!there && this.#rows.length >= MOST) return this.#box.complain(`The list holds ${MOST}: remove one first.`);
    this.#select(there ?? this.#append(contract));
    this.#save();
  }

  age() {
    for (const row of this.#rows) row.age();
  }

  stop() {
    for (const row of this.#rows) row.stop();
  }

  #append(contract) {
    const row = new WatchRow(this.#service, contract, {
      select: () => this.#select(row),
      remove: () => this.#remove(row),
    });
    this.#rows.push(row);
    this.#body.append(row.element);
    return row;
  }

  #remove(row) {
    row.stop();
    row.element.remove();
    this.#rows = this.#rows.filter((other) => other !== row);
    if (this.selected === row) this.#select(this.#rows[0]);
    this.#save();
  }

  #select(row) {
    if (!row || row === this.selected) return;
    this.selected = row;
    for (const other of this.#rows) other.selected = other === row;
    this.dispatchEvent(new Event("select"));
  }

  #save() {
    saveWatch(this.#rows.map((row) => row.contract));
  }
}

function sameThing(one, other) {
  if (one.conId && other.conId) return one.conId === other.conId;
  return ["symbol", "secType", "exchange", "currency"].every((part) => one[part] === other[part]);
}
