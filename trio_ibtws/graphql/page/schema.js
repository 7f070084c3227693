// The schema as the service tells it.

import { ask } from "./http.js";

const TYPE = "kind name ofType { kind name ofType { kind name ofType { kind name } } }";
const INPUT = `name description defaultValue type { ${TYPE} }`;
const QUERY = `query Schema {
  __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    types {
      kind name description
      fields(includeDeprecated: true) { name description isDeprecated deprecationReason args { ${INPUT} } type { ${TYPE} } }
      inputFields { ${INPUT} }
      enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
      possibleTypes { name }
    }
  }
}`;

/** The types by name, and the root types by kind of operation. */
export class Schema {
  types = new Map();
  roots = [];

  constructor({ queryType, subscriptionType, mutationType, types }) {
    for (const type of types) this.types.set(type.name, type);
    for (const [kind, root] of [
      ["query", queryType],
      ["subscription", subscriptionType],
      ["mutation", mutationType],
    ]) {
      if (root) this.roots.push({ kind, type: this.types.get(root.name) });
    }
  }

  /** The type that a reference comes to, without lists and exclamation marks. */
  named(reference) {
    let inner = reference;
    while (inner.ofType) inner = inner.ofType;
    return this.types.get(inner.name);
  }
}

/** Asks the service for its schema. */
export async function loadSchema(token) {
  const { __schema: described } = await ask(token, QUERY);
  return new Schema(described);
}

/** Writes a type as in the schema: [BarData!]! */
export function written(reference) {
  if (reference.kind === "NON_NULL") return `${written(reference.ofType)}!`;
  if (reference.kind === "LIST") return `[${written(reference.ofType)}]`;
  return reference.name;
}

export const required = (input) => input.type.kind === "NON_NULL" && input.defaultValue === null;
