// The operations that were run, kept in this browser.

const KEY = "trio_ibtws.history";
const MOST = 40;

/** Returns what was run, the newest first: { query, variables, at }, both texts. */
export function loadHistory() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    if (Array.isArray(kept)) return kept.filter((one) => typeof one?.query === "string");
  } catch {
    // what is kept there is not ours: begin anew
  }
  return [];
}

export function remember(query, variables) {
  const others = loadHistory().filter((one) => one.query !== query || one.variables !== variables);
  localStorage.setItem(KEY, JSON.stringify([{ query, variables, at: Date.now() }, ...others].slice(0, MOST)));
}

export function forgetHistory() {
  localStorage.removeItem(KEY);
}
