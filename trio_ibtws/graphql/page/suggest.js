// A box to type in that suggests as one types: arrow keys, Enter and Escape, or the pointer.

import { h, say } from "./dom.js";

const PAUSE = 300;
let boxes = 0;

/** Makes the box. `find(typed)` returns rows with `symbol` and `note`; `choose(row)` is called with the one taken. */
export function suggestBox({ label, find, choose }) {
  const id = `suggest-${++boxes}`;
  const input = h("input", {
    type: "text",
    role: "combobox",
    placeholder: label,
    "aria-label": label,
    autocomplete: "off",
    spellcheck: "false",
    "aria-expanded": "false",
    "aria-controls": id,
    "aria-autocomplete": "list",
  });
  const list = h("ul", { id, role: "listbox", class: "suggestions", hidden: true });
  const element = h("div", { class: "suggest" }, input, list);
  let rows = [];
  let at = 0;
  let timer = 0;
  let asked = 0;

  const close = () => show([], "");
  const take = (row) => {
    input.value = "";
    close();
    choose(row);
  };
  const show = (found, word) => {
    rows = found;
    at = 0;
    list.replaceChildren(...found.map((row, index) => option(row, `${id}-${index}`, () => take(row))));
    if (word) list.append(h("li", { class: "word" }, word));
    list.hidden = !found.length && !word;
    input.setAttribute("aria-expanded", String(!list.hidden));
    point();
  };
  const point = () => {
    [...list.querySelectorAll("[role=option]")].forEach((item, index) =>
      item.setAttribute("aria-selected", index === at),
    );
    if (rows.length) input.setAttribute("aria-activedescendant", `${id}-${at}`);
    else input.removeAttribute("aria-activedescendant");
  };
  const look = async () => {
    const mine = ++asked;
    const typed = input.value.trim();
    if (!typed) return close();
    const answer = await find(typed).then(
      (found) => [found, found.length ? "" : "Nothing found"],
      (error) => [[], error.message],
    );
    if (mine === asked && input.value.trim() === typed) show(...answer);
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE);
  });
  input.addEventListener("blur", () => setTimeout(close, 150));
  input.addEventListener("keydown", (event) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move && rows.length) {
      event.preventDefault();
      at = (at + move + rows.length) % rows.length;
      point();
    } else if (event.key === "Enter" && rows.length) take(rows[at]);
    else if (event.key === "Escape") close();
  });
  return { element, input, complain: (word) => show([], word) };
}

function option(row, id, take) {
  const name = h("strong");
  say(name, row.secType === "CASH" ? `${row.symbol}.${row.currency}` : row.symbol);
  const item = h("li", { role: "option", id }, name, h("span", {}, row.note));
  item.addEventListener("pointerdown", (event) => {
    event.preventDefault(); // keeps the focus in the box
    take();
  });
  return item;
}
