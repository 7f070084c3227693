// One line of the watch-list: a subscription to quotes, and the cells that show them.

import { pastBars } from "./bars.js";
import { inputOf, nameOf, showOf } from "./contracts.js";
import { h, oncePerFrame, say } from "./dom.js";
import { Feed } from "./feed.js";
import { age, decimalsOf, fixed, short, signed, titled } from "./format.js";
import { ask } from "./http.js";
import { DETAILS, QUOTES } from "./operations.js";
import { freshness, mark } from "./panel.js";
import { Quote } from "./quote.js";
import { Sparkline } from "./sparkline.js";

const NOW = 2_000;
const CALM = matchMedia("(prefers-reduced-motion: reduce)");

/** A row: `contract`, `quote`, `digits`, `longName`, `element`. Fires "tick" when its quote changes. */
export class WatchRow extends EventTarget {
  #cells;
  #spark = new Sparkline();
  #way = 0;
  #draw = oncePerFrame(() => this.#show());
  quote = new Quote();
  digits = 2;
  longName = "";

  constructor(service, contract, { select, remove }) {
    super();
    this.contract = contract;
    this.digits = contract.secType === "CASH" ? 5 : 2;
    this.element = this.#build(select, remove);
    this.feed = new Feed(
      service,
      QUOTES,
      { contract: inputOf(contract) },
      (data) => this.#take(data),
      () => this.age(),
    );
    this.#describe(service.token).catch((error) => (this.element.title = error.message));
  }

  stop() {
    this.feed.stop();
  }

  set selected(selected) {
    this.element.classList.toggle("is-selected", selected);
    this.#cells.name.setAttribute("aria-pressed", selected);
  }

  /** Shows how old the quote is, and whether it still is one. Called every second. */
  age() {
    const fresh = freshness(this.feed);
    mark(this.element, this.#cells.tag, fresh);
    const { tickedAt, kind } = this.quote;
    const passed = Date.now() - tickedAt;
    const isNow = passed < NOW && !fresh.stale;
    say(this.#cells.age, !tickedAt ? "" : isNow ? "now" : age(passed));
    say(this.#cells.long, this.feed.error || this.longName);
    this.#cells.long.classList.toggle("why", Boolean(this.feed.error));
    say(this.#cells.kind, kind);
  }

  #build(select, remove) {
    const name = nameOf(this.contract);
    const cell = (tag, attributes = {}) => h(tag, attributes);
    const cells = {
      name: h("button", { class: "name", onclick: select, "aria-pressed": "false" }, name),
      long: cell("span", { class: "long" }),
      kind: cell("span", { class: "kind" }),
      tag: cell("span", { class: "tag", hidden: true }),
      age: cell("span", { class: "age" }),
      last: cell("span", { class: "last" }),
      change: cell("span", { class: "change" }),
      bid: cell("span"),
      bidSize: cell("span", { class: "size" }),
      ask: cell("span"),
      askSize: cell("span", { class: "size" }),
    };
    this.#cells = cells;
    const gone = { class: "remove", title: `Remove ${name}`, "aria-label": `Remove ${name}`, onclick: remove };
    return h(
      "tr",
      { onclick: (event) => event.target.closest("button") ?? select() },
      h("th", { scope: "row" }, cells.name, cells.kind, cells.long),
      h("td", { class: "trace" }, this.#spark.element),
      h("td", { class: "num" }, cells.last, cells.change),
      h("td", { class: "num side" }, cells.bid, cells.bidSize),
      h("td", { class: "num side" }, cells.ask, cells.askSize),
      h("td", { class: "fresh" }, cells.tag, cells.age, h("button", gone, "×")),
    );
  }

  #take({ reqMktData: event }) {
    this.#way = this.quote.take(event) || this.#way;
    this.#draw();
    this.dispatchEvent(new Event("tick"));
  }

  #show() {
    const { quote, digits } = this;
    const change = quote.change;
    say(this.#cells.last, fixed(quote.price, digits));
    say(this.#cells.change, change ? `${signed(change.points, digits)}  ${signed(change.fraction * 100)}%` : "");
    this.#cells.change.classList.toggle("up", change?.points > 0);
    this.#cells.change.classList.toggle("down", change?.points < 0);
    for (const side of ["bid", "ask"]) {
      say(this.#cells[side], fixed(quote[side], digits));
      say(this.#cells[`${side}Size`], short(quote[`${side}Size`]));
    }
    this.#spark.draw(quote.price, quote.close);
    this.#flash();
    this.age();
  }

  #flash() {
    if (!this.#way || CALM.matches) return;
    const { last } = this.#cells;
    last.getAnimations().forEach((animation) => animation.cancel());
    const colour = getComputedStyle(last).getPropertyValue(this.#way > 0 ? "--up-wash" : "--down-wash");
    last.animate([{ backgroundColor: colour }, { backgroundColor: "transparent" }], {
      duration: 900,
      easing: "ease-out",
    });
    this.#way = 0;
  }

  async #describe(token) {
    const contract = inputOf(this.contract);
    const {
      reqContractDetails: [details],
    } = await ask(token, DETAILS, { contract });
    this.longName = titled(details.longName);
    this.digits = decimalsOf(details.minTick);
    this.age();
    this.dispatchEvent(new Event("tick"));
    const day = await pastBars(token, { contract, duration: "1 D", size: "5 mins", show: showOf(contract) });
    this.#spark.history = day.slice(-120).map((bar) => bar.close);
    this.#draw();
  }
}
