// graphql-sse's client in the distinct connections mode: a query, subscriptions, and what is refused.
import { createClient } from 'graphql-sse';

const [url, token] = process.argv.slice(2);
const client = createClient({ url, retryAttempts: 0, headers: { authorization: `Bearer ${token}` } });

async function collect(query, most = Infinity) {
  const results = [];
  for await (const result of client.iterate({ query })) {
    results.push(result);
    if (results.length >= most) break;
  }
  return results;
}

const strange = createClient({ url, retryAttempts: 0, headers: { authorization: 'Bearer wrong' } });
const forbidden = await new Promise((resolve) =>
  strange.subscribe({ query: '{ hello }' }, { next() {}, complete() {}, error: resolve }),
);
console.log(
  JSON.stringify({
    query: await collect('{ hello(name: "sse") }'),
    count: await collect('subscription { count(to: 3) { seq } }'),
    left: await collect('subscription { forever { seq } }', 2),
    refused: await collect('{ nothing }'),
    forbidden: forbidden.response.status,
  }),
);
client.dispose();
