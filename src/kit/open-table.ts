/**
 * A hash table with open addressing, for what is looked up by key and is soon over. Hot, where such things are.
 *
 * It stands in for a Map, whose dead tables keep short-lived entries alive (kit/places.ts says how). Its arrays are used for
 * good, and an entry that is removed leaves nothing behind. They have at least twice as many places as there were entries
 * at the busiest moment, and never fewer.
 *
 * Keys come from clients: `textHash` has a secret, so that no client can choose keys that meet.
 */
import { mix, sipHash } from './hash.ts';
import { systemRandom } from './random.ts';

/** A power of two. */
const SMALLEST = 16;

const [FIRST, SECOND] = [systemRandom() * 2 ** 32, systemRandom() * 2 ** 32];

export const textHash = (text: string): number => sipHash(text, FIRST, SECOND);
/** Of a whole number up to 2^53. */
export const numberHash = (number: number): number => mix((number | 0) ^ (FIRST | 0) ^ mix(number / 2 ** 32));

export class OpenTable<K extends string | number, V> {
  readonly #hash: (key: K) => number;
  #keys: (K | null)[] = blank(SMALLEST);
  #values: (V | null)[] = blank(SMALLEST);
  size = 0;

  constructor(hash: (key: K) => number) {
    this.#hash = hash;
  }

  get(key: K): V | undefined {
    return this.#values[this.#find(key)] ?? undefined;
  }

  set(key: K, value: V): void {
    let at = this.#find(key);
    if (this.#keys[at] === null) {
      if (++this.size * 2 > this.#keys.length) {
        this.#grow();
        at = this.#find(key);
      }
      this.#keys[at] = key;
    }
    this.#values[at] = value;
  }

  /** Answers whether it was there. */
  delete(key: K): boolean {
    const keys = this.#keys;
    const mask = keys.length - 1;
    let gap = this.#find(key);
    if (keys[gap] === null) return false;
    this.size--;
    // Those behind that could not have the place that their hash says move up, so that no search ends too early.
    for (let at = (gap + 1) & mask; keys[at] !== null; at = (at + 1) & mask) {
      const home = this.#hash(keys[at]!) & mask;
      if (((at - home) & mask) < ((at - gap) & mask)) continue;
      keys[gap] = keys[at]!;
      this.#values[gap] = this.#values[at]!;
      gap = at;
    }
    keys[gap] = null;
    this.#values[gap] = null;
    return true;
  }

  clear(): void {
    this.#keys.fill(null);
    this.#values.fill(null);
    this.size = 0;
  }

  /** As of now, in no order. Cold. */
  values(): V[] {
    return this.#values.filter((_, i) => this.#keys[i] !== null) as V[];
  }

  /** Where the key is, or the empty place where it would be. */
  #find(key: K): number {
    const keys = this.#keys;
    const mask = keys.length - 1;
    let at = this.#hash(key) & mask;
    while (keys[at] !== null && keys[at] !== key) at = (at + 1) & mask;
    return at;
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#keys = blank(keys.length * 2);
    this.#values = blank(keys.length * 2);
    for (let i = 0; i < keys.length; i++) {
      if (keys[i] === null) continue;
      const at = this.#find(keys[i]!);
      this.#keys[at] = keys[i]!;
      this.#values[at] = values[i]!;
    }
  }
}

function blank<T>(length: number): (T | null)[] {
  return Array.from({ length }, () => null);
}
