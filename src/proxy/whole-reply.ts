/** The body of a complete reply that passes body filters. Hot where there are body filters. */
import type { BodySource } from '../http/message.ts';
import type { RespondingExchange } from './responding-exchange.ts';

/** Bytes that the first filter gets at a time. */
const PIECE = 64 * 1024;

/** Gives a body in memory to the filters, at their pace and the client's. */
export class WholeReply implements BodySource {
  readonly #taker: RespondingExchange;
  readonly #body: Buffer;
  #position = 0;
  #paused = false;
  #sending = false;
  #ended = false;

  constructor(taker: RespondingExchange, body: Buffer) {
    this.#taker = taker;
    this.#body = body;
  }

  send(): void {
    // A filter may resume it within a call.
    if (this.#sending || this.#ended) return;
    this.#sending = true;
    while (!this.#paused && this.#position < this.#body.length && !this.#taker.over) {
      const start = this.#position;
      this.#position = Math.min(start + PIECE, this.#body.length);
      if (!this.#taker.data(this.#body, start, this.#position)) this.#paused = true;
    }
    this.#sending = false;
    if (this.#position < this.#body.length || this.#taker.over) return;
    this.#ended = true;
    this.#taker.endResponse(null);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.send();
  }
}
