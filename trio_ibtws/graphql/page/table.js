// A list of objects as a table: what most answers of TWS are.

import { h } from "./dom.js";

const MOST_ROWS = 2_000;
const DEEPEST = 3;

/** Returns the first list of objects in *data*, or null. */
export function rowsIn(data, depth = 0) {
  if (!data || typeof data !== "object" || depth > DEEPEST) return null;
  if (Array.isArray(data)) return data.length && data.every((row) => row && typeof row === "object") ? data : null;
  for (const value of Object.values(data)) {
    const rows = rowsIn(value, depth + 1);
    if (rows) return rows;
  }
  return null;
}

/** Returns a table of *rows*; what is nested has a column for each of its fields. */
export function tableOf(rows) {
  const flat = rows.slice(0, MOST_ROWS).map((row) => flattened(row));
  const names = [...new Set(flat.flatMap((row) => Object.keys(row)))];
  const numeric = new Set(names.slice(1).filter((name) => flat.every((row) => isNumber(row[name]))));
  const kind = (name) => (numeric.has(name) ? "num" : null);
  const head = h(
    "thead",
    {},
    h(
      "tr",
      {},
      names.map((name) => h("th", { scope: "col", class: kind(name) }, name)),
    ),
  );
  const body = flat.map((row) =>
    h(
      "tr",
      {},
      names.map((name) => h("td", { class: kind(name) }, shown(row[name]))),
    ),
  );
  const more =
    rows.length > MOST_ROWS ? h("p", { class: "word" }, `${rows.length - MOST_ROWS} more rows are in the JSON.`) : null;
  return h("div", { class: "rows" }, h("table", {}, head, h("tbody", {}, body)), more);
}

function flattened(row, before = "", flat = {}) {
  for (const [name, value] of Object.entries(row)) {
    const path = before ? `${before}.${name}` : name;
    if (value && typeof value === "object" && !Array.isArray(value)) flattened(value, path, flat);
    else flat[path] = value;
  }
  return flat;
}

function isNumber(value) {
  return (
    value === null ||
    value === undefined ||
    typeof value === "number" ||
    (typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value))
  );
}

function shown(value) {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
