// Makes an operation of a field of the schema: its required arguments as variables, and what is worth selecting.

import { required, written } from "./schema.js";

const LEAVES = new Set(["SCALAR", "ENUM"]);
const MOST_FIELDS = 8;
const MOST_MEMBERS = 6;
const DEEPEST = 3;
const SAMPLES = {
  Contract: { symbol: "AAPL", secType: "STK", exchange: "SMART", currency: "USD" },
  Order: { action: "BUY", orderType: "LMT", totalQuantity: "1", lmtPrice: 1 },
};
const WORDS = {
  durationStr: "1 D",
  barSizeSetting: "5 mins",
  whatToShow: "TRADES",
  pattern: "AAPL",
  groupName: "All",
  tags: "NetLiquidation",
  timePeriod: "1 day",
};
const SCALARS = { Int: 0, Long: 0, Float: 0, Boolean: true, String: "", Decimal: "1", ID: "" };

/** Returns { query, variables } for a root field. */
export function operationFor(schema, kind, field) {
  const inputs = field.args.filter(required);
  const declared = inputs.map(({ name, type }) => `$${name}: ${written(type)}`).join(", ");
  const passed = inputs.map(({ name }) => `${name}: $${name}`).join(", ");
  const title = field.name[0].toUpperCase() + field.name.slice(1);
  const head = `${kind} ${title}${declared ? `(${declared})` : ""} {\n`;
  const call = `  ${field.name}${passed ? `(${passed})` : ""}`;
  const query = `${head}${call}${selection(schema, field.type, "  ", DEEPEST)}\n}\n`;
  const variables = Object.fromEntries(inputs.map(({ name, type }) => [name, sample(schema, name, type)]));
  return { query, variables };
}

/** Returns the selection of a type, with the brackets; "" for a scalar. */
export function selection(schema, reference, indent = "", depth = 1) {
  const type = schema.named(reference);
  if (!type || LEAVES.has(type.kind)) return "";
  const inner = `${indent}  `;
  const lines = type.kind === "UNION" ? members(schema, type, inner) : fields(schema, type, inner, depth);
  return ` {\n${lines.map((line) => `${inner}${line}`).join("\n")}\n${indent}}`;
}

function fields(schema, type, indent, depth) {
  const own = type.fields.filter((field) => !field.isDeprecated && !field.args.some(required));
  const leaves = own.filter((field) => LEAVES.has(schema.named(field.type)?.kind)).slice(0, MOST_FIELDS);
  const nested =
    depth > 1
      ? own.filter((field) => !leaves.includes(field) && !LEAVES.has(schema.named(field.type)?.kind)).slice(0, 2)
      : [];
  const lines = [
    ...leaves.map((field) => field.name),
    ...nested.map((field) => field.name + selection(schema, field.type, indent, 1)),
  ];
  return lines.length ? lines : ["__typename"];
}

function members(schema, union, indent) {
  const types = union.possibleTypes.slice(0, MOST_MEMBERS).map(({ name }) => schema.types.get(name));
  return [
    "__typename",
    ...types.map((type) => {
      // Members may have fields of one name and of different types, which one selection cannot hold: the first wins.
      const names = type.fields
        .filter((field) => LEAVES.has(schema.named(field.type)?.kind) && !clashes(schema, types, type, field))
        .slice(0, 4);
      const inside = names.length ? names.map((field) => field.name).join(" ") : "__typename";
      return `... on ${type.name} { ${inside} }`;
    }),
  ];
}

function clashes(schema, types, type, field) {
  const before = types.slice(0, types.indexOf(type));
  return before.some((other) =>
    other.fields.some((theirs) => theirs.name === field.name && written(theirs.type) !== written(field.type)),
  );
}

function sample(schema, name, reference) {
  const type = schema.named(reference);
  const isList = written(reference).startsWith("[");
  let value = SCALARS[type?.name] ?? "";
  if (type?.kind === "ENUM") value = type.enumValues[0].name;
  else if (type?.kind === "INPUT_OBJECT") value = SAMPLES[type.name.replace(/Input$/, "")] ?? {};
  else if (type?.name === "String") value = WORDS[name] ?? "";
  return isList ? [value] : value;
}
