// Splits GraphQL and JSON into tokens: for colours, and to know the operations of a document.

const GRAPHQL = new RegExp(
  [
    /(?<comment>#[^\n]*)/,
    /(?<string>"""[\s\S]*?(?:"""|$)|"(?:\\.|[^"\\\n])*"?)/,
    /(?<variable>\$\w+)/,
    /(?<directive>@\w+)/,
    /(?<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/,
    /(?<spread>\.\.\.)/,
    /(?<name>[_A-Za-z]\w*)/,
    /(?<mark>[{}()[\]:=!|&])/,
  ]
    .map((one) => one.source)
    .join("|"),
  "g",
);
const JSON_TOKENS =
  /(?<key>"(?:\\.|[^"\\])*"(?=\s*:))|(?<string>"(?:\\.|[^"\\])*"?)|(?<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<word>\b(?:true|false|null)\b)/g;
const KEYWORDS = new Set(["query", "mutation", "subscription", "fragment", "on"]);
const WORDS = new Set(["true", "false", "null"]);

/** Yields [kind, text, index] of everything in a GraphQL document that has a kind. */
export function* graphqlTokens(text) {
  let depth = 0;
  for (const match of text.matchAll(GRAPHQL)) {
    const [[kind, value]] = Object.entries(match.groups).filter(([, found]) => found !== undefined);
    if (value === "{" || value === "(") depth++;
    if (value === "}" || value === ")") depth--;
    yield [
      kind === "name" ? kindOfName(value, text.slice(match.index + value.length), depth) : kind,
      value,
      match.index,
    ];
  }
}

function kindOfName(name, after, depth) {
  if (KEYWORDS.has(name) && (depth === 0 || name === "on")) return "keyword";
  if (WORDS.has(name)) return "word";
  if (/^[A-Z][A-Z_0-9]*$/.test(name)) return "enum";
  if (/^[A-Z]/.test(name)) return "type";
  return /^\s*:/.test(after) ? "argument" : "field";
}

/** Yields [kind, text, index] of a JSON text. */
export function* jsonTokens(text) {
  for (const match of text.matchAll(JSON_TOKENS)) {
    const [[kind, value]] = Object.entries(match.groups).filter(([, found]) => found !== undefined);
    yield [kind, value, match.index];
  }
}

/** Returns the operations of a document: { kind, name, start }. */
export function operationsOf(text) {
  const found = [];
  let depth = 0;
  let waiting = null;
  for (const [kind, value, start] of graphqlTokens(text)) {
    if (depth === 0 && kind === "keyword" && value !== "on")
      waiting = value === "fragment" ? "fragment" : { kind: value, name: null, start };
    else if (depth === 0 && waiting?.kind && !waiting.name && /^[_A-Za-z]/.test(value)) waiting.name = value;
    if (value === "{" || value === "(") {
      if (depth === 0 && value === "{") {
        if (waiting !== "fragment") found.push(waiting ?? { kind: "query", name: null, start });
        waiting = null;
      }
      depth++;
    } else if (value === "}" || value === ")") depth--;
  }
  return found;
}

/** Returns nodes that show *text* in colours. */
export function coloured(text, tokens) {
  const nodes = [];
  let done = 0;
  for (const [kind, value, index] of tokens(text)) {
    if (index > done) nodes.push(text.slice(done, index));
    const span = document.createElement("span");
    span.className = `t-${kind}`;
    span.textContent = value;
    nodes.push(span);
    done = index + value.length;
  }
  nodes.push(text.slice(done));
  return nodes;
}
