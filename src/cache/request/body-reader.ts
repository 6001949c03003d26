/** Sends a body to one client at the client's pace. Hot. */
import type { ResponseWriter } from '../../http/interception.ts';
import type { Fields } from '../../http/fields.ts';
import type { BodySource } from '../../http/message.ts';
import { NOWHERE } from '../../kit/places.ts';
import type { GatewayError } from '../../kit/errors.ts';
import type { ReadableBody } from './body.ts';

export class BodyReader implements BodySource {
  readonly #writer: ResponseWriter;
  readonly #body: ReadableBody;
  /** Its place among a StreamingBody's readers. */
  place = NOWHERE;
  /** Position of the next byte to send. */
  position: number;
  /** Every byte before this position has left the client connection's buffers. */
  left: number;
  readonly #end: number;
  #paused = false;
  #over = false;
  #pumping = false;
  /** The body is complete: no more bytes will arrive. */
  #whole: boolean;
  #trailers: Fields | null = null;

  /** Sends the body's bytes [start, end). `whole`: the body is complete. */
  constructor(writer: ResponseWriter, body: ReadableBody, start: number, end: number, whole: boolean) {
    this.#writer = writer;
    this.#body = body;
    this.position = start;
    this.left = start;
    this.#end = end;
    this.#whole = whole;
  }

  pause(): void {
    this.#paused = true;
  }

  /** Some of the bytes may still be in the connection's buffers. */
  get paused(): boolean {
    return this.#paused;
  }

  /** The client can take more: the connection's buffers are empty. */
  resume(): void {
    this.#paused = false;
    this.#leftAll();
    this.pump();
    if (!this.#over) this.#writer.flush();
  }

  /** Sends the available bytes. */
  pump(): void {
    // A write may call back here.
    if (this.#pumping) return;
    this.#pumping = true;
    while (!this.#paused && !this.#over && this.position < this.#end) {
      const piece = this.#body.piece(this.position);
      if (piece === null) break;
      const size = Math.min(piece.length, this.#end - this.position);
      this.position += size;
      if (this.#writer.data(piece, 0, size)) this.#leftAll();
      else this.#paused = true;
    }
    this.#pumping = false;
    const all = this.position >= this.#end || (this.#whole && this.#body.piece(this.position) === null);
    if (all && !this.#over) this.#finish();
  }

  #leftAll(): void {
    this.left = this.position;
    if (!this.#over) this.#body.readTo(this, this.position);
  }

  /** Sends what arrived in one read in one write. */
  flush(): void {
    if (!this.#over) this.#writer.flush();
  }

  /** The body is complete. */
  complete(trailers: Fields | null): void {
    this.#whole = true;
    this.#trailers = trailers;
    this.pump();
  }

  /** The body broke off. */
  fail(error: GatewayError): void {
    if (this.#over) return;
    this.stop();
    this.#writer.fail(error);
  }

  /** The client is gone. */
  stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#body.leave(this);
  }

  #finish(): void {
    this.stop();
    this.#writer.end(this.#trailers);
  }
}
