/**
 * A set whose members know their own place in it, for what requests and connections enter and leave. Hot.
 *
 * A Set would do but for the collector. V8 builds a new table for a Set after so many additions, and leaves the old table
 * behind with a pointer to the new one. Once such a dead table is in the old generation, it keeps each later table alive,
 * and all that was in it, until the next full collection: short-lived objects then never die young (docs/performance.md).
 * Here one array is used for good, and a place that is left holds nothing.
 *
 * The array has as many places as there were members at the busiest moment, and never fewer.
 */

/** The place of what is in no Places. */
export const NOWHERE = -1;

const NONE = new Int32Array(0);

export class Places<T extends object> {
  readonly #items: (T | null)[] = [];
  /** A stack of the empty places among them. */
  #empty = NONE;
  #emptyCount = 0;

  get size(): number {
    return this.#items.length - this.#emptyCount;
  }

  /** Adds it, and answers its place, which the caller keeps: it stays there until it leaves. */
  enter(item: T): number {
    if (this.#emptyCount === 0) return this.#items.push(item) - 1;
    const place = this.#empty[--this.#emptyCount]!;
    this.#items[place] = item;
    return place;
  }

  /** Removes what is at that place, once for each `enter`. */
  leave(place: number): void {
    this.#items[place] = null;
    if (this.#emptyCount === this.#empty.length) this.#grow();
    this.#empty[this.#emptyCount++] = place;
  }

  #grow(): void {
    const empty = new Int32Array(Math.max(16, this.#empty.length * 2));
    empty.set(this.#empty);
    this.#empty = empty;
  }

  /** What is at that place, or null. */
  at(place: number): T | null {
    return this.#items[place] ?? null;
  }

  /** Places, empty ones included: to go through them all without an iterator. */
  get length(): number {
    return this.#items.length;
  }

  /** The members in no order. Members may leave and enter meanwhile: one that stays comes once, a new one at most once. */
  *[Symbol.iterator](): Generator<T> {
    for (let place = 0; place < this.#items.length; place++) {
      const item = this.#items[place]!;
      if (item !== null) yield item;
    }
  }
}
