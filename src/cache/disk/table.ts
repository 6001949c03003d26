/**
 * Maps a hash to records: an open-addressing table, with eight bytes for each place. Hot.
 *
 * It is split into many small shards that grow one by one, so that no growth takes long. Several records may have the
 * same hash. One number identifies a record: it combines its segment's slot and its row there.
 */
import { MOST_RECORDS } from './segment.ts';

const EMPTY = -1;
const SMALLEST = 64;
const SHARDS = 256;

export class Table {
  readonly #shards: readonly Shard[];
  #size = 0;

  /** `hashOf`: the hash of a record in the table. */
  constructor(hashOf: (ref: number) => number) {
    this.#shards = Array.from({ length: SHARDS }, () => new Shard(hashOf));
  }

  get size(): number {
    return this.#size;
  }

  #shard(hash: number): Shard {
    return this.#shards[Math.floor(hash / 2 ** 32) & (SHARDS - 1)]!;
  }

  add(hash: number, ref: number): void {
    this.#shard(hash).add(hash, ref);
    this.#size++;
  }

  has(hash: number): boolean {
    return this.#shard(hash).has(hash);
  }

  /** The records with that hash, in no particular order. */
  find(hash: number): number[] {
    return this.#shard(hash).find(hash);
  }

  remove(hash: number, ref: number): void {
    if (this.#shard(hash).remove(hash, ref)) this.#size--;
  }
}

class Shard {
  /** Pairs of a record and the lower half of its hash; the latter avoids most look-ups of the record. */
  #places = new Int32Array(SMALLEST * 2).fill(EMPTY);
  #used = 0;
  readonly #hashOf: (ref: number) => number;

  constructor(hashOf: (ref: number) => number) {
    this.#hashOf = hashOf;
  }

  add(hash: number, ref: number): void {
    if (this.#used * 10 >= this.#places.length * 3) this.#grow();
    this.#put(hash | 0, ref);
    this.#used++;
  }

  #put(low: number, ref: number): void {
    const places = this.#places;
    const mask = places.length - 1;
    let at = (low << 1) & mask;
    while (places[at] !== EMPTY) at = (at + 2) & mask;
    places[at] = ref;
    places[at + 1] = low;
  }

  #grow(): void {
    const old = this.#places;
    this.#places = new Int32Array(old.length * 2).fill(EMPTY);
    for (let at = 0; at < old.length; at += 2) if (old[at] !== EMPTY) this.#put(old[at + 1]!, old[at]!);
  }

  has(hash: number): boolean {
    const places = this.#places;
    const mask = places.length - 1;
    const low = hash | 0;
    for (let at = (low << 1) & mask; places[at] !== EMPTY; at = (at + 2) & mask) {
      if (places[at + 1] === low && this.#hashOf(places[at]!) === hash) return true;
    }
    return false;
  }

  find(hash: number): number[] {
    const found: number[] = [];
    const places = this.#places;
    const mask = places.length - 1;
    const low = hash | 0;
    for (let at = (low << 1) & mask; places[at] !== EMPTY; at = (at + 2) & mask) {
      const ref = places[at]!;
      if (places[at + 1] === low && this.#hashOf(ref) === hash) found.push(ref);
    }
    return found;
  }

  remove(hash: number, ref: number): boolean {
    const places = this.#places;
    const mask = places.length - 1;
    let hole = ((hash | 0) << 1) & mask;
    while (places[hole] !== ref) {
      if (places[hole] === EMPTY) return false;
      hole = (hole + 2) & mask;
    }
    // Moves later records up if the hole would hide them.
    for (let at = (hole + 2) & mask; places[at] !== EMPTY; at = (at + 2) & mask) {
      const home = (places[at + 1]! << 1) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      places[hole] = places[at]!;
      places[hole + 1] = places[at + 1]!;
      hole = at;
    }
    places[hole] = EMPTY;
    this.#used--;
    return true;
  }
}

/** The number that identifies a record; there are fewer than 2^16 slots. */
export const refOf = (slot: number, i: number): number => slot * MOST_RECORDS + i;
export const slotOf = (ref: number): number => Math.floor(ref / MOST_RECORDS);
export const rowOf = (ref: number): number => ref % MOST_RECORDS;
