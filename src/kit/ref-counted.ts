/**
 * A bound value that several snapshots may hold, each once. It is released with the last of them. Cold.
 *
 * An object that a reload does not change is shared with the next snapshot (runtime/snapshot/reuse.ts). When the last
 * holder releases it, its own resources are released in reverse order.
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

  /** Call it once for each `hold`. */
  release(): void {
    if (--this.#holders === 0) for (const release of this.#releases.toReversed()) release();
  }
}
