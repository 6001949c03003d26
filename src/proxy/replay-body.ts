/**
 * A request body on its way to the upstream, of which a copy is kept so that a further attempt can send it again. Hot for
 * the requests that need it: idempotent ones with a body.
 *
 * It stands between the client's stream and the upstream's connection. Beyond `limit` bytes the copy is dropped.
 */
import type { BodySink } from '../http/message.ts';

/** Where a request's body comes from: the client's stream, or what stands before it. */
export interface RequestBody {
  readBody(sink: BodySink): void;
  /** More may come. */
  resume(): void;
}

export class ReplayBody implements BodySink {
  readonly #body: RequestBody;
  readonly #limit: number;
  /** Who gets it now; null: nobody, between two attempts. */
  #sink: BodySink | null = null;
  /** null: dropped. */
  #kept: Buffer[] | null = [];
  #size = 0;
  /** Once the body is whole. */
  #trailers: string | null = null;
  #begun = false;

  constructor(body: RequestBody, limit: number) {
    this.#body = body;
    this.#limit = limit;
  }

  /** Is all that was sent still there? */
  get replayable(): boolean {
    return this.#kept !== null;
  }

  /** Sends the body there from its beginning. */
  sendTo(sink: BodySink): void {
    this.#sink = sink;
    if (!this.#begun) {
      this.#begun = true;
      this.#body.readBody(this);
      return;
    }
    // Bounded by the limit: more than the connection takes at once may be handed to it.
    for (const bytes of this.#kept ?? []) sink.data(bytes, 0, bytes.length);
    if (this.#trailers !== null) sink.end(this.#trailers);
    else this.#body.resume();
  }

  /** The attempt is over: what comes waits for the next. */
  detach(): void {
    this.#sink = null;
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    if (this.#kept !== null) {
      this.#size += end - start;
      // What comes between two attempts is one read's worth, and the next one can get it from nowhere else.
      if (this.#size <= this.#limit || this.#sink === null) this.#kept.push(Buffer.from(bytes.subarray(start, end)));
      else this.#kept = null;
    }
    return this.#sink !== null && this.#sink.data(bytes, start, end);
  }

  end(trailers: string): void {
    this.#trailers = trailers;
    this.#sink?.end(trailers);
  }

  fail(...[error]: Parameters<BodySink['fail']>): void {
    this.#sink?.fail(error);
  }
}
