/** Bodies of the suite: what sends them, part by part, and what receives them, at its own pace. */
import type { GatewayError } from '../../../src/kit/errors.ts';
import type { Random } from '../../../src/kit/random.ts';
import { Fields } from '../../../src/http/fields.ts';
import type { BodySink, BodySource } from '../../../src/http/message.ts';
import type { Turns } from './wire.ts';

export type Pairs = readonly (readonly [name: string, value: string])[];

export interface BodySpec {
  /** Bytes. */
  readonly size: number;
  /** The length is said in the head. */
  readonly known: boolean;
  readonly trailers?: Pairs;
}

/** Bytes that look like the parts of a message here and there. */
export function bytesOf(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >> 8) * 7) & 0xff;
  const marks = '\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n';
  for (let at = 10; at + marks.length < size; at += 997) bytes.write(marks, at, 'latin1');
  return bytes;
}

export function pairsOf(fields: Fields): [string, string][] {
  const pairs: [string, string][] = [];
  fields.forEach((name, value) => pairs.push([name.toLowerCase(), value]));
  return pairs;
}

const POISON = 0xee;

/** Sends a body to a sink, in parts of any size, and stops where the sink says so. */
export class Sender implements BodySource {
  /** Bytes that the sink has got. */
  sent = 0;
  paused = false;
  ended = false;
  /** Sends no more than this; the rest never comes. */
  most = Number.POSITIVE_INFINITY;
  readonly #turns: Turns;
  readonly #bytes: Buffer;
  readonly #trailers: Pairs;
  readonly #largest: number;
  #sink: BodySink | null = null;
  #due = false;
  #stopped = false;
  /** The last part, whose memory the sink still uses. */
  #held: Buffer | null = null;

  constructor(turns: Turns, { size, trailers = [] }: BodySpec) {
    this.#turns = turns;
    this.#bytes = bytesOf(size);
    this.#trailers = trailers;
    this.#largest = [1, 300, 20_000, 65_536][Math.floor(turns.random() * 4)]!;
    if (size > 20_000) this.#largest = Math.max(this.#largest, 2000);
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.#later();
  }

  stop(): void {
    this.#stopped = true;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.#held?.fill(POISON);
    this.#held = null;
    this.#later();
  }

  #later(): void {
    if (this.#due) return;
    this.#due = true;
    this.#turns.soon(() => {
      this.#due = false;
      this.#part();
    });
  }

  #part(): void {
    if (this.#stopped || this.paused || this.ended || this.#sink === null) return;
    const size = Math.min(
      this.#bytes.length - this.sent,
      this.most - this.sent,
      1 + Math.floor(this.#turns.random() * this.#largest),
    );
    if (size > 0) {
      const part = Buffer.concat([Buffer.from('xx'), this.#bytes.subarray(this.sent, this.sent + size)]);
      this.sent += size;
      if (this.#sink.data(part, 2, part.length)) part.fill(POISON);
      else {
        this.paused = true;
        this.#held = part;
      }
      if (this.#stopped) return;
    }
    if (this.sent < this.#bytes.length) {
      this.#sink.flush();
      if (this.sent < this.most) this.#later();
      return;
    }
    this.ended = true;
    this.#sink.end(this.#trailers.length === 0 ? null : Fields.of(this.#trailers));
  }
}

/** Receives a body. A slow one often asks its source to wait. */
export class Receiver implements BodySink {
  bytes = 0;
  ends = 0;
  failed: GatewayError | null = null;
  trailers: [string, string][] | null = null;
  source: BodySource | null = null;
  /** 0: takes all at once; 1: asks for a pause after each part. */
  slowness = 0;
  /** It takes nothing any more: it has asked for a pause, and never resumes. */
  stuck = false;
  readonly #turns: Turns;
  readonly #parts: Buffer[] = [];
  readonly random: Random;
  /** Parts that it has yet to take. */
  #waiting = 0;

  constructor(turns: Turns) {
    this.#turns = turns;
    this.random = turns.random;
  }

  /** The exchange is over: memory that a source has lent is no longer valid. */
  get released(): boolean {
    return false;
  }

  /** It has got the end, or knows that none will come. */
  get over(): boolean {
    return this.ends > 0 || this.failed !== null;
  }

  get content(): Buffer {
    return Buffer.concat(this.#parts);
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    if (this.over) throw new Error('data after the end');
    this.bytes += end - start;
    if (!this.stuck && this.random() >= this.slowness) {
      this.#parts.push(Buffer.from(bytes.subarray(start, end)));
      return true;
    }
    // The bytes stay valid until the source is told to go on.
    const at = this.#parts.push(Buffer.alloc(0)) - 1;
    this.#waiting++;
    const take = (): void => {
      if (this.released) return;
      this.#parts[at] = Buffer.from(bytes.subarray(start, end));
      if (--this.#waiting === 0) this.source?.resume();
    };
    if (!this.stuck) this.#turns.soon(take);
    return false;
  }

  end(trailers: Fields | null): void {
    if (this.over) throw new Error('a second end');
    this.ends++;
    this.trailers = trailers === null ? null : pairsOf(trailers);
  }

  fail(error: GatewayError): void {
    if (this.over) throw new Error('a failure after the end');
    this.failed = error;
  }

  flush(): void {}
}
