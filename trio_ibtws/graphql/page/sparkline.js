// The day as a line the size of a word.

import { h, s } from "./dom.js";

const WIDTH = 96;
const HEIGHT = 26;

/** A small line of prices, with the last close as a dotted level. */
export class Sparkline {
  #line = s("polyline", { class: "spark-line" });
  #level = s("line", { class: "spark-level", x1: 0, x2: WIDTH, y1: -9, y2: -9 });
  #dot = s("circle", { class: "spark-dot", r: 1.8, cx: -9, cy: -9 });
  #history = [];
  element;

  constructor() {
    const box = {
      viewBox: `0 -3 ${WIDTH + 4} ${HEIGHT + 6}`,
      width: WIDTH + 4,
      height: HEIGHT + 6,
      "aria-hidden": "true",
    };
    this.element = h("span", { class: "spark" }, s("svg", box, this.#level, this.#line, this.#dot));
  }

  /** Takes the day's prices so far. */
  set history(prices) {
    this.#history = prices;
  }

  /** Draws the history and the price now. */
  draw(price, close) {
    const prices = price === null ? this.#history : [...this.#history, price];
    if (prices.length < 2) return;
    const all = close ? [...prices, close] : prices;
    const low = Math.min(...all);
    const span = Math.max(...all) - low || 1;
    const y = (value) => HEIGHT - ((value - low) / span) * HEIGHT;
    const x = (index) => (index / (prices.length - 1)) * WIDTH;
    this.#line.setAttribute(
      "points",
      prices.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`).join(" "),
    );
    this.#dot.setAttribute("cx", WIDTH);
    this.#dot.setAttribute("cy", y(prices.at(-1)));
    for (const end of ["y1", "y2"]) this.#level.setAttribute(end, close ? y(close) : -9);
    this.element.classList.toggle("down", Boolean(close) && prices.at(-1) < close);
  }
}
