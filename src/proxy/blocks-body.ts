/** A body in memory, sent as often as it is asked for, at the pace of its sink. Hot for the requests with such a body. */
import type { Fields } from '../http/fields.ts';
import type { BodySink } from '../http/message.ts';
import type { ByteBlocks } from '../kit/byte-blocks.ts';
import type { RequestBody } from './replay-body.ts';

export class BlocksBody implements RequestBody {
  /** It can be read again from its start. */
  readonly repeatable = true;
  readonly #content: ByteBlocks;
  readonly #trailers: Fields | null;
  #sink: BodySink | null = null;
  #next = 0;
  /** Counts the readings, since a sink may begin another within a call. */
  #reading = 0;
  #paused = false;

  constructor(content: ByteBlocks, trailers: Fields | null) {
    this.#content = content;
    this.#trailers = trailers;
  }

  readBody(sink: BodySink): void {
    this.#reading++;
    this.#sink = sink;
    this.#next = 0;
    this.resume();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    const reading = this.#reading;
    const sink = this.#sink;
    if (sink === null) return;
    const content = this.#content;
    while (this.#next < content.count) {
      const block = content.block(this.#next++);
      const ready = sink.data(block, 0, block.length);
      if (reading !== this.#reading) return;
      if (this.#next < content.count && (!ready || this.#paused)) return;
    }
    this.#sink = null;
    sink.flush();
    sink.end(this.#trailers);
  }

  /** Sends nothing more. */
  stop(): void {
    this.#reading++;
    this.#sink = null;
  }
}
