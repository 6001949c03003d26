/**
 * Shares immutable values that are expensive to create: one per key, for as long as it is referenced. Cold.
 *
 * Callers don't release the values. They are held weakly, and a collected value's key is removed.
 */
export class Shared<V extends object> {
  readonly #values = new Map<string, WeakRef<V>>();
  readonly #collected = new FinalizationRegistry<string>((key) => {
    if (this.#values.get(key)?.deref() === undefined) this.#values.delete(key);
  });

  get(key: string, make: () => V): V {
    const known = this.#values.get(key)?.deref();
    if (known !== undefined) return known;
    const value = make();
    this.#values.set(key, new WeakRef(value));
    this.#collected.register(value, key);
    return value;
  }
}
