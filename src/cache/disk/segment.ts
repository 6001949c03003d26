/**
 * The index of one segment: a file that records are appended to, and that is removed as a whole. Hot to query.
 *
 * The index holds records as columns of numbers, about 30 bytes for each. The same columns are written beside a
 * finished segment, so that a start reads them in one go, without the segment itself.
 */
import { crc32 } from 'node:zlib';
import type { RecordKey } from './record.ts';

/** Limit of records in a segment. */
export const MOST_RECORDS = 32_768;
/** Bytes for one record in all columns. */
export const ROW = 31;
const HEADER = 32;
const MAGIC = 0x31697a70;
const MOST_VARIES = 65_535;

/** Bits of a record's state, which is not written. */
const DEAD = 1;
const HIT = 2;

export class Segment {
  readonly id: number;
  /** Size of its file. */
  bytes = 0;
  count = 0;
  /** The lowest number of its records. */
  lowest = Number.POSITIVE_INFINITY;
  /** Its slot in the index. */
  slot = -1;
  #hash: Float64Array;
  #number: Float64Array;
  #offset: Uint32Array;
  #size: Uint32Array;
  #identity: Uint32Array;
  #vary: Uint16Array;
  #kind: Uint8Array;
  #state: Uint8Array;
  /** The distinct lists of Vary names of its records; most records share one. */
  readonly #varies: (readonly string[])[] = [];

  constructor(id: number, room = 64) {
    this.id = id;
    this.#hash = new Float64Array(room);
    this.#number = new Float64Array(room);
    this.#offset = new Uint32Array(room);
    this.#size = new Uint32Array(room);
    this.#identity = new Uint32Array(room);
    this.#vary = new Uint16Array(room);
    this.#kind = new Uint8Array(room);
    this.#state = new Uint8Array(room);
  }

  hash(i: number): number {
    return this.#hash[i]!;
  }

  number(i: number): number {
    return this.#number[i]!;
  }

  offset(i: number): number {
    return this.#offset[i]!;
  }

  size(i: number): number {
    return this.#size[i]!;
  }

  identity(i: number): number {
    return this.#identity[i]!;
  }

  kind(i: number): number {
    return this.#kind[i]!;
  }

  varyNames(i: number): readonly string[] {
    return this.#varies[this.#vary[i]!]!;
  }

  isDead(i: number): boolean {
    return (this.#state[i]! & DEAD) !== 0;
  }

  kill(i: number): void {
    this.#state[i]! |= DEAD;
  }

  wasHit(i: number): boolean {
    return (this.#state[i]! & HIT) !== 0;
  }

  hit(i: number): void {
    this.#state[i]! |= HIT;
  }

  /** Is there room for `count` more records? */
  hasRows(count: number): boolean {
    return this.count + count <= MOST_RECORDS && this.#varies.length + count <= MOST_VARIES;
  }

  /** Returns its row. */
  add(key: RecordKey, varyNames: readonly string[], offset: number, size: number): number {
    const i = this.count;
    if (i === this.#hash.length) this.#resize(i * 2);
    this.#hash[i] = key.hash;
    this.#number[i] = key.number;
    this.#offset[i] = offset;
    this.#size[i] = size;
    this.#identity[i] = key.identity;
    this.#vary[i] = this.#varyOf(varyNames);
    this.#kind[i] = key.kind;
    this.count++;
    this.lowest = Math.min(this.lowest, key.number);
    this.bytes = Math.max(this.bytes, offset + size);
    return i;
  }

  #varyOf(names: readonly string[]): number {
    const text = names.join();
    const known = this.#varies.findIndex((one) => one.join() === text);
    return known < 0 ? this.#varies.push(names) - 1 : known;
  }

  #resize(room: number): void {
    this.#hash = resized(this.#hash, new Float64Array(room));
    this.#number = resized(this.#number, new Float64Array(room));
    this.#offset = resized(this.#offset, new Uint32Array(room));
    this.#size = resized(this.#size, new Uint32Array(room));
    this.#identity = resized(this.#identity, new Uint32Array(room));
    this.#vary = resized(this.#vary, new Uint16Array(room));
    this.#kind = resized(this.#kind, new Uint8Array(room));
    this.#state = resized(this.#state, new Uint8Array(room));
  }

  /** No more records are added: frees the unused room. */
  finish(): void {
    if (this.count < this.#hash.length) this.#resize(this.count);
  }

  /** Bytes on disk, columns included. */
  get footprint(): number {
    return this.bytes + HEADER + this.count * ROW + this.#varies.length * 32;
  }

  // === the columns file

  columns(): Buffer {
    const varies = Buffer.from(JSON.stringify(this.#varies));
    const out = Buffer.alloc(HEADER + this.count * ROW + varies.length);
    out.writeUInt32LE(MAGIC, 0);
    out.writeUInt32LE(this.id, 8);
    out.writeUInt32LE(this.count, 12);
    out.writeUInt32LE(varies.length, 16);
    out.writeDoubleLE(this.bytes, 24);
    let at = HEADER;
    for (const column of this.#columns()) {
      const bytes = Buffer.from(column.buffer, column.byteOffset, this.count * column.BYTES_PER_ELEMENT);
      bytes.copy(out, at);
      at += bytes.length;
    }
    varies.copy(out, at);
    out.writeUInt32LE(crc32(out.subarray(8)), 4);
    return out;
  }

  #columns() {
    return [this.#hash, this.#number, this.#offset, this.#size, this.#identity, this.#vary, this.#kind] as const;
  }

  /** null: these are not intact columns of that segment. */
  static of(id: number, bytes: Buffer): Segment | null {
    if (bytes.length < HEADER || bytes.readUInt32LE(0) !== MAGIC || bytes.readUInt32LE(8) !== id) return null;
    const count = bytes.readUInt32LE(12);
    const end = HEADER + count * ROW;
    if (count > MOST_RECORDS || end + bytes.readUInt32LE(16) !== bytes.length) return null;
    if (crc32(bytes.subarray(8)) !== bytes.readUInt32LE(4)) return null;
    const segment = new Segment(id, count);
    let at = HEADER;
    for (const column of segment.#columns()) {
      const into = Buffer.from(column.buffer);
      at += bytes.copy(into, 0, at, at + into.length);
    }
    segment.count = count;
    segment.bytes = bytes.readDoubleLE(24);
    segment.#varies.push(...(JSON.parse(bytes.toString('utf8', end)) as string[][]));
    for (let i = 0; i < count; i++) segment.lowest = Math.min(segment.lowest, segment.number(i));
    return segment;
  }
}

function resized<T extends { set(from: T): void; subarray(from: number, to: number): T; length: number }>(
  from: T,
  to: T,
): T {
  to.set(from.subarray(0, Math.min(from.length, to.length)));
  return to;
}
