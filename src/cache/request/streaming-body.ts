/**
 * A response's body as it comes, for everybody who reads it and for the store. Hot.
 *
 * While it may still be stored, all of it is kept, and no reader holds back what comes: a slow client does not spoil it
 * for the others. A body that grows too large is collected no more; from then on only a window of it is kept, and the
 * slowest reader sets the pace, as without a cache.
 */
import type { BodySource } from '../../http/message.ts';
import type { GatewayError } from '../../kit/errors.ts';
import { NOWHERE, Places } from '../../kit/places.ts';
import { release } from '../../kit/release.ts';
import type { ReadableBody } from './body.ts';
import type { BodyReader } from './body-reader.ts';

/** Bytes that wait for the slowest reader of a body that is not collected. */
const WINDOW = 256 * 1024;
const SMALLEST_CHUNK = 4 * 1024;
const LARGEST_CHUNK = 256 * 1024;

/** Keeps count of the bytes that bodies under way take up. */
export interface FillRoom {
  /** Takes so many bytes more; false: there is no room for them. */
  reserve(bytes: number): boolean;
  release(bytes: number): void;
}

export class StreamingBody implements ReadableBody {
  /** All of it is kept so far. */
  collecting = true;
  /** Bytes that have come. */
  size = 0;
  readonly #room: FillRoom;
  /** Bytes of the largest body that is kept. */
  readonly #limit: number;
  /** Bytes that are expected; -1: unknown. */
  readonly #expected: number;
  readonly #source: BodySource;
  readonly #readers = new Places<BodyReader>();
  /** Each but the last is full; `#used` bytes of the last. */
  #chunks: Buffer[] = [];
  #used = 0;
  /** Position of the first chunk's first byte. */
  #base = 0;
  #reserved = 0;
  #held = false;
  /** A client that is gone or slow may still have some of the chunks. */
  #lent = false;
  /** The only chunk is what was taken. */
  #given = false;
  /** It is whole or will never be: nobody comes to read it any more. */
  #over = false;

  constructor(room: FillRoom, limit: number, expected: number, source: BodySource) {
    this.#room = room;
    this.#limit = limit;
    this.#expected = expected;
    this.#source = source;
  }

  /** Bytes that have yet to come, as far as that is known. */
  get missing(): number {
    return this.#expected < 0 ? 0 : this.#expected - this.size;
  }

  join(reader: BodyReader): void {
    reader.place = this.#readers.enter(reader);
  }

  // === what comes

  /** false: nothing more until the source is resumed. */
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

  /** It is whole. */
  complete(trailers: string): void {
    this.#over = true;
    for (let i = 0; i < this.#readers.length; i++) this.#readers.at(i)?.complete(trailers);
    if (this.#readers.size === 0) this.#free();
    this.#unreserve();
  }

  /** It will never be whole. */
  fail(error: GatewayError): void {
    this.collecting = false;
    for (const reader of this.#readers) reader.fail(error);
    this.discard();
  }

  /** It is not kept for the store any more: what it takes up from now on, it would take up without a cache. */
  giveUp(): void {
    this.collecting = false;
    this.#unreserve();
    this.#drop();
  }

  /** Nobody but the taker has the bytes that were taken. */
  get own(): boolean {
    return !this.#given || (this.#readers.size === 0 && !this.#lent);
  }

  /** All of it, if all of it was kept. What it took up is the taker's to account for. */
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

  /** Nobody needs what is kept. */
  discard(): void {
    this.#over = true;
    this.#free();
    this.#unreserve();
  }

  /** Nobody comes to read it any more. */
  #free(): void {
    if (!this.#lent && !this.#given && this.#readers.size === 0) this.#chunks.forEach(release);
    this.#chunks = [];
  }

  #unreserve(): void {
    this.#room.release(this.#reserved);
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

  /** The next chunk: of what is expected, if that is known, or else of as much again as there is. */
  #chunk(needed: number): Buffer {
    const missing = this.#expected - this.size;
    const wanted = this.#expected >= 0 && missing <= LARGEST_CHUNK ? missing : Math.max(SMALLEST_CHUNK, this.size);
    const size = Math.max(needed, Math.min(wanted, LARGEST_CHUNK));
    if (this.collecting && !this.#room.reserve(size)) this.giveUp();
    else if (this.collecting) this.#reserved += size;
    return Buffer.allocUnsafeSlow(size);
  }

  // === who reads (ReadableBody)

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
    // What it was given last is still on its way.
    if (reader.paused) this.#lent = true;
    if (this.#over && this.#readers.size === 0) this.#free();
    else this.readTo();
  }

  /** Bytes that the slowest reader has yet to take. */
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

  /** Lets go of what has reached every reader's client. */
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
