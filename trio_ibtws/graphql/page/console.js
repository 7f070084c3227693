// The editor to run operations, with the schema on one side and the results on the other.

import { optionsAt } from "./complete.js";
import { Docs } from "./docs.js";
import { h, say } from "./dom.js";
import { Editor } from "./editor.js";
import { EXAMPLES } from "./examples.js";
import { forgetHistory, loadHistory, remember } from "./history.js";
import { menu } from "./menu.js";
import { Results } from "./results.js";
import { Runner } from "./run.js";
import { loadSchema } from "./schema.js";
import { operationFor, selection } from "./skeleton.js";
import { graphqlTokens, jsonTokens, operationsOf } from "./tokens.js";

const pretty = (variables) => (Object.keys(variables ?? {}).length ? JSON.stringify(variables, null, 2) : "");

/** Builds the console in *place*; returns a function that ends it. `told(schema)` is called with the schema. */
export function openConsole(place, { token }, told) {
  const view = new Console(token, told);
  place.replaceChildren(view.element);
  return () => {
    view.close();
    place.replaceChildren();
  };
}

class Console {
  #token;
  #editor = new Editor("Operation", graphqlTokens);
  #variables = new Editor("Variables, as JSON", jsonTokens);
  #wrong = h("span", { class: "strip-word", role: "alert" });
  #choice = h("select", {
    class: "choice",
    "aria-label": "Which operation to run",
    hidden: true,
    onchange: () => this.#showButton(),
  });
  #button = h("button", {
    class: "primary run",
    onclick: () => (this.#runner.running ? this.#runner.stop() : this.#run()),
  });
  #docs = new Docs();
  #results = new Results();
  #runner;
  #schema = null;
  #told;

  constructor(token, told) {
    this.#token = token;
    this.#told = told;
    this.#runner = new Runner(token, {
      begin: (kind) => this.#results.begin(kind),
      result: (response) => this.#results.result(response),
      fault: (message) => this.#results.fault(message),
      end: (word) => (this.#results.end(word), this.#showButton()),
    });
    this.#results.onerrors = (lines) => (this.#editor.wrong = lines);
    this.#editor.onrun = this.#variables.onrun = () => this.#run();
    this.#editor.onchange = () => this.#showChoice();
    this.#editor.complete = (text, cursor) => (this.#schema ? optionsAt(this.#schema, text, cursor) : null);
    this.#docs.oninsert = (kind, field) => this.#insert(kind, field);
    this.element = this.#build();
    this.#begin();
    this.#showButton();
    this.#readSchema();
  }

  close() {
    this.#runner.close();
  }

  #build() {
    const examples = menu("Examples", () =>
      EXAMPLES.map((one) => ({ name: one.name, choose: () => this.#open(one.query, pretty(one.variables)) })),
    );
    const history = menu("History", () => this.#history(), "What you run is kept here, in this browser.");
    const strip = h("header", { class: "strip" }, this.#button, this.#choice, examples, history);
    const below = h("header", { class: "strip" }, h("h2", {}, "Variables"), this.#wrong);
    const middle = h(
      "section",
      { class: "write", "aria-label": "Editor" },
      strip,
      this.#editor.element,
      below,
      this.#variables.element,
    );
    return h("div", { class: "console" }, this.#docs.element, middle, this.#results.element);
  }

  #begin() {
    const [last] = loadHistory();
    if (last) this.#open(last.query, last.variables);
    else this.#open(EXAMPLES[1].query, pretty(EXAMPLES[1].variables));
  }

  #open(query, variables) {
    this.#editor.text = query;
    this.#variables.text = variables;
    say(this.#wrong, "");
  }

  #history() {
    const rows = loadHistory().map(({ query, variables, at }) => {
      const [first] = operationsOf(query);
      const name = first?.name ?? query.replace(/\s+/g, " ").slice(0, 40);
      return { name, note: new Date(at).toLocaleString(), choose: () => this.#open(query, variables) };
    });
    return rows.length ? [...rows, { name: "Clear the history", choose: forgetHistory }] : [];
  }

  #run() {
    const operation = this.#chosen();
    const variables = this.#readVariables();
    if (variables === null) return;
    const query = this.#editor.text;
    remember(query, this.#variables.text);
    this.#runner.run({ query, variables, operationName: operation?.name ?? undefined }, operation?.kind ?? "query");
    this.#showButton();
  }

  #chosen() {
    const operations = operationsOf(this.#editor.text);
    const before = operations.filter(({ start }) => start <= this.#editor.cursor);
    return operations.find(({ name }) => name && name === this.#choice.value) ?? before.at(-1) ?? operations[0];
  }

  #readVariables() {
    const text = this.#variables.text.trim();
    say(this.#wrong, "");
    try {
      const variables = text ? JSON.parse(text) : {};
      if (variables && typeof variables === "object" && !Array.isArray(variables)) return variables;
      say(this.#wrong, "Variables are one JSON object.");
    } catch (error) {
      say(this.#wrong, error.message);
    }
    return null;
  }

  #showChoice() {
    const names = operationsOf(this.#editor.text)
      .map(({ name }) => name)
      .filter(Boolean);
    const was = this.#choice.value;
    this.#choice.hidden = names.length < 2;
    this.#choice.replaceChildren(...names.map((name) => h("option", {}, name)));
    if (names.includes(was)) this.#choice.value = was;
    this.#showButton();
  }

  #showButton() {
    const { running } = this.#runner;
    this.#button.classList.toggle("is-running", running);
    const changes = this.#chosen()?.kind === "mutation"; // it may place an order: one should see that before
    this.#button.classList.toggle("is-mutation", changes);
    this.#button.title = running ? "Stop" : "Run (Ctrl + Enter)";
    say(this.#button, running ? "Stop" : changes ? "Run mutation" : "Run");
  }

  async #readSchema() {
    try {
      this.#schema = await loadSchema(this.#token);
      this.#docs.schema = this.#schema;
      this.#told(this.#schema);
    } catch (error) {
      this.#docs.say(`The service does not tell its schema: ${error.message}`);
    }
  }

  /** A root field becomes an operation of its own; another one is put where the cursor is. */
  #insert(kind, field) {
    if (!kind) return this.#editor.insert(field.name + selection(this.#schema, field.type));
    const { query, variables } = operationFor(this.#schema, kind, field);
    this.#open(query, pretty(variables));
    this.#editor.focus();
  }
}
