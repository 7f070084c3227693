// graphql-ws's client: a query, a subscription to its end, one that is left early, and what is refused.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, token] = process.argv.slice(2);
const connect = (authorization) =>
  createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0, connectionParams: { authorization } });
const client = connect(`Bearer ${token}`);

async function collect(query, most = Infinity) {
  const results = [];
  for await (const result of client.iterate({ query })) {
    results.push(result);
    if (results.length >= most) break;
  }
  return results;
}

const refused = await collect('{ nothing }').catch((errors) => errors);
const forbidden = await new Promise((resolve) =>
  connect('Bearer wrong').subscribe({ query: '{ hello }' }, { next() {}, complete() {}, error: resolve }),
);
console.log(
  JSON.stringify({
    query: await collect('{ hello(name: "ws") }'),
    count: await collect('subscription { count(to: 3) { seq } }'),
    left: await collect('subscription { forever { seq } }', 2),
    refused,
    forbidden: forbidden.code,
  }),
);
await client.dispose();
