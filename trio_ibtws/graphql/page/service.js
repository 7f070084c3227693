// The service as the board sees it: the socket to it, and what it tells of its own connection to TWS and IB.

import { NOTICES } from "./operations.js";
import { GraphQLSocket } from "./socket.js";

// TWS's messages about its line to IB's servers.
const BROKEN = new Set([1100, 2110]);
const RESTORED = new Set([1101, 1102]);
const DATA_LOST = 1101; // subscriptions are gone at TWS, and no error says so to each

/** `token`, `socket`; fires "state" when `live` may have changed, and "anew" when streams must be asked for again. */
export class Service extends EventTarget {
  #away = "";
  #stop = () => {};

  constructor(token) {
    super();
    this.token = token;
    this.socket = new GraphQLSocket(token);
    this.socket.addEventListener("state", () => this.dispatchEvent(new Event("state")));
    this.#listen();
  }

  /** Whether what streams say is so now. */
  get live() {
    return this.socket.live && !this.#away;
  }

  /** Why it is not. */
  get trouble() {
    if (!this.socket.live) return "The connection to the service is lost.";
    return this.#away;
  }

  close() {
    this.#stop();
    this.socket.close();
  }

  #listen() {
    this.#stop = this.socket.subscribe(
      { query: NOTICES },
      {
        next: ({ data }) => data?.notices && this.#heard(data.notices),
        error: () => {}, // without notices the streams still say by themselves when they end
        complete: () => {},
        lost: () => this.#become(""),
      },
    );
  }

  #heard({ code, message }) {
    if (BROKEN.has(code)) this.#become(message);
    else if (RESTORED.has(code)) this.#become("");
    if (code === DATA_LOST) this.dispatchEvent(new Event("anew"));
  }

  #become(away) {
    if (this.#away === away) return;
    this.#away = away;
    this.dispatchEvent(new Event("state"));
  }
}
