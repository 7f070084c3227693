// One subscription of the board, kept alive: it tells what it knows, what went wrong, and asks again after a while.

import { backoff } from "./backoff.js";
import { describe } from "./http.js";

const LET_GO = 1_500; // a line at TWS that several share is closed when the last of them has let go of it
const SETTLED = 10_000; // a stream that has lived so long counts as well again

/** Keeps a subscription open at *service*. `take(data)` has each event, `changed()` is called when `state` changes. */
export class Feed {
  #service;
  #operation;
  #take;
  #changed;
  #stop = () => {};
  #retry = 0;
  #failures = 0;
  #startedAt = 0;
  state = "waiting"; // "waiting" for the first event, "live", "lost" (the connection), "failed" (this stream)
  error = "";
  heardAt = 0;

  constructor(service, query, variables, take, changed = () => {}) {
    this.#service = service;
    this.#operation = { query, variables };
    this.#take = take;
    this.#changed = changed;
    service.addEventListener("anew", this.#anew);
    this.#start();
  }

  /** Whether what it told last is still being kept up to date. */
  get live() {
    return this.state === "live" && this.#service.live;
  }

  /** Why it is not. */
  get trouble() {
    return this.error || this.#service.trouble || "It is asked for again.";
  }

  stop() {
    this.#service.removeEventListener("anew", this.#anew);
    this.#end();
  }

  #anew = () => {
    this.#end();
    this.#become("lost", "");
    this.#retry = setTimeout(() => this.#start(), LET_GO);
  };

  #end() {
    clearTimeout(this.#retry);
    this.#stop();
  }

  #start() {
    this.#startedAt = Date.now();
    this.#stop = this.#service.socket.subscribe(this.#operation, {
      next: (response) => this.#next(response),
      error: (errors) => this.#failed(errors.map(describe).join(" · ")),
      complete: () => this.#failed(this.state === "failed" ? this.error : "The stream has ended."),
      lost: () => this.#become("lost", ""),
    });
  }

  #next({ data, errors }) {
    if (errors?.length && !data) return this.#become("failed", errors.map(describe).join(" · "));
    this.heardAt = Date.now();
    this.#become("live", "");
    this.#take(data);
  }

  #failed(why) {
    this.#become("failed", why);
    if (Date.now() - this.#startedAt > SETTLED) this.#failures = 0;
    this.#retry = setTimeout(() => this.#start(), 4 * backoff(this.#failures++));
  }

  #become(state, error) {
    if (this.state === state && this.error === error) return;
    this.state = state;
    this.error = error;
    this.#changed();
  }
}
