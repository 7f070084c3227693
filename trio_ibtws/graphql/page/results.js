// What came back: pretty JSON, errors first and in words, and for a stream its events with the newest on top.

import { h, oncePerFrame, say } from "./dom.js";
import { segments } from "./segments.js";
import { rowsIn, tableOf } from "./table.js";
import { coloured, graphqlTokens, jsonTokens } from "./tokens.js";

const MOST_EVENTS = 200;
const MOST_ON_A_LINE = 300; // characters of an event
const MOST_COLOURED = 200_000; // characters: beyond, colours cost more than they show

/** Shows results. `onerrors(lines)` tells on which lines of the operation errors are. */
export class Results {
  #status = h("span", { class: "result-status" });
  #body = h("div", { class: "result-body", tabindex: "0", "aria-label": "Result" });
  #kind = "query";
  #events = [];
  #seen = 0;
  #began = 0;
  #draw = oncePerFrame(() => this.#drawEvents());
  #views = segments(["JSON", "Table"], (view) => this.#choose(view));
  #view = "JSON";
  #response = null;
  onerrors = () => {};
  element;

  constructor() {
    this.element = h(
      "section",
      { class: "results", "aria-label": "Results" },
      h("header", { class: "strip" }, h("h2", {}, "Result"), this.#views.element, this.#status),
      this.#body,
    );
    this.#views.element.hidden = true;
    this.#body.append(h("p", { class: "empty" }, "Ctrl + Enter runs the operation."));
  }

  begin(kind) {
    this.#kind = kind;
    this.#events = [];
    this.#seen = 0;
    this.#began = performance.now();
    this.#response = null;
    this.#views.element.hidden = true;
    this.#body.replaceChildren();
    this.#tell(kind === "subscription" ? "waiting for the first event" : "running", "busy");
    this.onerrors([]);
  }

  result(response) {
    this.onerrors((response.errors ?? []).flatMap((error) => (error.locations ?? []).map((place) => place.line)));
    if (this.#kind === "subscription") return this.#event(response);
    const text = JSON.stringify(response.data ?? null, null, 2);
    this.#response = response;
    this.#views.element.hidden = !rowsIn(response.data);
    this.#choose(this.#view);
    const wrong = response.errors?.length;
    this.#tell(
      `${this.#elapsed()}   ${size(text.length)}${wrong ? `   ${wrong} error${wrong > 1 ? "s" : ""}` : ""}`,
      wrong ? "wrong" : "done",
    );
  }

  fault(message) {
    const kept = this.#kind === "subscription" ? [...this.#body.children] : [];
    this.#body.replaceChildren(h("p", { class: "fault", role: "alert" }, message), ...kept);
    this.#tell("failed", "wrong");
  }

  end(word) {
    if (word) this.#tell(this.#seen ? `${word}   ${this.#count()}` : word, "done");
  }

  #choose(view) {
    this.#view = view;
    const { data, errors } = this.#response;
    const rows = view === "Table" ? rowsIn(data) : null;
    this.#views.show(rows ? "Table" : "JSON");
    const isEmpty = data === undefined || (data === null && errors);
    const shown = rows ? tableOf(rows) : isEmpty ? [] : pretty(JSON.stringify(data, null, 2));
    this.#body.replaceChildren(...[errorList(errors), shown].flat());
    this.#body.scrollTop = 0;
  }

  #event(response) {
    this.#seen++;
    this.#events.unshift({ at: new Date(), response, number: this.#seen });
    this.#events.length = Math.min(this.#events.length, MOST_EVENTS);
    this.#draw();
  }

  #drawEvents() {
    const shown = Number(this.#body.firstElementChild?.dataset.number ?? 0);
    const fresh = this.#events.filter((event) => event.number > shown);
    if (!shown) this.#body.replaceChildren();
    this.#body.prepend(...fresh.map(card));
    while (this.#body.children.length > MOST_EVENTS) this.#body.lastElementChild.remove();
    if (fresh.length) this.#tell(`${this.#count()}`, "busy");
  }

  #count() {
    return `${this.#seen} event${this.#seen === 1 ? "" : "s"}   ${this.#elapsed()}`;
  }

  #elapsed() {
    const passed = performance.now() - this.#began;
    return passed < 1000 ? `${passed.toFixed(0)} ms` : `${(passed / 1000).toFixed(1)} s`;
  }

  #tell(words, state) {
    say(this.#status, words);
    this.#status.dataset.state = state;
  }
}

function card({ at, response: { data, errors }, number }) {
  const time = at.toTimeString().slice(0, 8) + `.${String(at.getMilliseconds()).padStart(3, "0")}`;
  const line = data ? brief(data) : "";
  const isShort = line.length <= MOST_ON_A_LINE;
  const shown = isShort ? coloured(line, graphqlTokens) : coloured(JSON.stringify(data, null, 2), jsonTokens);
  return h(
    "article",
    { class: "event", "data-number": number },
    h("time", { title: `Event ${number}` }, time),
    h("div", {}, errorList(errors), h("pre", {}, shown)),
  );
}

/** Returns an event on one line, without the name of the subscription, which is always the same. */
function brief(data) {
  const values = Object.values(data);
  const event = values.length === 1 ? values[0] : data;
  if (!event || typeof event !== "object" || Array.isArray(event)) return JSON.stringify(event);
  const { __typename: type = "", ...rest } = event;
  const pairs = Object.entries(rest).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  return `${type} ${pairs.length ? `{ ${pairs.join(", ")} }` : ""}`.trim() || "{ }";
}

function pretty(text) {
  return h("pre", { class: "json" }, text.length > MOST_COLOURED ? text : coloured(text, jsonTokens));
}

function errorList(errors = []) {
  return errors.map(({ message, path, locations, extensions = {} }) => {
    const facts = [
      extensions.code,
      extensions.twsCode ? `TWS ${extensions.twsCode}` : null,
      extensions.class,
      path?.length ? `at ${path.join(".")}` : null,
      locations?.length ? `line ${locations[0].line}, column ${locations[0].column}` : null,
    ];
    return h(
      "div",
      { class: "error", role: "alert" },
      h("p", {}, message),
      h(
        "p",
        { class: "facts" },
        facts.filter(Boolean).map((fact) => h("span", {}, fact)),
      ),
    );
  });
}

function size(characters) {
  return characters < 2000 ? `${characters} B` : `${(characters / 1024).toFixed(1)} kB`;
}
