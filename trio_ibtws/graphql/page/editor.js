// A text area with colours: a transparent one over a coloured copy of its text, with line numbers beside both.

import { h } from "./dom.js";
import { coloured } from "./tokens.js";

const PAIRS = { "{": "}", "(": ")", "[": "]" };

/** An editor. `text` is what it holds; `onrun` is called for Ctrl+Enter, `onchange` for each change. */
export class Editor {
  #tokens;
  #area;
  #copy = h("pre", { class: "copy", "aria-hidden": "true" });
  #lines = h("pre", { class: "lines", "aria-hidden": "true" });
  #wrong = new Set();
  onrun = () => {};
  onchange = () => {};

  constructor(label, tokens) {
    this.#tokens = tokens;
    this.#area = h("textarea", {
      "aria-label": label, spellcheck: "false", autocapitalize: "off", autocomplete: "off", wrap: "off",
      oninput: () => this.#changed(), onscroll: () => this.#follow(), onkeydown: (event) => this.#key(event),
    });
    this.element = h("div", { class: "editor" }, this.#lines, h("div", { class: "sheet" }, this.#copy, this.#area));
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
      h("span", { class: this.#wrong.has(index + 1) ? "wrong" : null }, `${index + 1}\n`));
    this.#lines.replaceChildren(...numbers);
  }

  #follow() {
    const { scrollTop, scrollLeft } = this.#area;
    this.#copy.scrollTop = scrollTop;
    this.#copy.scrollLeft = scrollLeft;
    this.#lines.scrollTop = scrollTop;
  }

  #key(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
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
