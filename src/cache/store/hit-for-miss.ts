/**
 * The keys whose last response was not for the store, for a minute: requests for them need not wait for each other (Varnish
 * calls it hit-for-miss). Hot, once per fetch.
 *
 * Bounded in keys. No key is taken out of a Map here: the oldest half is dropped as a whole, with its Map. A Map from which
 * keys are taken would keep each of its later tables alive (kit/places.ts).
 */
import { detachString } from '../../kit/detach-string.ts';

/** Keys in each half. */
const HALF = 5000;
/** Milliseconds. */
const REMEMBERED = 60_000;
const FORGOTTEN = 0;

export class HitForMiss {
  /** Until when (monotonic ms), by key. */
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
    // A key is put together for each request, of parts of its text.
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

  /** Answers whether it is among the newer ones. */
  #change(key: string, until: number): boolean {
    // Where it is in neither, nothing is to be forgotten; where it is in both, the newer one counts.
    if (this.#newer.has(key)) this.#newer.set(key, until);
    else if (until !== FORGOTTEN) return false;
    else if (this.#older.has(key)) this.#older.set(key, until);
    return true;
  }
}
