// The schema to read: search it, walk along its types, put a field into the editor.

import { h } from "./dom.js";
import { required, written } from "./schema.js";

const MOST_FOUND = 60;
const TITLES = { query: "Queries", subscription: "Subscriptions", mutation: "Mutations" };

/** The panel. `oninsert(kind or null, field)` is called for a field to be put into the editor. */
export class Docs {
  #schema = null;
  #search = h("input", {
    type: "search",
    placeholder: "Search the schema",
    "aria-label": "Search the schema",
    spellcheck: "false",
    oninput: () => this.#find(),
  });
  #path = h("nav", { class: "docs-path", "aria-label": "Where you are in the schema" });
  #body = h("div", { class: "docs-body" });
  #trail = [];
  oninsert = () => {};

  constructor() {
    this.element = h(
      "aside",
      { class: "docs", "aria-label": "Schema" },
      h("header", { class: "strip" }, this.#search),
      this.#path,
      this.#body,
    );
    this.say("Reading the schema …");
  }

  say(words) {
    this.#body.replaceChildren(h("p", { class: "empty" }, words));
  }

  set schema(schema) {
    this.#schema = schema;
    this.#open([]);
  }

  #open(trail) {
    this.#trail = trail;
    this.#search.value = "";
    const steps = [
      { name: "Schema", trail: [] },
      ...trail.map((name, index) => ({ name, trail: trail.slice(0, index + 1) })),
    ];
    this.#path.hidden = !trail.length;
    this.#path.replaceChildren(
      ...steps.map(({ name, trail: there }, index) =>
        index === steps.length - 1
          ? h("span", { "aria-current": "true" }, name)
          : h("button", { onclick: () => this.#open(there) }, name),
      ),
    );
    this.#body.classList.toggle("is-list", !trail.length);
    this.#body.replaceChildren(...(trail.length ? this.#type(this.#schema.types.get(trail.at(-1))) : this.#roots()));
    this.#body.scrollTop = 0;
  }

  #roots() {
    return this.#schema.roots.map(({ kind, type }) =>
      h(
        "section",
        {},
        h("h3", {}, TITLES[kind], h("small", {}, type.fields.length)),
        type.fields.map((field) => this.#field(field, kind)),
      ),
    );
  }

  #type(type) {
    const root = this.#schema.roots.find((one) => one.type === type);
    const inputs = type.inputFields ?? [];
    return [
      h("h3", {}, type.name, h("small", {}, type.kind.toLowerCase().replace("_", " "))),
      type.description ? h("p", { class: "about" }, prose(type.description.replace(/\s+/g, " "))) : null,
      (type.fields ?? []).map((field) => this.#field(field, root?.kind ?? null)),
      inputs.map((input) => this.#input(input)),
      (type.enumValues ?? []).map((value) => this.#entry(h("b", {}, value.name), value)),
      type.kind === "UNION"
        ? type.possibleTypes.map(({ name }) => h("div", { class: "entry" }, this.#link(name)))
        : null,
    ]
      .flat()
      .filter(Boolean);
  }

  #field(field, kind) {
    const insert = {
      class: "insert",
      title: `Put ${field.name} into the editor`,
      onclick: () => this.oninsert(kind, field),
    };
    return this.#entry([h("button", insert, field.name), this.#reference(field.type)], field, this.#arguments(field));
  }

  #arguments({ name, args }) {
    if (!args.length) return null;
    const needed = args.filter(required).length;
    const title = `${args.length} argument${args.length > 1 ? "s" : ""}${needed ? `, ${needed} required` : ""}`;
    return h(
      "details",
      { class: "args" },
      h("summary", { "aria-label": `${title} of ${name}` }, title),
      args.map((input) => this.#input(input)),
    );
  }

  #input(input) {
    const fallback = input.defaultValue === null ? null : h("span", { class: "fallback" }, ` = ${input.defaultValue}`);
    return this.#entry(
      [
        h("b", { class: required(input) ? "needed" : null }, input.name),
        h("span", {}, this.#reference(input.type), fallback),
      ],
      input,
    );
  }

  #entry(signature, { name, description, isDeprecated, deprecationReason }, more = null) {
    const words = description?.replace(/\s+/g, " ").replace(` (EClient.${name})`, ""); // the name says it already
    const about = words ? h("p", { class: "about", title: words }, prose(words)) : null;
    const gone = isDeprecated
      ? h("p", { class: "deprecated" }, `Deprecated: ${deprecationReason ?? "no reason is given"}`)
      : null;
    return h("div", { class: "entry" }, h("div", { class: "signature" }, signature), about, gone, more);
  }

  #reference(reference) {
    const text = written(reference);
    const name = /\w+/.exec(text)[0];
    const [before, after] = text.split(name);
    return h("span", { class: "ref" }, before, this.#link(name), after);
  }

  #link(name) {
    return h(
      "button",
      { class: "type", onclick: () => this.#open([...this.#trail.filter((step) => step !== name), name].slice(-4)) },
      name,
    );
  }

  #find() {
    const words = this.#search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    if (!this.#schema) return;
    if (!words.length) return this.#open([]);
    const fits = ({ name, description }) =>
      words.every((word) => `${name} ${description ?? ""}`.toLowerCase().includes(word));
    const byName = (one, other) => hits(other.name, words) - hits(one.name, words);
    const roots = this.#schema.roots.flatMap(({ kind, type }) =>
      type.fields.filter(fits).map((field) => ({ name: field.name, kind, field })),
    );
    const types = [...this.#schema.types.values()]
      .filter((type) => !type.name.startsWith("__") && fits(type))
      .sort(byName);
    const found = [
      ...Object.entries(TITLES).map(([kind, title]) => [
        title,
        roots
          .filter((one) => one.kind === kind)
          .sort(byName)
          .map(({ field }) => this.#field(field, kind)),
      ]),
      ["Types", types.map((type) => this.#entry(this.#link(type.name), type))],
    ].filter(([, rows]) => rows.length);
    this.#path.hidden = true;
    this.#body.classList.add("is-list");
    this.#body.replaceChildren(
      ...found.map(([title, rows]) =>
        h("section", {}, h("h3", {}, title, h("small", {}, rows.length)), rows.slice(0, MOST_FOUND)),
      ),
    );
    if (!found.length) this.say("Nothing found");
  }
}

/** Returns a description without its line breaks, and `code` as code. */
function prose(text) {
  const parts = text.split("`");
  return parts.map((part, index) => (index % 2 ? h("code", {}, part) : part));
}

function hits(name, words) {
  const lower = name.toLowerCase();
  return words.filter((word) => lower.includes(word)).length;
}
