// graphql-js reads the whole schema by introspection, validates it, and the name of each root type's first field.
import { buildClientSchema, getIntrospectionQuery, validateSchema } from 'graphql';

const [url, token] = process.argv.slice(2);
const query = getIntrospectionQuery({
  specifiedByUrl: true,
  directiveIsRepeatable: true,
  schemaDescription: true,
  inputValueDeprecation: true,
});
const answer = await fetch(url, {
  method: 'POST',
  headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  body: JSON.stringify({ query }),
});
const { data, errors } = await answer.json();
const schema = errors ? null : buildClientSchema(data);
console.log(
  JSON.stringify({
    errors: errors ?? validateSchema(schema).map(String),
    types: schema && Object.keys(schema.getTypeMap()).length,
  }),
);
