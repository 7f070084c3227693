// One websocket that speaks graphql-transport-ws: it is watched, comes back by itself, and says when it is lost.

import { backoff } from "./backoff.js";
import { ENDPOINT } from "./http.js";

const PING_EVERY = 5_000;
const PONG_WITHIN = 5_000;
const ACK_WITHIN = 8_000;
const REFUSED = new Set([4401, 4403, 4429]);
// States: "connecting", "open", "waiting" (until `retryAt`), "refused" (the token), "closed" (by us).

/** Fires "state" when `state` changes. Operations survive a lost connection: they are asked for again. */
export class GraphQLSocket extends EventTarget {
  #token;
  #socket = null;
  #operations = new Map();
  #lastId = 0;
  #failures = 0;
  #timers = { retry: 0, watch: 0 };
  state = "closed";
  retryAt = 0;

  constructor(token) {
    super();
    this.#token = token;
  }

  get live() {
    return this.state === "open";
  }

  /** Connects, at once if it was waiting. */
  open() {
    if (this.state === "open" || this.state === "connecting") return;
    clearTimeout(this.#timers.retry);
    this.#become("connecting");
    const url = new URL(ENDPOINT);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url, "graphql-transport-ws");
    this.#socket = socket;
    socket.onopen = () => this.#send("connection_init", { payload: { authorization: `Bearer ${this.#token}` } });
    socket.onmessage = (event) => socket === this.#socket && this.#heard(JSON.parse(event.data));
    socket.onclose = (event) => socket === this.#socket && this.#lost(event);
    this.#watch(ACK_WITHIN);
  }

  /** Closes it for good. */
  close() {
    this.#drop();
    this.#become("closed");
  }

  /**
   * Starts an operation. `sink` has next(response), error(errors), complete(), and lost() for when the connection
   * breaks: it is asked for again when the connection is back. Returns a function that stops it.
   */
  subscribe(operation, sink) {
    const id = String(++this.#lastId);
    this.#operations.set(id, { operation, sink });
    if (this.live) this.#send("subscribe", { id, payload: operation });
    return () => {
      if (this.#operations.delete(id) && this.live) this.#send("complete", { id });
    };
  }

  #heard(message) {
    this.#watch(PING_EVERY);
    const running = this.#operations.get(message.id);
    switch (message.type) {
      case "connection_ack":
        return this.#opened();
      case "ping":
        return this.#send("pong");
      case "next":
        return running?.sink.next(message.payload);
      case "error":
        this.#operations.delete(message.id);
        return running?.sink.error(message.payload);
      case "complete":
        this.#operations.delete(message.id);
        return running?.sink.complete();
    }
  }

  #opened() {
    this.#failures = 0;
    this.#become("open");
    for (const [id, { operation }] of this.#operations) this.#send("subscribe", { id, payload: operation });
  }

  /** A connection that says nothing is pinged, and given up when that is not answered: TCP alone may take minutes. */
  #watch(within) {
    clearTimeout(this.#timers.watch);
    this.#timers.watch = setTimeout(() => {
      if (!this.live) return this.#lost({ code: 0 });
      this.#send("ping");
      this.#timers.watch = setTimeout(() => this.#lost({ code: 0 }), PONG_WITHIN);
    }, within);
  }

  #lost({ code }) {
    this.#drop();
    for (const { sink } of this.#operations.values()) sink.lost?.();
    if (REFUSED.has(code)) return this.#become("refused");
    const wait = backoff(this.#failures++);
    this.retryAt = Date.now() + wait;
    this.#timers.retry = setTimeout(() => this.open(), wait);
    this.#become("waiting");
  }

  #drop() {
    clearTimeout(this.#timers.watch);
    clearTimeout(this.#timers.retry);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #send(type, more = {}) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ ...more, type }));
  }

  #become(state) {
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}
