/**
 * Determines which listener of a config succeeds a listener of the previous config. Cold; used by runtime/ and diff.ts.
 *
 * The address takes precedence over the name: clients are connected to an address, and the listener there inherits
 * their connections. A listener that has moved to a new address keeps its own connections.
 */
import type { ListenerPlan } from './types.ts';

export class Succession {
  readonly #bySocket: ReadonlyMap<string, ListenerPlan>;
  readonly #byName: ReadonlyMap<string, ListenerPlan>;

  constructor(listeners: readonly ListenerPlan[]) {
    this.#bySocket = new Map(listeners.map((one) => [one.socket.identity, one]));
    this.#byName = new Map(listeners.map((one) => [one.name, one]));
  }

  /** null: it has no successor, and its connections end. */
  of({ name, socket }: ListenerPlan): ListenerPlan | null {
    return this.#bySocket.get(socket.identity) ?? this.#byName.get(name) ?? null;
  }
}
