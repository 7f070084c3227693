// Where the bearer token is kept: in this tab's sessionStorage, gone with the tab, never in an address that is sent.

const KEY = "trio_ibtws.token";

/** Takes `#token=…` out of the address bar, and returns the token that this tab knows, or null. */
export function knownToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    history.replaceState(null, "", location.pathname + location.search);
    keepToken(given);
  }
  return sessionStorage.getItem(KEY);
}

export function keepToken(token) {
  sessionStorage.setItem(KEY, token);
}

export function forgetToken() {
  sessionStorage.removeItem(KEY);
}
