// Candles on a canvas, with volume, both axes, the price now and a cross-hair.

import { fixed, short } from "./format.js";
import { niceTicks, timeTicks } from "./scales.js";

const AXIS = { right: 68, bottom: 24, top: 12 };
const VOLUME_SHARE = 0.16;
const WIDEST = 12;

/** Draws `bars` (date, open, high, low, close, volume); `onhover(bar or null)` tells what the pointer is on. */
export class Chart {
  #canvas;
  #pen;
  #size = { width: 0, height: 0 };
  #colours = {};
  #pointer = null;
  bars = [];
  digits = 2;
  stale = false;
  now = null; // the price now, where it is known better than from the newest bar
  onhover = () => {};

  constructor(canvas) {
    this.#canvas = canvas;
    this.#pen = canvas.getContext("2d");
    new ResizeObserver(() => this.#resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#resize());
    canvas.addEventListener("pointermove", ({ offsetX: x, offsetY: y }) => this.#point({ x, y }));
    canvas.addEventListener("pointerleave", () => this.#point(null));
    canvas.addEventListener("keydown", (event) => this.#step(event));
    canvas.addEventListener("blur", () => this.#point(null));
  }

  draw() {
    const { width, height } = this.#size;
    if (!width) return;
    const pen = this.#pen;
    pen.clearRect(0, 0, width, height);
    const bars = this.#visible();
    if (!bars.length) return;
    const layout = this.#layout(bars);
    pen.globalAlpha = this.stale ? 0.5 : 1;
    this.#drawGrid(bars, layout);
    this.#drawVolume(bars, layout);
    this.#drawCandles(bars, layout);
    this.#drawNow(bars.at(-1), layout);
    this.#drawCross(bars, layout);
    pen.globalAlpha = 1;
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const ratio = window.devicePixelRatio || 1;
    this.#size = { width, height };
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    this.#pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const style = getComputedStyle(this.#canvas);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    this.#colours = Object.fromEntries(
      ["up", "down", "grid", "ink", "ink-2", "ink-3", "ground", "panel", "stale", "up-soft", "down-soft"].map(
        (name) => [name, colour(name)],
      ),
    );
    this.#pen.font = `11px ${style.fontFamily}`;
    this.draw();
  }

  /** The bars that there is room for: the newest ones. */
  #visible() {
    const room = Math.floor((this.#size.width - AXIS.right) / 3);
    return this.bars.slice(-Math.max(1, room));
  }

  #layout(bars) {
    const { width, height } = this.#size;
    const right = width - AXIS.right;
    const bottom = height - AXIS.bottom;
    const floor = bottom - (bottom - AXIS.top) * VOLUME_SHARE;
    const now = this.now ?? bars.at(-1).close;
    let low = Math.min(now, ...bars.map((bar) => bar.low));
    let high = Math.max(now, ...bars.map((bar) => bar.high));
    const air = (high - low) * 0.05 || Math.abs(high) * 0.001 || 1;
    [low, high] = [low - air, high + air];
    const step = Math.min(right / bars.length, WIDEST * 1.6);
    const start = right - step * bars.length;
    return {
      right,
      bottom,
      floor,
      low,
      high,
      step,
      start,
      now,
      x: (index) => start + step * (index + 0.5),
      y: (price) => AXIS.top + ((high - price) / (high - low)) * (floor - AXIS.top),
    };
  }

  #drawGrid(bars, { right, bottom, floor, low, high, step, now, x, y }) {
    const pen = this.#pen;
    pen.textBaseline = "middle";
    pen.textAlign = "left";
    for (const price of niceTicks(low, high, (floor - AXIS.top) / 56)) {
      this.#line(
        [
          [0, y(price)],
          [right, y(price)],
        ],
        this.#colours.grid,
      );
      pen.fillStyle = this.#colours["ink-3"];
      if (Math.abs(y(price) - y(now)) > 14) pen.fillText(fixed(price, this.digits), right + 8, y(price));
    }
    pen.textAlign = "center";
    for (const [index, label] of timeTicks(
      bars.map((bar) => bar.date),
      Math.ceil(72 / step),
    )) {
      this.#line(
        [
          [x(index), AXIS.top],
          [x(index), bottom],
        ],
        this.#colours.grid,
      );
      pen.fillStyle = this.#colours["ink-3"];
      if (x(index) > 16 && x(index) < right - 8) pen.fillText(label, x(index), bottom + AXIS.bottom / 2 + 1);
    }
  }

  #drawVolume(bars, { bottom, floor, step, x }) {
    const most = Math.max(...bars.map((bar) => Number(bar.volume) || 0));
    if (most <= 0) return;
    const width = Math.max(1, Math.min(WIDEST, step * 0.7));
    bars.forEach((bar, index) => {
      const tall = ((Number(bar.volume) || 0) / most) * (bottom - floor - 6);
      this.#pen.fillStyle = this.#colours[bar.close < bar.open ? "down-soft" : "up-soft"];
      if (tall > 0) this.#pen.fillRect(x(index) - width / 2, bottom - tall, width, tall);
    });
  }

