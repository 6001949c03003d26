/** One tcp listener of one snapshot: each accepted connection is relayed to its pool. Hot. */
import { AddressAcl } from '../kit/address-set.ts';
import { Connection } from '../net/connection.ts';
import type { Transport } from '../net/transport.ts';
import type { ListenerMetrics } from '../observe/metrics.ts';
import type { ListenerPlan } from '../plan/types.ts';
import type { Pool } from '../upstream/pool.ts';
import { logRelay } from './access-records.ts';
import { admit, type TotalConnections } from './admission.ts';
import type { ConnectionTable, HeldConnection } from './connection-table.ts';
import type { Lease, Shared } from './live.ts';
import { Relay, type RelayObserver } from './relay.ts';

export interface TcpListenerParts {
  readonly plan: ListenerPlan;
  readonly lease: Lease;
  readonly pool: Pool;
  readonly metrics: ListenerMetrics;
  readonly table: ConnectionTable;
  readonly total: TotalConnections;
  readonly shared: Shared;
}

/** A relay as the connection table holds it. */
class HeldRelay implements HeldConnection {
  readonly idle = false;
  readonly clientAddress: string;
  relay: Relay | null = null;

  constructor(clientAddress: string) {
    this.clientAddress = clientAddress;
  }

  /** A byte stream has no point at which ending it loses nothing: it runs until it ends or is cut. */
  retire(): void {}

  destroy(): void {
    this.relay?.cut();
  }
}

export class TcpListener {
  readonly plan: ListenerPlan;
  readonly table: ConnectionTable;
  readonly #parts: TcpListenerParts;
  readonly #acl: AddressAcl | null;

  constructor(parts: TcpListenerParts) {
    this.plan = parts.plan;
    this.table = parts.table;
    this.#parts = parts;
    this.#acl = parts.plan.acl === null ? null : new AddressAcl(parts.plan.acl);
  }

  /** A connection was accepted. One that is refused is reset: in a protocol nobody here knows there is no other word. */
  accept(transport: Transport): void {
    const { plan, lease, pool, metrics, table, total, shared } = this.#parts;
    const connection = new Connection(transport.addresses(), plan.name, false);
    metrics.accepted++;
    const allowed = this.#acl === null || this.#acl.allows(connection.clientAddress);
    if (!allowed) metrics.refusedByAcl++;
    if (shared.overloaded) metrics.refusedByOverload++;
    if (
      !allowed ||
      shared.overloaded ||
      admit(plan.limits, table, total, connection.clientAddress, metrics) !== 'fits'
    ) {
      transport.reset();
      return;
    }
    total.enter();
    metrics.active++;
    const held = new HeldRelay(connection.clientAddress);
    table.add(held);
    const startedAt = shared.clock.now();
    const observer: RelayObserver = {
      onRelayClosed: (relay, error) => {
        table.delete(held);
        total.leave();
        metrics.active--;
        if (shared.accessLog !== null)
          logRelay(shared.accessLog, relay, lease.generation, startedAt, shared.clock.now(), error);
      },
    };
    held.relay = new Relay(transport, connection, { lease, pool, metrics, deadlines: shared.deadlines }, observer);
  }
}
