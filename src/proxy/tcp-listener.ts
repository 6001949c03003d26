/** One tcp listener of one snapshot: each accepted connection is relayed to its pool. Hot. */
import type { ConnectionHome, ServerConnection } from '../http/server-connection.ts';
import { AddressAcl } from '../kit/address-set.ts';
import { NOWHERE } from '../kit/places.ts';
import { Connection } from '../net/connection.ts';
import type { ServerPolicies } from '../net/tls/server-policies.ts';
import type { ServerTls } from '../net/tls/server-tls.ts';
import type { Transport } from '../net/transport.ts';
import type { ListenerMetrics } from '../observe/metrics.ts';
import type { ListenerPlan } from '../plan/types.ts';
import type { Pool } from '../upstream/pool.ts';
import { logRelay } from './access-records.ts';
import { admit, type TotalConnections } from './admission.ts';
import type { ConnectionTable } from './connection-table.ts';
import { type ConnectionTaker, HandshakingConnection, type OpenHome } from './handshaking-connection.ts';
import { ABORT, type Lease, type Shared, type TcpListenerContext } from './listener-context.ts';
import { Relay, type RelayObserver } from './relay.ts';

export interface TcpListenerParts {
  readonly plan: ListenerPlan;
  readonly lease: Lease;
  readonly pool: Pool;
  readonly metrics: ListenerMetrics;
  readonly table: ConnectionTable;
  readonly total: TotalConnections;
  /** null: clients connect without TLS. */
  readonly tls: ServerTls | null;
  readonly shared: Shared;
}

/** A relay, as held by the connection table. It outlives its snapshot, so it must not reference the snapshot. */
class HeldRelay implements ServerConnection, RelayObserver {
  tablePlace = NOWHERE;
  tableNumber = 0;
  readonly idle = false;
  readonly connection: Connection;
  relay: Relay | null = null;
  #home: ConnectionHome;
  readonly #shared: Shared;
  readonly #generation: number;

  constructor(connection: Connection, home: OpenHome, { shared, lease }: TcpListenerParts) {
    this.connection = connection;
    this.#home = home;
    this.#shared = shared;
    this.#generation = lease.generation;
    home.add(this);
  }

  get clientAddress(): string {
    return this.connection.clientAddress;
  }

  moveTo(home: ConnectionHome): void {
    this.#home = home;
    this.connection.listener = home.listener;
  }

  /** A byte stream has no safe point to end at: it runs until it closes or is aborted. */
  retire(): void {}

  destroy(): void {
    this.relay?.abort(ABORT);
  }

  onRelayClosed(relay: Relay, error: string): void {
    const { accessLog, clock } = this.#shared;
    this.#home.closed(this);
    if (accessLog !== null) logRelay(accessLog, relay, this.#generation, clock.now(), error);
  }
}

export class TcpListener implements TcpListenerContext, ConnectionTaker {
  readonly plan: ListenerPlan;
  readonly lease: Lease;
  readonly pool: Pool;
  readonly table: ConnectionTable;
  readonly metrics: ListenerMetrics;
  readonly shared: Shared;
  readonly acl: AddressAcl | null;
  readonly tlsPolicies: ServerPolicies | null;
  readonly #parts: TcpListenerParts;

  constructor(parts: TcpListenerParts) {
    this.plan = parts.plan;
    this.lease = parts.lease;
    this.pool = parts.pool;
    this.table = parts.table;
    this.metrics = parts.metrics;
    this.shared = parts.shared;
    this.acl = parts.plan.acl === null ? null : new AddressAcl(parts.plan.acl);
    this.tlsPolicies = parts.tls?.policies.binding === true ? parts.tls.policies : null;
    this.#parts = parts;
  }

  /** A connection was accepted. A refused one is reset: a byte stream has no other way to refuse. */
  accept(transport: Transport): void {
    const { plan, metrics, table, total, tls, shared } = this.#parts;
    const connection = new Connection(transport.addresses(), plan.name, tls !== null);
    const { clientAddress } = connection;
    metrics.accepted++;
    const allowed = this.acl === null || this.acl.allows(clientAddress);
    if (!allowed) metrics.refusedByAcl++;
    if (shared.overloaded) metrics.refusedByOverload++;
    if (!allowed || shared.overloaded || admit(plan.limits, table, total, clientAddress, metrics) !== 'fits') {
      transport.reset();
      return;
    }
    if (tls === null) this.secured(transport, connection, table);
    else HandshakingConnection.start(transport, connection, tls, this, this);
  }

  /** Bytes may flow (ConnectionTaker). */
  secured(transport: Transport, connection: Connection, home: OpenHome): void {
    const held = new HeldRelay(connection, home, this.#parts);
    held.relay = new Relay(transport, connection, this, held);
  }

  /** Instead of TLS, the client speaks another protocol (ConnectionTaker). */
  plain(transport: Transport): void {
    transport.reset();
  }

  /** The client's certificate is not accepted (ConnectionTaker). */
  unauthenticated(transport: Transport): void {
    transport.reset();
  }
}
