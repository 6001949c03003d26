/**
 * A set whose members know their own index in it, for requests and connections. Hot.
 *
 * A Set would do, except for garbage collection. V8 allocates a new table for a Set after a number of additions, and
 * the old table keeps a pointer to the new one. Once a dead table is in the old generation, it keeps each later table
 * and all its members alive until the next full collection. Short-lived objects then never die young
 * (docs/performance.md). This class reuses one array, and a vacated place holds no reference.
 *
 * The array has as many places as the largest number of members so far, and never shrinks.
 */

/** The place of an object that is not in a Places. */
export const NOWHERE = -1;

const NONE = new Int32Array(0);

export class Places<T extends object> {
  readonly #items: (T | null)[] = [];
  /** A stack of the empty places. */
  #empty = NONE;
  #emptyCount = 0;

  get size(): number {
    return this.#items.length - this.#emptyCount;
  }

  /** Adds an item and returns its place. The caller keeps the place; it is valid until the item leaves. */
  enter(item: T): number {
    if (this.#emptyCount === 0) return this.#items.push(item) - 1;
    const place = this.#empty[--this.#emptyCount]!;
    this.#items[place] = item;
    return place;
  }

  /** Removes the item at a place. Call it once for each `enter`. */
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

  /** Returns the item at a place, or null. */
  at(place: number): T | null {
    return this.#items[place] ?? null;
  }

  /** The number of places, including empty ones: for loops without an iterator. */
  get length(): number {
    return this.#items.length;
  }

  /**
   * Iterates over the members in no order. Members may leave and enter during the iteration: it visits a member that
   * stays once, and a new one at most once.
   */
  *[Symbol.iterator](): Generator<T> {
    for (let place = 0; place < this.#items.length; place++) {
      const item = this.#items[place]!;
      if (item !== null) yield item;
    }
  }
}
