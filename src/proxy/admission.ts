/**
 * Connection admission: the limits of the listener, of the client and of the gateway. Hot.
 *
 * http-listener.ts and tcp-listener.ts call it for each accepted socket; each rejects connections in its own way.
 */
import type { Connection } from '../net/connection.ts';
import type { ListenerMetrics } from '../observe/metrics.ts';
import type { ListenerLimits } from '../plan/types/listener-limits.ts';
import type { RelayContext } from './listener-context.ts';

/** The connections of one listener. */
export interface ClientConnections {
  readonly active: number;
  /** How many come from this client. */
  fromClient(address: string): number;
  destroy(): void;
}

/** Counts the connections of all listeners of a gateway, and holds their limit (0: no limit). */
export class TotalConnections {
  limit = 0;
  /** The number of connections that the file descriptor limit permits; 0: unknown. */
  readonly possible: number;
  #active = 0;
  #whenNone: (() => void) | null = null;
  #whenAllUsed: (() => void) | null = null;
  /** Tables that no config uses any more, with connections that are still closing. */
  #left: ClientConnections[] = [];

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

  leftBehind(table: ClientConnections): void {
    this.#left = [...this.#left, table].filter(({ active }) => active > 0);
  }

  /** Destroys the remaining connections of tables that no config uses any more. */
  destroyLeft(): void {
    for (const table of this.#left) table.destroy();
    this.#left = [];
  }

  /** Calls back each time that the number of connections reaches `possible`. */
  whenAllUsed(told: () => void): void {
    this.#whenAllUsed = told;
  }

  /** Calls back once when no connection is left, which may be immediately. */
  whenNone(told: () => void): void {
    if (this.#active === 0) told();
    else this.#whenNone = told;
  }
}

/** Whether a new connection fits, or which limit rejects it: its client's, or the listener's or gateway's. */
export type Admission = 'fits' | 'client_full' | 'full';

export function admit(
  limits: ListenerLimits,
  table: ClientConnections,
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

/** Whether the listener's TLS policies let the client of a byte stream in. */
export function admitsSession(
  { tlsPolicies, shared }: Pick<RelayContext, 'tlsPolicies' | 'shared'>,
  { tls }: Connection,
): boolean {
  return tlsPolicies === null || tlsPolicies.admits(tls, shared.clock.wall());
}
