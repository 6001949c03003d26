/**
 * A response body that streams to all its readers and to the store. Hot.
 *
 * While it may still be stored, all of it is buffered, and no reader slows it down: a slow client does not delay the
 * others. A body that grows too large is no longer collected; from then on only a window of it is buffered, and the
 * slowest reader sets the pace, as without a cache.
 */
import type { Fields } from '../../http/fields.ts';
import type { BodySource } from '../../http/message.ts';
import type { GatewayError } from '../../kit/errors.ts';
import { NOWHERE, Places } from '../../kit/places.ts';
import { release } from '../../kit/release.ts';
import type { ReadableBody } from './body.ts';
import type { BodyReader } from './body-reader.ts';

/** Bytes to buffer for the slowest reader of a body that is not collected. */
const WINDOW = 256 * 1024;
const SMALLEST_CHUNK = 4 * 1024;
const LARGEST_CHUNK = 256 * 1024;

/** Accounts for the bytes of bodies in progress. */
export interface BodyMemory {
  /** Reserves bytes; false: there is no room for them. */
  reserve(bytes: number): boolean;
  release(bytes: number): void;
}

export class StreamingBody implements ReadableBody {
  /** All of it is buffered so far. */
  collecting = true;
  /** Bytes received. */
  size = 0;
  readonly #memory: BodyMemory;
  /** Size limit of a stored body. */
  readonly #limit: number;
  /** Expected size; -1: unknown. */
  readonly #expected: number;
  readonly #source: BodySource;
  readonly #readers = new Places<BodyReader>();
  /** Each chunk but the last is full; the last has `#used` bytes. */
  #chunks: Buffer[] = [];
  #used = 0;
  /** Position of the first chunk's first byte. */
  #base = 0;
  #reserved = 0;
  #held = false;
  /** A client that has left or is slow may still reference some of the chunks. */
  #lent = false;
  /** `taken` returned the only chunk itself. */
  #given = false;
  /** The body has ended: no new reader will join. */
  #over = false;

  constructor(memory: BodyMemory, limit: number, expected: number, source: BodySource) {
    this.#memory = memory;
    this.#limit = limit;
    this.#expected = expected;
    this.#source = source;
  }

  /** Bytes still to be received, as far as known. */
  get missing(): number {
    return this.#expected < 0 ? 0 : this.#expected - this.size;
  }

  join(reader: BodyReader): void {
    reader.place = this.#readers.enter(reader);
  }

  // === input

