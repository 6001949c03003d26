/**
 * Values that cost something to make and never change, made once for each key as long as anybody holds them. Cold.
 *
 * Nobody has to give them back: they are held weakly, and a key whose value was collected goes with it.
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
