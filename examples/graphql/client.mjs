// Runs a request file against `trio-ibtws serve`, with nothing but Node.js 18 or newer: queries by POST, subscriptions
// as server-sent events. The same code works in a browser.
//
//   export TRIO_IBTWS_TOKEN=…        # as `trio-ibtws serve` prints it
//   node client.mjs historical_data.graphql symbol=IBM duration="1 W"
//   node client.mjs tick_by_tick.graphql --count 10

import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";

/** Yields the answer to a query or mutation, or the events of a subscription. */
async function* answers({ query, variables }, { url, token, signal }) {
  const answer = await fetch(url, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      accept: /^\s*subscription\b/m.test(query) ? "text/event-stream" : "application/graphql-response+json",
    },
    body: JSON.stringify({ query, variables }),
    signal,
  });
  if (!answer.headers.get("content-type").startsWith("text/event-stream")) return yield await answer.json();
  let text = "";
  for await (const bytes of answer.body.pipeThrough(new TextDecoderStream())) {
    text += bytes;
    const messages = text.split(/\r?\n\r?\n/);
    text = messages.pop();
    for (const message of messages) {
      const fields = Object.fromEntries(message.split(/\r?\n/).map((line) => line.split(/: ?(.*)/s, 2)));
      if (fields.event === "complete") return;
      if (fields.event === "next") yield JSON.parse(fields.data);
    }
  }
}

/** Returns the name and the value in NAME=VALUE: a JSON value, or a text as it stands. */
function variable(given) {
  const [name, value] = given.split(/=(.*)/s, 2);
  try {
    return [name, JSON.parse(value)];
  } catch {
    return [name, value];
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: "string", default: "http://127.0.0.1:8000/graphql" },
    token: { type: "string", default: process.env.TRIO_IBTWS_TOKEN ?? "" },
    count: { type: "string", default: "-1" },
  },
});
const [file, ...given] = positionals;
if (!file) {
  console.error("which request file?");
  process.exit(2);
}
const query = await readFile(file, "utf8");
const variables = Object.fromEntries(given.map(variable));
const aborter = new AbortController();
let left = Number(values.count);
for await (const { data, errors } of answers({ query, variables }, { ...values, signal: aborter.signal })) {
  if (errors) {
    console.error("refused:", ...errors.map((error) => error.message));
    process.exitCode = 1;
    break;
  }
  console.log(JSON.stringify(data));
  if (--left === 0) break;
}
aborter.abort(); // ends the subscription, at TWS too