  /** false: pause until the source is resumed. */
  add(bytes: Buffer, start: number, end: number): boolean {
    this.#keep(bytes, start, end);
    this.size += end - start;
    if (this.collecting && this.size > this.#limit) this.giveUp();
    for (let i = 0; i < this.#readers.length; i++) this.#readers.at(i)?.pump();
    if (this.collecting || this.#waiting <= WINDOW) return true;
    this.#held = true;
    return false;
  }

  flush(): void {
    for (let i = 0; i < this.#readers.length; i++) this.#readers.at(i)?.flush();
  }

  /** The body is complete. */
  complete(trailers: Fields | null): void {
    this.#over = true;
    for (let i = 0; i < this.#readers.length; i++) this.#readers.at(i)?.complete(trailers);
    if (this.#readers.size === 0) this.#free();
    this.#unreserve();
  }

  /** The body broke off. */
  fail(error: GatewayError): void {
    this.collecting = false;
    for (const reader of this.#readers) reader.fail(error);
    this.discard();
  }

  /** Stops collecting it for the store: from now on it uses no more memory than without a cache. */
  giveUp(): void {
    this.collecting = false;
    this.#unreserve();
    this.#drop();
  }

  /** Are the bytes from `taken` referenced by the caller alone? */
  get own(): boolean {
    return !this.#given || (this.#readers.size === 0 && !this.#lent);
  }

  /** The whole body, if it was collected. The caller accounts for its bytes from now on. */
  taken(): Buffer {
    const chunks = this.#chunks;
    const last = chunks.length - 1;
    const bytes =
      last < 0
        ? Buffer.alloc(0)
        : last === 0 && this.#used === chunks[0]!.length
          ? chunks[0]!
          : Buffer.concat([...chunks.slice(0, last), chunks[last]!.subarray(0, this.#used)], this.size);
    this.#unreserve();
    this.#given = bytes === chunks[0];
    this.#over = true;
    if (this.#readers.size === 0) this.#free();
    return bytes;
  }

  /** The buffered bytes are not needed. */
  discard(): void {
    this.#over = true;
    this.#free();
    this.#unreserve();
  }

  /** No new reader will join. */
  #free(): void {
    if (!this.#lent && !this.#given && this.#readers.size === 0) this.#chunks.forEach(release);
    this.#chunks = [];
  }

  #unreserve(): void {
    this.#memory.release(this.#reserved);
    this.#reserved = 0;
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    for (let at = start; at < end; ) {
      let last = this.#chunks[this.#chunks.length - 1];
      if (last === undefined || this.#used === last.length) {
        last = this.#chunk(end - at);
        this.#chunks.push(last);
        this.#used = 0;
      }
      const size = Math.min(end - at, last.length - this.#used);
      bytes.copy(last, this.#used, at, at + size);
      this.#used += size;
      at += size;
    }
  }

  /** Allocates the next chunk: the expected rest, if known, or else as much as was received so far. */
  #chunk(needed: number): Buffer {
    const missing = this.#expected - this.size;
    const wanted = this.#expected >= 0 && missing <= LARGEST_CHUNK ? missing : Math.max(SMALLEST_CHUNK, this.size);
    const size = Math.max(needed, Math.min(wanted, LARGEST_CHUNK));
    if (this.collecting && !this.#memory.reserve(size)) this.giveUp();
    else if (this.collecting) this.#reserved += size;
    return Buffer.allocUnsafeSlow(size);
  }

  // === readers (ReadableBody)

  piece(position: number): Buffer | null {
    if (position >= this.size) return null;
    let from = this.#base;
    for (const chunk of this.#chunks) {
      const isLast = chunk === this.#chunks[this.#chunks.length - 1];
      const length = isLast ? this.#used : chunk.length;
      if (position < from + length) return chunk.subarray(position - from, length);
      from += length;
    }
    return null;
  }

  readTo(): void {
    if (this.collecting) return;
    this.#drop();
    if (!this.#held || this.#waiting > WINDOW / 2) return;
    this.#held = false;
    this.#source.resume();
  }

  leave(reader: BodyReader): void {
    if (reader.place !== NOWHERE) this.#readers.leave(reader.place);
    reader.place = NOWHERE;
    // The connection may still reference the last piece.
    if (reader.paused) this.#lent = true;
    if (this.#over && this.#readers.size === 0) this.#free();
    else this.readTo();
  }

  /** Bytes that the slowest reader has not taken yet. */
  get #waiting(): number {
    return this.size - this.#slowest;
  }

  get #slowest(): number {
    let slowest = this.size;
    for (let i = 0; i < this.#readers.length; i++) {
      const reader = this.#readers.at(i);
      if (reader !== null && reader.position < slowest) slowest = reader.position;
    }
    return slowest;
  }

  /** Frees chunks that every reader's connection has sent. */
  #drop(): void {
    let taken = this.size;
    for (let i = 0; i < this.#readers.length; i++) {
      const reader = this.#readers.at(i);
      if (reader !== null && reader.left < taken) taken = reader.left;
    }
    while (this.#chunks.length > 1 && this.#base + this.#chunks[0]!.length <= taken) {
      const [chunk] = this.#chunks.splice(0, 1) as [Buffer];
      this.#base += chunk.length;
      if (!this.#lent) release(chunk);
    }
  }
}
