/** Sends a body to one client as fast as that takes it. Hot. */
import type { ResponseWriter } from '../../http/interception.ts';
import type { BodySource } from '../../http/message.ts';
import { NOWHERE } from '../../kit/places.ts';
import type { GatewayError } from '../../kit/errors.ts';
import type { ReadableBody } from './body.ts';

export class BodyReader implements BodySource {
  readonly #writer: ResponseWriter;
  readonly #body: ReadableBody;
  /** Among a StreamingBody's readers. */
  place = NOWHERE;
  /** Of the next byte that it takes. */
  position: number;
  /** Up to where its client's connection holds none of the bytes any more. */
  left: number;
  readonly #end: number;
  #paused = false;
  #over = false;
  #pumping = false;
  /** The body is whole: what is there is all there is. */
  #whole: boolean;
  #trailers = '';

  /** Of the body's bytes [start, end). `whole`: they are all there. */
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

  /** Some of what it was given may not have left yet. */
  get paused(): boolean {
    return this.#paused;
  }

  /** The client can take more: all that it was given has left. */
  resume(): void {
    this.#paused = false;
    this.#leftAll();
    this.pump();
    if (!this.#over) this.#writer.flush();
  }

  /** Sends what is there. */
  pump(): void {
    // Writing may end a wait, whose end calls back here.
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

  /** What came in one go leaves in one go. */
  flush(): void {
    if (!this.#over) this.#writer.flush();
  }

  /** No more will come than is there. */
  complete(trailers: string): void {
    this.#whole = true;
    this.#trailers = trailers;
    this.pump();
  }

  /** What is there is not all, and never will be. */
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
