// Queries and mutations: one POST each.

/** The service refuses the token. */
export class Unauthorized extends Error {}

/** The service could not be reached, or what answered is not GraphQL. */
export class Unreachable extends Error {}

/** Fires "refused" each time. */
export const refusals = new EventTarget();

export const ENDPOINT = new URL("graphql", document.baseURI);

const ATTEMPTS = 4;

/** Sends one operation; returns the GraphQL response, errors and all. */
export async function post(token, operation, signal) {
  return readResponse(await send(token, operation, signal));
}

async function send(token, { query, variables, operationName }, signal) {
  const headers = {
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
    accept: "application/json", // errors of GraphQL are then no errors of HTTP, which browsers log
  };
  const body = JSON.stringify({ query, variables, operationName });
  let answer;
  try {
    answer = await fetch(ENDPOINT, { method: "POST", headers, body, signal, cache: "no-store", credentials: "omit" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unreachable("The service cannot be reached.");
  }
  if (answer.status === 401) {
    refusals.dispatchEvent(new Event("refused"));
    throw new Unauthorized("The service does not know this token.");
  }
  return answer;
}

async function readResponse(answer) {
  const text = await answer.text();
  try {
    const response = JSON.parse(text);
    if (response && typeof response === "object" && ("data" in response || "errors" in response)) return response;
  } catch {
    // not JSON: said below, with the status, which tells more than a parser's complaint
  }
  const said = text.trim().slice(0, 200);
  throw new Unreachable(`The service answered ${answer.status} ${answer.statusText}${said ? `: ${said}` : "."}`);
}

/** Asks a query; returns its data, and throws what is wrong with it. A service that is too busy is asked again. */
export async function ask(token, query, variables) {
  let answer = await send(token, { query, variables });
  for (let attempt = 1; answer.status === 429 && attempt < ATTEMPTS; attempt++) {
    const seconds = Number(answer.headers.get("retry-after")) || 1;
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000 * (attempt + Math.random())));
    answer = await send(token, { query, variables });
  }
  const { data, errors } = await readResponse(answer);
  if (errors?.length) throw new Error(errors.map(describe).join(" · "));
  return data;
}

/** One line for a GraphQL error: its message, and TWS's code where it has one. */
export function describe(error) {
  const code = error.extensions?.twsCode;
  return code && !error.message.includes(code) ? `${error.message} (TWS ${code})` : error.message;
}
