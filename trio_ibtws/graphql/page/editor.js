// A text area with colours: a transparent one over a coloured copy of its text, with line numbers beside both.

import { h } from "./dom.js";
import { Popup } from "./popup.js";
import { coloured } from "./tokens.js";

const PAIRS = { "{": "}", "(": ")", "[": "]" };

const LINE = 20; // pixels, as in console.css
const EDGE = { left: 2, top: 10 };

/**
 * An editor. `text` is what it holds; `onrun` is called for Ctrl+Enter, `onchange` for each change, and
 * `complete(text, cursor)` for what may stand at the cursor.
 */
export class Editor {
  #tokens;
  #area;
  #copy = h("pre", { class: "copy", "aria-hidden": "true" });
  #lines = h("pre", { class: "lines", "aria-hidden": "true" });
  #wrong = new Set();
  #popup = new Popup((option) => this.#accept(option));
  onrun = () => {};
  onchange = () => {};
  complete = null;

  constructor(label, tokens) {
    this.#tokens = tokens;
    this.#area = h("textarea", {
      "aria-label": label,
      spellcheck: "false",
      autocapitalize: "off",
      autocomplete: "off",
      wrap: "off",
      oninput: (event) => this.#typed(event),
      onblur: () => this.#popup.close(),
      onclick: () => this.#popup.close(),
      onscroll: () => this.#follow(),
      onkeydown: (event) => this.#key(event),
    });
    this.element = h(
      "div",
      { class: "editor" },
      this.#lines,
      h("div", { class: "sheet" }, this.#copy, this.#area, this.#popup.element),
    );
    this.#show();
  }

  get text() {
    return this.#area.value;
  }

  set text(text) {
    this.#area.value = text;
    this.#area.setSelectionRange(0, 0);
    this.#area.scrollTop = 0;
    this.#changed();
  }

  get cursor() {
    return this.#area.selectionStart;
  }

  /** Puts *text* where the cursor is, so that it can be undone. */
  insert(text) {
    this.#area.focus();
    // The one way to write into a text area that its undo knows of; deprecated, and in every browser.
    if (!document.execCommand("insertText", false, text)) {
      this.#area.setRangeText(text, this.#area.selectionStart, this.#area.selectionEnd, "end");
      this.#changed();
    }
  }

  /** Marks lines that something is wrong with, counted from 1. */
  set wrong(lines) {
    this.#wrong = new Set(lines);
    this.#number();
  }

  focus() {
    this.#area.focus();
  }

  #typed({ inputType }) {
    this.#changed();
    if (inputType === "insertText" && /\w$|\.\.\.$/.test(this.text.slice(0, this.cursor))) this.#offer();
    else if (inputType === "deleteContentBackward" && this.#popup.isOpen) this.#offer();
    else this.#popup.close();
  }

  /** Offers what may stand at the cursor, unless it stands there already. */
  #offer() {
    const { from, typed, options } = this.complete?.(this.text, this.cursor) ?? { options: [] };
    if (!options.length || options.some(({ name }) => name === typed)) return this.#popup.close();
    const before = this.text.slice(0, from).split("\n");
    const left = EDGE.left + before.at(-1).length * this.#charWidth() - this.#area.scrollLeft;
    this.#popup.open(options, { left, top: EDGE.top + before.length * LINE + 2 - this.#area.scrollTop });
  }

  #accept({ insert }) {
    const { from } = this.complete(this.text, this.cursor);
    const spaced = /\s$/.test(this.text.slice(0, from));
    this.#area.setSelectionRange(from, this.cursor);
    this.insert(spaced ? insert.trimStart() : insert);
    this.#popup.close();
  }

  #charWidth() {
    const probe = h("span", {}, "0".repeat(100));
    this.#lines.append(probe);
    const range = document.createRange();
    range.selectNodeContents(probe);
    const width = range.getBoundingClientRect().width / 100;
    probe.remove();
    return width;
  }

  #changed() {
    this.#wrong.clear();
    this.#show();
    this.onchange();
  }

  #show() {
    this.#copy.replaceChildren(...coloured(this.text, this.#tokens), "\n");
    this.#number();
    this.#follow();
  }

  #number() {
    const count = this.text.split("\n").length;
    const numbers = Array.from({ length: count }, (_, index) =>
      h("span", { class: this.#wrong.has(index + 1) ? "wrong" : null }, `${index + 1}\n`),
    );
    this.#lines.replaceChildren(...numbers);
  }

  #follow() {
    const { scrollTop, scrollLeft } = this.#area;
    this.#copy.scrollTop = scrollTop;
    this.#copy.scrollLeft = scrollLeft;
    this.#lines.scrollTop = scrollTop;
  }

  #key(event) {
    if (!event.ctrlKey && !event.metaKey && this.#popup.key(event)) event.preventDefault();
    else if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      this.#offer();
    } else if (event.key.startsWith("Arrow")) this.#popup.close();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.#popup.close();
      this.onrun();
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.#newLine();
    }
  }

  /** A new line is indented as the one before; between brackets it opens a block. */
  #newLine() {
    const before = this.text.slice(0, this.cursor);
    const after = this.text.slice(this.#area.selectionEnd);
    const indent = /[^\n]*$/.exec(before)[0].match(/^\s*/)[0];
    const closing = PAIRS[before.at(-1)];
    if (!closing) return this.insert(`\n${indent}`);
    const alone = !after.trimStart().startsWith(closing);
    this.insert(alone ? `\n${indent}  ` : `\n${indent}  \n${indent}`);
    if (!alone) this.#area.selectionStart = this.#area.selectionEnd = this.cursor - indent.length - 1;
  }
}
