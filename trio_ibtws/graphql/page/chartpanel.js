// The bar chart of the contract that is chosen: its bars from history, the newest ones kept up to date.

import { pastBars } from "./bars.js";
import { Chart, legend } from "./chart.js";
import { inputOf, nameOf, showOf } from "./contracts.js";
import { h, oncePerFrame, say } from "./dom.js";
import { Feed } from "./feed.js";
import { fixed, signed } from "./format.js";
import { BAR_UPDATES } from "./operations.js";
import { freshness, panel } from "./panel.js";
import { fullDate } from "./scales.js";
import { segments } from "./segments.js";

// name, duration and size of the bars, and the span that is subscribed to: long enough to hold some of them.
const RANGES = [
  { name: "1D", duration: "1 D", size: "1 min", tail: "1800 S" },
  { name: "1W", duration: "1 W", size: "30 mins", tail: "14400 S" },
  { name: "6M", duration: "6 M", size: "1 day", tail: "5 D" },
  { name: "1Y", duration: "1 Y", size: "1 day", tail: "6 D" },
];

const PATIENCE = "TWS asks for patience: the same bars were asked for seconds ago. They come by themselves.";

/** The panel. `show(row)` chooses what it shows. */
export class ChartPanel {
  #service;
  #row = null;
  #range = RANGES[0];
  #ranges;
  #feed = null;
  #bars = new Map();
  #turn = 0;
  #parts;
  #chart;
  #draw = oncePerFrame(() => this.#show());
  #onTick = () => this.#headline();

  constructor(service) {
    this.#service = service;
    const part = (tag, name) => h(tag, { class: name });
    this.#parts = {
      name: part("strong", "chart-name"),
      long: part("span", "chart-long"),
      price: part("span", "chart-price"),
      change: part("span", "change"),
      legend: part("div", "legend"),
      word: part("p", "chart-word"),
    };
    const choose = (name) => this.#choose(RANGES.find((range) => range.name === name));
    this.#ranges = segments(
      RANGES.map((range) => range.name),
      choose,
      "Span of the chart",
    );
    const { name, long, price, change, legend: words, word } = this.#parts;
    this.panel = panel("chart", name, this.#ranges.element);
    this.panel.head.firstElementChild.append(long);
    const canvas = h("canvas", {
      tabindex: "0",
      role: "img",
      "aria-label": "Bar chart; the arrow keys walk along the bars",
    });
    this.panel.body.append(
      h("div", { class: "headline" }, h("div", {}, price, change), words),
      h("div", { class: "canvas" }, canvas, word),
    );
    this.element = this.panel.element;
    this.#chart = new Chart(canvas);
    this.#chart.onhover = (bar) => this.#legend(bar);
  }

  /** Shows the contract of a row of the watch-list. */
  show(row) {
    this.#row?.removeEventListener("tick", this.#onTick);
    this.#row = row;
    row.addEventListener("tick", this.#onTick);
    this.#choose(this.#range);
  }

  age() {
    if (!this.#row) return;
    const fresh = this.#feed ? freshness(this.#feed) : { stale: false };
    this.#chart.stale = fresh.stale;
    const { quote, digits, contract, feed } = this.#row;
    const price = feed.live && quote.price !== null ? fixed(quote.price, digits) : "";
    document.title = [nameOf(contract), price].filter(Boolean).join(" ");
    this.panel.mark(fresh);
    this.#draw();
  }

  stop() {
    this.#feed?.stop();
    document.title = "trio_ibtws";
  }

  #choose(range) {
    this.#range = range;
    this.#ranges.show(range.name);
    this.#feed?.stop();
    this.#feed = null;
    this.#bars = new Map();
    this.#headline();
    say(this.#parts.word, "Asking TWS for bars …");
    this.#draw();
    if (this.#row) this.#load(++this.#turn);
  }

  async #load(turn) {
    const { contract } = this.#row;
    const { duration, size, tail } = this.#range;
    const asked = { contract: inputOf(contract), size, show: showOf(contract) };
    try {
      const bars = await pastBars(this.#service.token, { ...asked, duration }, () => this.#word(turn, PATIENCE));
      if (turn !== this.#turn) return;
      say(this.#parts.word, bars.length ? "" : "TWS has no bars of this span.");
      for (const bar of bars) this.#bars.set(bar.date, bar);
    } catch (error) {
      this.#word(turn, error.message);
      return;
    }
    this.#feed = new Feed(
      this.#service,
      BAR_UPDATES,
      { ...asked, duration: tail },
      ({ reqHistoricalData: bar }) => this.#take(bar),
      () => this.age(),
    );
    this.#draw();
  }

  #word(turn, word) {
    if (turn === this.#turn) say(this.#parts.word, word);
  }

  #take(bar) {
    if (!bar?.date) return;
    this.#bars.set(bar.date, bar);
    this.#draw();
  }

  #show() {
    this.#chart.bars = [...this.#bars.values()];
    this.#chart.digits = this.#row?.digits ?? 2;
    this.#chart.now = this.#row?.feed.live ? this.#row.quote.price : null;
    this.#chart.draw();
  }

  #headline() {
    const { quote, digits, contract, longName } = this.#row;
    say(this.#parts.name, nameOf(contract));
    say(this.#parts.long, longName);
    say(this.#parts.price, fixed(quote.price, digits));
    if (this.#chart.now !== quote.price) this.#draw();
    const change = quote.change;
    say(this.#parts.change, change ? `${signed(change.points, digits)}  ${signed(change.fraction * 100)}%` : "");
    this.#parts.change.classList.toggle("up", change?.points > 0);
    this.#parts.change.classList.toggle("down", change?.points < 0);
  }

  #legend(hovered) {
    const bar = hovered ?? this.#chart.bars.at(-1);
    if (!bar) return this.#parts.legend.replaceChildren();
    const words = legend(bar, this.#chart.digits).map(([letter, value]) => h("span", {}, h("i", {}, letter), value));
    this.#parts.legend.replaceChildren(h("span", { class: "when" }, fullDate(bar.date)), ...words);
  }
}
