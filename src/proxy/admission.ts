/**
 * Whether a new connection fits: the limits of its listener, of its client and of the gateway. Hot.
 *
 * Called by http-listener.ts and tcp-listener.ts for each accepted socket; they say no in their own way.
 */
import type { ListenerMetrics } from '../observe/metrics.ts';
import type { ListenerLimits } from '../plan/types.ts';
import type { ConnectionTable } from './connection-table.ts';

/** Connections of all listeners of a gateway, and how many there may be (0: no limit). */
export class TotalConnections {
  limit = 0;
  /** As many as there are file descriptors for; 0: not known. */
  readonly possible: number;
  #active = 0;
  #whenNone: (() => void) | null = null;
  #whenAllUsed: (() => void) | null = null;
  /** Tables that no config knows any more, with connections that are on their way out. */
  #left: ConnectionTable[] = [];

  constructor(possible: number) {
    this.possible = possible;
  }

  get active(): number {
    return this.#active;
  }

  enter(): void {
    if (++this.#active === this.possible) this.#whenAllUsed?.();
  }

  leave(): void {
    if (--this.#active > 0) return;
    const told = this.#whenNone;
    this.#whenNone = null;
    told?.();
  }

  leftBehind(table: ConnectionTable): void {
    this.#left = [...this.#left, table].filter(({ active }) => active > 0);
  }

  /** Ends what is left on tables that no config knows any more. */
  destroyLeft(): void {
    for (const table of this.#left) table.destroy();
    this.#left = [];
  }

  /** Calls back each time that there are as many as possible. */
  whenAllUsed(told: () => void): void {
    this.#whenAllUsed = told;
  }

  /** Calls back once when no connection is left, which may be now. */
  whenNone(told: () => void): void {
    if (this.#active === 0) told();
    else this.#whenNone = told;
  }
}

/** What stands in the way of a new connection: nothing, its client's own limit, or everybody's. */
export type Admission = 'fits' | 'client_full' | 'full';

export function admit(
  limits: ListenerLimits,
  table: ConnectionTable,
  total: TotalConnections,
  client: string,
  metrics: ListenerMetrics,
): Admission {
  const { connections, connectionsPerClient } = limits;
  if ((total.limit > 0 && total.active >= total.limit) || (connections > 0 && table.active >= connections)) {
    metrics.refusedByLimit++;
    return 'full';
  }
  if (connectionsPerClient > 0 && table.fromClient(client) >= connectionsPerClient) {
    metrics.refusedByLimit++;
    return 'client_full';
  }
  return 'fits';
}
