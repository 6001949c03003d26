/** Reads the rest of an unwanted response, up to a limit. Hot, and rare. */
import type { ResponseSink } from '../message.ts';

const MOST_BYTES = 64 * 1024;
const MOST_PARTS = 64;
/** Milliseconds to wait for each part. */
export const DISCARD_TIMEOUTS = { firstByte: 1000, idle: 1000, stream: 1000 };

export class Discarded implements ResponseSink {
  readonly #connection: { abort(): void };
  #bytes = 0;
  #parts = 0;

  /** `connection` carries the response; it is closed if the response is too long. */
  constructor(connection: { abort(): void }) {
    this.#connection = connection;
  }

  data(_: Buffer, start: number, end: number): boolean {
    this.#bytes += end - start;
    if (this.#bytes > MOST_BYTES || ++this.#parts > MOST_PARTS) this.#connection.abort();
    return true;
  }

  informational(): void {}
  head(): void {}
  end(): void {}
  flush(): void {}
  fail(): void {}
  switched(): void {}
}
