// A button that opens a list of things to choose from.

import { h } from "./dom.js";

/** Makes the menu. `rows()` is asked each time it opens: { name, note, choose }. */
export function menu(title, rows, none = "Nothing yet") {
  const list = h("div", { class: "menu-list" });
  const element = h("details", { class: "menu" }, h("summary", {}, title), list);
  element.addEventListener("toggle", () => {
    if (!element.open) return;
    const items = rows().map(({ name, note, choose }) =>
      h(
        "button",
        { onclick: () => ((element.open = false), choose()) },
        h("span", {}, name),
        note ? h("small", {}, note) : null,
      ),
    );
    list.replaceChildren(...(items.length ? items : [h("p", { class: "word" }, none)]));
  });
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !element.open) return;
    element.open = false;
    element.firstElementChild.focus();
  });
  document.addEventListener("pointerdown", (event) => {
    if (!element.contains(event.target)) element.open = false;
  });
  return element;
}
