/**
 * Which records there are for a hash: a table with open addresses, four bytes for a place in it. Hot.
 *
 * Several records may have the same hash. A record is named by one number, of its segment's slot and its place there.
 */
import { MOST_RECORDS } from './segment.ts';

const EMPTY = -1;
const SMALLEST = 1024;

export class Table {
  #places = new Int32Array(SMALLEST).fill(EMPTY);
  #used = 0;
  readonly #hashOf: (ref: number) => number;

  /** `hashOf`: of a record that is in the table. */
  constructor(hashOf: (ref: number) => number) {
    this.#hashOf = hashOf;
  }

  get size(): number {
    return this.#used;
  }

  add(hash: number, ref: number): void {
    if (this.#used * 5 >= this.#places.length * 3) this.#grow();
    this.#put(hash, ref);
    this.#used++;
  }

  #put(hash: number, ref: number): void {
    const places = this.#places;
    const mask = places.length - 1;
    let at = hash & mask;
    while (places[at] !== EMPTY) at = (at + 1) & mask;
    places[at] = ref;
  }

  #grow(): void {
    const old = this.#places;
    this.#places = new Int32Array(old.length * 2).fill(EMPTY);
    for (const ref of old) if (ref !== EMPTY) this.#put(this.#hashOf(ref), ref);
  }

  /** Those with that hash, in no order. */
  find(hash: number): number[] {
    const found: number[] = [];
    const places = this.#places;
    const mask = places.length - 1;
    for (let at = hash & mask; places[at] !== EMPTY; at = (at + 1) & mask) {
      const ref = places[at]!;
      if (this.#hashOf(ref) === hash) found.push(ref);
    }
    return found;
  }

  remove(hash: number, ref: number): void {
    const places = this.#places;
    const mask = places.length - 1;
    let hole = hash & mask;
    while (places[hole] !== ref) {
      if (places[hole] === EMPTY) return;
      hole = (hole + 1) & mask;
    }
    // Those behind move up where they would not be found across the hole.
    for (let at = (hole + 1) & mask; places[at] !== EMPTY; at = (at + 1) & mask) {
      const home = this.#hashOf(places[at]!) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      places[hole] = places[at]!;
      hole = at;
    }
    places[hole] = EMPTY;
    this.#used--;
  }
}

/** The number that names a record; of slots there are fewer than 2^16. */
export const refOf = (slot: number, i: number): number => slot * MOST_RECORDS + i;
export const slotOf = (ref: number): number => Math.floor(ref / MOST_RECORDS);
export const rowOf = (ref: number): number => ref % MOST_RECORDS;
