// The list of completions below the cursor of an editor.

import { h } from "./dom.js";

/** A list that is walked along with the arrow keys. `take(option)` is called for the one that is chosen. */
export class Popup {
  #take;
  #options = [];
  #at = 0;
  element = h("ul", { class: "popup", role: "listbox", "aria-label": "Completions", hidden: true });

  constructor(take) {
    this.#take = take;
  }

  get isOpen() {
    return !this.element.hidden;
  }

  /** Shows options at a place of the editor, in pixels. */
  open(options, { left, top }) {
    this.#options = options;
    this.#at = 0;
    this.element.replaceChildren(...options.map((option) => this.#item(option)));
    this.element.hidden = !options.length;
    const sheet = this.element.parentElement;
    this.element.style.left = `${Math.max(0, Math.min(left, sheet.clientWidth - this.element.offsetWidth - 8))}px`;
    const below = top + this.element.offsetHeight <= sheet.clientHeight || top < this.element.offsetHeight;
    this.element.style.top = `${below ? top : top - this.element.offsetHeight - 22}px`;
    this.#point();
  }

  close() {
    this.element.hidden = true;
  }

  /** Takes a key; returns whether it was for the list. */
  key({ key }) {
    if (!this.isOpen) return false;
    const move = { ArrowDown: 1, ArrowUp: -1 }[key];
    if (move) {
      this.#at = (this.#at + move + this.#options.length) % this.#options.length;
      this.#point();
    } else if (key === "Enter" || key === "Tab") {
      this.close();
      this.#take(this.#options[this.#at]);
    } else if (key === "Escape") this.close();
    else return false;
    return true;
  }

  #item(option) {
    const item = h("li", { role: "option" }, h("span", {}, option.name), h("small", {}, option.note));
    item.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // keeps the focus in the editor
      this.close();
      this.#take(option);
    });
    return item;
  }

  #point() {
    [...this.element.children].forEach((item, index) => item.setAttribute("aria-selected", index === this.#at));
    this.element.children[this.#at]?.scrollIntoView({ block: "nearest" });
  }
}
