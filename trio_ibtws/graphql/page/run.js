// Runs an operation of the editor: one answer by POST, a stream over a websocket of its own.

import { post } from "./http.js";
import { GraphQLSocket } from "./socket.js";

/** Runs one after the other. `sink` has begin(kind), result(response), fault(message) and end(word). */
export class Runner {
  #token;
  #sink;
  #stop = null;
  #socket = null;

  constructor(token, sink) {
    this.#token = token;
    this.#sink = sink;
  }

  get running() {
    return this.#stop !== null;
  }

  run(operation, kind) {
    this.stop();
    this.#sink.begin(kind);
    if (kind === "subscription") this.#subscribe(operation);
    else this.#post(operation);
  }

  /** Stops what runs; TWS is told when the service has heard of it. */
  stop(word = "Stopped") {
    if (!this.#stop) return;
    this.#stop();
    this.#finish(word);
  }

  close() {
    this.stop();
    this.#socket?.close();
  }

  #finish(word) {
    this.#stop = null;
    this.#sink.end(word);
  }

  async #post(operation) {
    const aborter = new AbortController();
    const stop = () => aborter.abort();
    this.#stop = stop;
    try {
      const response = await post(this.#token, operation, aborter.signal);
      if (this.#stop !== stop) return;
      this.#sink.result(response);
      this.#finish("");
    } catch (error) {
      if (this.#stop !== stop) return;
      this.#sink.fault(error.message);
      this.#finish("");
    }
  }

  #subscribe(operation) {
    this.#socket ??= new GraphQLSocket(this.#token);
    this.#socket.open();
    this.#stop = this.#socket.subscribe(operation, {
      next: (response) => this.#sink.result(response),
      error: (errors) => {
        this.#sink.result({ errors });
        this.#finish("Ended with an error");
      },
      complete: () => this.#finish("Complete"),
      lost: () => this.#sink.fault("The connection is lost; the stream begins anew when it is back."),
    });
  }
}
