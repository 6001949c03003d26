/**
 * Something bound that several snapshots may hold, each once: it ends with the last of them. Cold.
 *
 * What a reload does not change is the same object in the next snapshot (runtime/snapshot/reuse.ts); whatever it has claimed for
 * itself is given back when nobody holds it any more, last first.
 */
export class RefCounted<T> {
  readonly value: T;
  readonly #releases: readonly (() => void)[];
  #holders = 0;

  constructor(value: T, releases: readonly (() => void)[] = []) {
    this.value = value;
    this.#releases = releases;
  }

  hold(): void {
    this.#holders++;
  }

  /** Once for each `hold`. */
  release(): void {
    if (--this.#holders === 0) for (const release of this.#releases.toReversed()) release();
  }
}
