/**
 * Hit-for-miss (Varnish): for a minute, remembers the keys whose last response was not shareable, so that requests for
 * them need not wait for each other. Hot, once per fetch.
 *
 * The number of keys is bounded. No key is deleted from a Map here: the oldest half is dropped as a whole, with its
 * Map. A Map with deletions would keep each of its later tables alive (kit/places.ts).
 */
import { detachString } from '../../kit/detach-string.ts';

/** Keys in each half. */
const HALF = 5000;
/** Milliseconds. */
const REMEMBERED = 60_000;
const FORGOTTEN = 0;

export class HitForMiss {
  /** Expiry (monotonic ms) by key. */
  #newer = new Map<string, number>();
  #older = new Map<string, number>();

  get isEmpty(): boolean {
    return this.#newer.size === 0 && this.#older.size === 0;
  }

  add(key: string, now: number): void {
    const until = now + REMEMBERED;
    if (this.#change(key, until)) return;
    if (this.#newer.size >= HALF) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    // The key is built for each request from parts of its text.
    this.#newer.set(detachString(key), until);
  }

  delete(key: string): void {
    this.#change(key, FORGOTTEN);
  }

  has(key: string, now: number): boolean {
    const until = this.#newer.get(key) ?? this.#older.get(key);
    return until !== undefined && now < until;
  }

  clear(): void {
    this.#newer = new Map();
    this.#older = new Map();
  }

  /** Returns whether the key is in the newer half. */
  #change(key: string, until: number): boolean {
    // A key in neither half needs no deletion; for a key in both, the newer half counts.
    if (this.#newer.has(key)) this.#newer.set(key, until);
    else if (until !== FORGOTTEN) return false;
    else if (this.#older.has(key)) this.#older.set(key, until);
    return true;
  }
}
