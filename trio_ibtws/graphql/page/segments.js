// Buttons of which one is chosen.

import { h } from "./dom.js";

/** Makes them; `choose(name)` is called for the one that is pressed, `show(name)` marks it. */
export function segments(names, choose, label = "View") {
  const buttons = names.map((name) =>
    h("button", { type: "button", onclick: () => choose(name), "aria-pressed": "false" }, name),
  );
  const element = h("div", { class: "segments", role: "group", "aria-label": label }, buttons);
  const show = (chosen) =>
    buttons.forEach((button, index) => button.setAttribute("aria-pressed", names[index] === chosen));
  return { element, show };
}
