/**
 * A request body on its way to the upstream, buffered so that a further attempt can replay it. Hot for the requests
 * that may be repeated and have a body.
 *
 * It stands between the client's stream and the upstream's connection. A body of more than `limit` bytes is no longer
 * buffered.
 */
import type { Fields } from '../http/fields.ts';
import type { BodySink, BodySource } from '../http/message.ts';
import { ByteBlocks } from '../kit/byte-blocks.ts';

/** The source of a request body: the client's stream, or a filter in front of it. */
export interface RequestBody extends BodySource {
  /** Sends the body to `sink` from now on. */
  readBody(sink: BodySink): void;
  /** The whole body is in memory: each call of `readBody` sends it from its start. Absent: no. */
  readonly repeatable?: boolean;
}

export class ReplayBody implements BodySink {
  readonly #body: RequestBody;
  readonly #limit: number;
  /** The current receiver; null between two attempts. */
  #sink: BodySink | null = null;
  /** null: the buffer was dropped. */
  #kept: ByteBlocks | null;
  #complete = false;
  #trailers: Fields | null = null;
  #begun = false;

  /** `length`: as announced, or UNKNOWN_LENGTH. */
  constructor(body: RequestBody, length: number, limit: number) {
    this.#body = body;
    this.#limit = limit;
    this.#kept = new ByteBlocks(length);
  }

  /** Is everything that was sent still buffered? */
  get replayable(): boolean {
    return this.#kept !== null;
  }

  /** Sends the body there from the start. */
  sendTo(sink: BodySink): void {
    this.#sink = sink;
    if (!this.#begun) {
      this.#begun = true;
      this.#body.readBody(this);
      return;
    }
    // The limit bounds it: this may exceed the connection's flow control.
    const kept = this.#kept;
    const count = kept?.count ?? 0;
    for (let i = 0; i < count; i++) {
      const bytes = kept!.block(i);
      sink.data(bytes, 0, bytes.length);
    }
    if (this.#complete) sink.end(this.#trailers);
    else this.#body.resume();
  }

  /** The attempt is over: further data waits for the next one. */
  detach(): void {
    this.#sink = null;
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    if (this.#kept !== null) {
      const size = this.#kept.size + end - start;
      // Between two attempts at most one read's worth arrives, and the next attempt has no other source for it.
      if (size <= this.#limit || this.#sink === null) this.#kept.append(bytes, start, end);
      else this.#kept = null;
    }
    return this.#sink !== null && this.#sink.data(bytes, start, end);
  }

  end(trailers: Fields | null): void {
    this.#complete = true;
    this.#trailers = trailers;
    this.#sink?.end(trailers);
  }

  fail(...[error]: Parameters<BodySink['fail']>): void {
    this.#sink?.fail(error);
  }

  flush(): void {
    this.#sink?.flush();
  }
}
