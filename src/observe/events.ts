/** Events of a gateway for subscribers. Cold. */

export interface GatewayEvent {
  /** ISO time. */
  readonly time: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

export class Events {
  readonly #listeners = new Set<(event: GatewayEvent) => void>();

  /** For leak checks. */
  get listeners(): number {
    return this.#listeners.size;
  }

  emit(event: GatewayEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Returns a function that unsubscribes. */
  listen(listener: (event: GatewayEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
