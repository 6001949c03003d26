/**
 * A hash table with open addressing, for short-lived entries. Hot where such entries are.
 *
 * It replaces a Map, whose discarded tables keep short-lived entries alive (kit/places.ts explains this). Its arrays
 * are reused for the life of the table, and a removed entry leaves no reference behind. The arrays have at least twice
 * as many slots as the largest number of entries so far, and never shrink.
 *
 * Clients choose the keys: `textHash` has a secret, so that no client can choose keys that collide.
 */
import { mix, sipHash } from './hash.ts';
import { systemRandom } from './random.ts';

/** A power of two. */
const SMALLEST = 16;

const [FIRST, SECOND] = [systemRandom() * 2 ** 32, systemRandom() * 2 ** 32];

export const textHash = (text: string): number => sipHash(text, FIRST, SECOND);
/** Hashes a whole number up to 2^53. */
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

  /** Returns whether the key was present. */
  delete(key: K): boolean {
    const keys = this.#keys;
    const mask = keys.length - 1;
    let gap = this.#find(key);
    if (keys[gap] === null) return false;
    this.size--;
    // Later entries that are not in their own slot move up, so that no search ends too early.
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

  /** A copy of the current values, in no order. Cold. */
  values(): V[] {
    return this.#values.filter((_, i) => this.#keys[i] !== null) as V[];
  }

  /** Returns the key's slot, or the empty slot where it belongs. */
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
