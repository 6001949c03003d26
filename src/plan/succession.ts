/**
 * Which listener of a config takes the place of one of the config before. Cold; asked by runtime/ and by diff.ts.
 *
 * An address counts before a name: clients are connected to an address, and what serves there takes over their connections.
 * A listener that has moved to an address of its own keeps those that it has.
 */
import type { ListenerPlan } from './types.ts';

export class Succession {
  readonly #bySocket: ReadonlyMap<string, ListenerPlan>;
  readonly #byName: ReadonlyMap<string, ListenerPlan>;

  constructor(listeners: readonly ListenerPlan[]) {
    this.#bySocket = new Map(listeners.map((one) => [one.socket.identity, one]));
    this.#byName = new Map(listeners.map((one) => [one.name, one]));
  }

  /** null: there is none, and its connections end. */
  of({ name, socket }: ListenerPlan): ListenerPlan | null {
    return this.#bySocket.get(socket.identity) ?? this.#byName.get(name) ?? null;
  }
}
