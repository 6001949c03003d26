/** One tcp listener of one snapshot: each accepted connection is relayed to a pool. Hot. */
import { AccessList } from '../kit/access-list.ts';
import { Connection } from '../net/connection.ts';
import type { ClientHello } from '../net/tls/client-hello.ts';
import type { ServerPolicies } from '../net/tls/server-policies.ts';
import type { ServerTls } from '../net/tls/server-tls.ts';
import type { Transport } from '../net/transport.ts';
import type { ListenerMetrics } from '../observe/metrics.ts';
import type { ListenerPlan } from '../plan/types.ts';
import type { Pool } from '../upstream/pool.ts';
import { admit, type TotalConnections } from './admission.ts';
import type { ConnectionTable } from './connection-table.ts';
import { type ConnectionTaker, HandshakingConnection } from './handshaking-connection.ts';
import { admitsAddress, startRelay } from './held-relay.ts';
import type { Lease, OpenHome, RelayContext, Shared } from './listener-context.ts';
import type { TlsRouter } from './tls-router.ts';

export interface TcpListenerParts {
  readonly plan: ListenerPlan;
  readonly lease: Lease;
  readonly tlsRouter: TlsRouter<Pool>;
  readonly metrics: ListenerMetrics;
  readonly table: ConnectionTable;
  readonly total: TotalConnections;
  /** null: it decrypts nothing. */
  readonly tls: ServerTls | null;
  readonly shared: Shared;
}

export class TcpListener implements RelayContext, ConnectionTaker {
  readonly plan: ListenerPlan;
  readonly lease: Lease;
  readonly tlsRouter: TlsRouter<Pool>;
  readonly table: ConnectionTable;
  readonly metrics: ListenerMetrics;
  readonly tls: ServerTls | null;
  readonly tlsPolicies: ServerPolicies | null;
  readonly shared: Shared;
  readonly acl: AccessList | null;
  readonly #total: TotalConnections;

  constructor(parts: TcpListenerParts) {
    this.plan = parts.plan;
    this.lease = parts.lease;
    this.tlsRouter = parts.tlsRouter;
    this.table = parts.table;
    this.metrics = parts.metrics;
    this.tls = parts.tls;
    this.tlsPolicies = parts.tls?.policies.binding === true ? parts.tls.policies : null;
    this.shared = parts.shared;
    this.acl = parts.plan.acl === null ? null : new AccessList(parts.plan.acl);
    this.#total = parts.total;
  }

  /** A connection was accepted. A refused one is reset: a byte stream has no other way to refuse. */
  accept(transport: Transport): void {
    const { plan, metrics, table } = this;
    const connection = new Connection(transport.addresses(), plan.name, this.tls !== null);
    const { clientAddress } = connection;
    metrics.accepted++;
    if (
      !admitsAddress(this, clientAddress) ||
      admit(plan.limits, table, this.#total, clientAddress, metrics) !== 'fits'
    ) {
      transport.reset();
      return;
    }
    if (this.tlsRouter.reads) HandshakingConnection.start(transport, connection, this, this);
    else startRelay(transport, connection, table, this, 'unread', false, null);
  }

  /** The decrypted bytes may flow (ConnectionTaker). */
  secured(transport: Transport, connection: Connection, home: OpenHome, hello: ClientHello): void {
    startRelay(transport, connection, home, home.relays(), hello, true, null);
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
