// A panel of the board: a heading, what it shows, and a word when that is not up to date.

import { h, say } from "./dom.js";

/** Makes a panel; `extra` comes beside its heading. */
export function panel(name, title, ...extra) {
  const tag = h("span", { class: "tag", hidden: true });
  const body = h("div", { class: "panel-body" });
  const id = `title-${name}`;
  const head = h("header", { class: "panel-head" }, h("h2", { id }, title), tag, ...extra);
  const element = h("section", { class: `panel ${name}`, "aria-labelledby": id }, head, body);
  return { element, body, head, mark: (freshness) => mark(element, tag, freshness) };
}

/** Shows whether something is up to date: `freshness` is { stale, word, why }. */
export function mark(element, tag, { stale = false, word = "stale", why = "" }) {
  element.classList.toggle("is-stale", stale);
  tag.hidden = !stale;
  say(tag, stale ? word : "");
  tag.title = why;
}

/** Returns the freshness of a feed in the words of the board. */
export function freshness(feed) {
  if (feed.live) return { stale: false };
  if (feed.state === "waiting") return { stale: false };
  const refused = feed.state === "failed" && !feed.heardAt;
  return { stale: true, word: refused ? "refused" : "stale", why: feed.trouble };
}
