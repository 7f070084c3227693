// graphql-http's audit of a server: one line of JSON for each of its rules.
import { auditServer } from 'graphql-http';

const [url, token] = process.argv.slice(2);
const fetchFn = (resource, init) =>
  fetch(resource, { ...init, headers: { ...init?.headers, authorization: `Bearer ${token}` } });

for (const { id, name, status, reason } of await auditServer({ url, fetchFn })) {
  console.log(JSON.stringify({ id, name, status, reason }));
}
