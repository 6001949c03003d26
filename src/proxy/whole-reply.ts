/** Complete responses that pass body filters, and the end of such a chain. Hot where there are body filters. */
import type { Fields } from '../http/fields.ts';
import type { BodySink, BodySource } from '../http/message.ts';
import type { GatewayError } from '../kit/errors.ts';
import type { RequestHandler } from './request-handler.ts';

/** Bytes that the first filter gets at a time. */
const PIECE = 64 * 1024;

/** Gives a body in memory to the handler, at the pace of the filters and the client. */
export class WholeReply implements BodySource {
  readonly #handler: RequestHandler;
  readonly #body: Buffer;
  #position = 0;
  #paused = false;
  #sending = false;
  #ended = false;

  constructor(handler: RequestHandler, body: Buffer) {
    this.#handler = handler;
    this.#body = body;
  }

  send(): void {
    // A filter may resume it within a call.
    if (this.#sending || this.#ended) return;
    this.#sending = true;
    while (!this.#paused && this.#position < this.#body.length && !this.#handler.over) {
      const start = this.#position;
      this.#position = Math.min(start + PIECE, this.#body.length);
      if (!this.#handler.data(this.#body, start, this.#position)) this.#paused = true;
    }
    this.#sending = false;
    if (this.#position < this.#body.length || this.#handler.over) return;
    this.#ended = true;
    this.#handler.endResponse(null);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.send();
  }
}

/** Behind the last filter: the client's stream. */
export class ResponseEnd implements BodySink {
  readonly #handler: RequestHandler;

  constructor(handler: RequestHandler) {
    this.#handler = handler;
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    return this.#handler.stream.data(bytes, start, end);
  }

  flush(): void {
    this.#handler.stream.flush();
  }

  end(trailers: Fields | null): void {
    this.#handler.settle();
    this.#handler.stream.end(trailers);
  }

  fail(error: GatewayError): void {
    this.#handler.refuse(error);
  }
}
