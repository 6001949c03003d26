/**
 * A whole request body in memory, read before an endpoint is chosen. Hot for the requests of routes that buffer.
 *
 *     reading ──▶ complete: readBody sends it, as often as it is asked to
 *        └──────▶ refused: it is larger than allowed, or the gateway's memory for bodies is full
 *
 * While it reads, it is the sink of the client's stream. Complete, it is the source of the request body for the upstream.
 * The bytes are copied into blocks, so that a client that sends them one by one occupies no more memory than others.
 */
import { Fields } from '../http/fields.ts';
import type { Exchange } from '../http/exchange.ts';
import { EXPECT, TRANSFER_ENCODING } from '../http/known.ts';
import type { LocalReply } from '../http/local-reply.ts';
import { type BodySink, HTTP_1_0, UNKNOWN_LENGTH } from '../http/message.ts';
import type { ServerStream } from '../http/server-stream.ts';
import { BODY_TOO_LARGE, BUFFERS_FULL, type GatewayError } from '../kit/errors.ts';
import { problem } from './local-replies.ts';
import type { RequestBody } from './replay-body.ts';

/** Sizes of blocks in bytes: the first of a body of unknown length, and the largest. */
const FIRST_BLOCK = 4096;
const LARGEST_BLOCK = 65_536;

/** The memory for request bodies of the whole gateway. */
export class BufferMemory {
  /** Bytes; 0: no limit. */
  limit = 0;
  /** Bytes in use. */
  used = 0;

  /** Returns false if that is more than is left. */
  take(bytes: number): boolean {
    if (this.limit > 0 && this.used + bytes > this.limit) return false;
    this.used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.used -= bytes;
  }
}

export class BufferedBody implements BodySink, RequestBody {
  /** It can be read again from its start. */
  readonly repeatable = true;
  readonly #memory: BufferMemory;
  readonly #limit: number;
  /** Called once, unless the body fails; null: it is complete. Then null here. */
  #done: ((error: GatewayError | null) => void) | null;
  /** Bytes of the announced length that no block has been made for. */
  #expected: number;
  #blocks: Buffer[] = [];
  /** Bytes left in the last block. */
  #free = 0;
  #taken = 0;
  #size = 0;
  #trailers: Fields | null = null;
  #sink: BodySink | null = null;
  #next = 0;
  /** Counts the readings, since a sink may begin another within a call. */
  #reading = 0;
  #paused = false;

  /** `length`: as announced, or UNKNOWN_LENGTH. `limit`: bytes. */
  constructor(memory: BufferMemory, length: number, limit: number, done: (error: GatewayError | null) => void) {
    this.#memory = memory;
    this.#expected = Math.max(0, length);
    this.#limit = limit;
    this.#done = done;
  }

  /** Bytes that have arrived. */
  get size(): number {
    return this.#size;
  }

  // === reading (BodySink)

  data(bytes: Buffer, start: number, end: number): boolean {
    if (this.#done === null) return false;
    this.#size += end - start;
    if (this.#size > this.#limit) return this.#refuse(BODY_TOO_LARGE);
    for (let at = start; at < end; ) {
      if (this.#free === 0 && !this.#grow()) return this.#refuse(BUFFERS_FULL);
      const block = this.#blocks.at(-1)!;
      const copied = bytes.copy(block, block.length - this.#free, at, Math.min(end, at + this.#free));
      this.#free -= copied;
      at += copied;
    }
    return true;
  }

  #grow(): boolean {
    const last = this.#blocks.at(-1);
    const wanted = this.#expected > 0 ? this.#expected : last === undefined ? FIRST_BLOCK : 2 * last.length;
    const size = Math.min(wanted, LARGEST_BLOCK);
    if (!this.#memory.take(size)) return false;
    this.#taken += size;
    this.#expected = Math.max(0, this.#expected - size);
    this.#free = size;
    this.#blocks.push(Buffer.allocUnsafeSlow(size));
    return true;
  }

  #refuse(error: GatewayError): boolean {
    const done = this.#done!;
    this.dispose();
    done(error);
    return false;
  }

  end(trailers: Fields | null): void {
    const done = this.#done;
    if (done === null) return;
    this.#done = null;
    this.#trailers = trailers;
    done(null);
  }

  fail(): void {
    this.dispose();
  }

  flush(): void {}

  // === sending (RequestBody)

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
    while (this.#next < this.#blocks.length) {
      const block = this.#blocks[this.#next++]!;
      const last = this.#next === this.#blocks.length;
      const ready = sink.data(block, 0, last ? block.length - this.#free : block.length);
      if (reading !== this.#reading) return;
      if (!last && (!ready || this.#paused)) return;
    }
    this.#sink = null;
    sink.flush();
    sink.end(this.#trailers);
  }

  /** The exchange is over: the memory is free again. */
  dispose(): void {
    this.#done = null;
    this.#reading++;
    this.#sink = null;
    this.#blocks = [];
    this.#memory.give(this.#taken);
    this.#taken = 0;
  }
}

/**
 * Reads the request's body. `done` gets the reply that refuses the request, or undefined when the body is complete; it is
 * not called if the client leaves first.
 */
export function bufferedBody(
  x: Exchange,
  stream: ServerStream,
  memory: BufferMemory,
  limit: number,
  done: (refusal: LocalReply | undefined) => void,
): BufferedBody {
  const body = new BufferedBody(memory, x.bodyLength, limit, (error) => {
    if (error === null) knowLength(x, body.size);
    done(error === null ? undefined : bodyRefused(x, error));
  });
  // RFC 9110 §10.1.1: no backend is asked before the body is there, so the gateway sends the 100.
  if (x.version !== HTTP_1_0 && x.fields.has(EXPECT)) stream.informational(100, 'Continue', new Fields());
  stream.readBody(body);
  return body;
}

export function bodyRefused(x: Exchange, error: GatewayError): LocalReply {
  x.error = error.code;
  return problem(error.status);
}

function knowLength(x: Exchange, size: number): void {
  if (x.bodyLength === UNKNOWN_LENGTH) {
    x.bodyLength = size;
    x.fields.removeAll(1 << TRANSFER_ENCODING);
    x.fields.set('Content-Length', String(size));
  }
  x.fields.removeAll(1 << EXPECT);
}