  #drawCandles(bars, { step, x, y }) {
    const width = Math.max(1, Math.min(WIDEST, Math.round(step * 0.7)));
    bars.forEach((bar, index) => {
      const colour = this.#colours[bar.close < bar.open ? "down" : "up"];
      const middle = Math.round(x(index)) + 0.5;
      this.#line(
        [
          [middle, y(bar.high)],
          [middle, y(bar.low)],
        ],
        colour,
      );
      const top = y(Math.max(bar.open, bar.close));
      this.#pen.fillStyle = colour;
      this.#pen.fillRect(middle - width / 2, top, width, Math.max(1, y(Math.min(bar.open, bar.close)) - top));
    });
  }

  #drawNow({ open }, { right, now, y }) {
    const colour = this.stale ? this.#colours.stale : this.#colours[now < open ? "down" : "up"];
    this.#line(
      [
        [0, y(now)],
        [right, y(now)],
      ],
      colour,
      [2, 3],
    );
    this.#label(fixed(now, this.digits), right, y(now), colour, this.#colours.panel);
  }

  #drawCross(bars, { right, bottom, floor, low, high, step, start, x, y }) {
    if (!this.#pointer) return this.onhover(null);
    const index = Math.max(0, Math.min(bars.length - 1, Math.floor((this.#pointer.x - start) / step)));
    this.#line(
      [
        [x(index), AXIS.top],
        [x(index), bottom],
      ],
      this.#colours["ink-3"],
      [3, 3],
    );
    const height = this.#pointer.y ?? y(bars[index].close);
    if (height < floor) {
      const price = high - ((height - AXIS.top) / (floor - AXIS.top)) * (high - low);
      this.#line(
        [
          [0, height],
          [right, height],
        ],
        this.#colours["ink-3"],
        [3, 3],
      );
      this.#label(fixed(price, this.digits), right, height, this.#colours["ink-2"], this.#colours.panel);
    }
    this.onhover(bars[index]);
  }

  #label(text, left, middle, ground, ink) {
    const pen = this.#pen;
    pen.fillStyle = ground;
    pen.beginPath();
    pen.roundRect(left + 2, middle - 9, AXIS.right - 4, 18, 3);
    pen.fill();
    pen.fillStyle = ink;
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    pen.fillText(text, left + 8, middle + 0.5);
  }

  #line(points, colour, dash = []) {
    const pen = this.#pen;
    pen.strokeStyle = colour;
    pen.lineWidth = 1;
    pen.setLineDash(dash);
    pen.beginPath();
    points.forEach(([px, py], index) => (index ? pen.lineTo(px, snap(py)) : pen.moveTo(px, snap(py))));
    pen.stroke();
    pen.setLineDash([]);
  }

  #point(pointer) {
    this.#pointer = pointer;
    this.draw();
  }

  /** The arrow keys walk along the bars, for those without a pointer. */
  #step(event) {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const bars = this.#visible();
    if (!move || !bars.length) return;
    event.preventDefault();
    const { step, start, x } = this.#layout(bars);
    const at = this.#pointer ? Math.floor((this.#pointer.x - start) / step) + move : bars.length - 1;
    this.#point({ x: x(Math.max(0, Math.min(bars.length - 1, at))), y: null });
  }
}

function snap(value) {
  return Math.round(value) + 0.5;
}

/** Returns the words of the legend for a bar. */
export function legend(bar, digits) {
  const volume = Number(bar.volume) > 0 ? [["V", short(bar.volume)]] : [];
  return [
    ["O", bar.open],
    ["H", bar.high],
    ["L", bar.low],
    ["C", bar.close],
  ]
    .map(([letter, price]) => [letter, fixed(price, digits)])
    .concat(volume);
}
