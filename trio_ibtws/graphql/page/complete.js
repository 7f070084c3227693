// What may stand at the cursor of an operation, by the schema.

import { written } from "./schema.js";
import { graphqlTokens } from "./tokens.js";

const WORD = /[_A-Za-z]\w*$/;
const MOST = 60;
const LONG = 3; // letters, from which on they are looked for inside of names too

/** Returns { from, options } for the cursor: `options` are { name, note, insert }, what is typed begins at `from`. */
export function optionsAt(schema, text, cursor) {
  const typed = WORD.exec(text.slice(0, cursor))?.[0] ?? "";
  const from = cursor - typed.length;
  if (/[$@]$/.test(text.slice(0, from))) return { from, typed, options: [] }; // variables and directives
  const place = placeAt(schema, text.slice(0, from));
  const lower = typed.toLowerCase();
  const rank = ({ name }) => (name.toLowerCase().startsWith(lower) ? 0 : 1);
  const isLong = typed.length >= LONG || place?.spread;
  const fits = candidates(schema, place).filter(
    (one) => !rank(one) || (isLong && one.name.toLowerCase().includes(lower)),
  );
  fits.sort((one, other) => rank(one) - rank(other));
  return { from, typed, options: fits.slice(0, MOST) };
}

function candidates(schema, place) {
  switch (place?.kind) {
    case "selection":
      return place.spread ? members(schema, place) : fieldsOf(place.type);
    case "inputs":
      return place.input ? values(schema, place.input) : place.inputs.map(inputOption);
    case "document":
      return schema.roots.map(({ kind }) => ({ name: kind, note: "", insert: kind }));
    default:
      return [];
  }
}

const inputOption = ({ name, type }) => ({ name, note: written(type), insert: `${name}: ` });

function fieldsOf(type) {
  const fields = (type?.fields ?? []).map((field) => ({
    name: field.name,
    note: written(field.type),
    insert: field.name,
  }));
  const spreads = type?.kind === "UNION" ? [{ name: "...", note: "a member", insert: "... on " }] : [];
  return [...fields, ...spreads, { name: "__typename", note: "String!", insert: "__typename" }];
}

function members(schema, { type, on }) {
  const names = type?.kind === "UNION" ? type.possibleTypes.map((one) => one.name) : type ? [type.name] : [];
  return names.map((name) => ({ name: on ? name : `on ${name}`, note: "", insert: on ? name : ` on ${name}` }));
}

function values(schema, input) {
  const type = schema.named(input.type);
  const names =
    type?.kind === "ENUM"
      ? type.enumValues.map((value) => value.name)
      : type?.name === "Boolean"
        ? ["true", "false"]
        : [];
  return names.map((name) => ({ name, note: type.name, insert: name }));
}

/** Walks through the text before the cursor, and returns where that ends. */
function placeAt(schema, text) {
  const walk = { schema, stack: [{ kind: "document", root: "query", type: null }] };
  for (const [kind, value, index] of graphqlTokens(text)) {
    if (kind === "comment" && index + value.length === text.length) return null;
    if (kind === "string" && index + value.length === text.length && !/^"(?:[^"\\]|\\.)*"$/.test(value)) return null;
    step(walk, kind, value);
  }
  return walk.stack.at(-1);
}

function step(walk, kind, value) {
  const place = walk.stack.at(-1);
  if (value === "{" || value === "(" || value === "[") walk.stack.push(inside(walk.schema, place, value));
  else if (value === "}" || value === ")" || value === "]") leave(walk);
  else if (place.kind === "document") head(walk.schema, place, kind, value);
  else if (place.kind === "selection") select(walk.schema, place, kind, value);
  else if (place.kind === "inputs") give(place, kind, value);
}

/** What a bracket opens. */
function inside(schema, place, bracket) {
  if (place.kind === "document") {
    const root = schema.roots.find((one) => one.kind === place.root)?.type;
    return bracket === "{" ? { kind: "selection", type: place.type ?? root } : { kind: "other" };
  }
  if (place.kind === "selection") {
    if (bracket === "(") return { kind: "inputs", inputs: place.field?.args ?? [] };
    return { kind: "selection", type: place.narrowed ?? (place.field ? schema.named(place.field.type) : null) };
  }
  if (place.kind !== "inputs") return { kind: "other" };
  if (bracket === "[") return { kind: "inputs", inputs: place.inputs, input: place.input };
  return { kind: "inputs", inputs: (place.input && schema.named(place.input.type)?.inputFields) ?? [] };
}

function leave({ stack }) {
  if (stack.length > 1) stack.pop();
  const place = stack.at(-1);
  if (place.kind === "inputs") place.input = null;
  if (place.kind === "document") Object.assign(place, { root: "query", type: null, ended: true });
}

function head(schema, place, kind, value) {
  if (kind === "keyword" && value !== "on" && value !== "fragment") Object.assign(place, { root: value, type: null });
  else if (kind === "type") place.type = schema.types.get(value) ?? null;
}

function select(schema, place, kind, value) {
  if (kind === "spread") Object.assign(place, { spread: true, on: false, narrowed: null });
  else if (place.spread && value === "on") place.on = true;
  else if (place.spread) Object.assign(place, { spread: false, narrowed: schema.types.get(value) ?? null });
  else if (kind === "field")
    Object.assign(place, { field: place.type?.fields?.find((one) => one.name === value), narrowed: null });
}

function give(place, kind, value) {
  if (kind === "argument") place.input = place.inputs.find((one) => one.name === value) ?? null;
  else if (value !== ":") place.input = null;
}
