/**
 * A client connection during its TLS handshake. Hot.
 *
 * It counts as a connection of its listener from the start. When the handshake is done, the listener's protocol takes
 * the connection over; no other file knows whether there was one.
 */
import type { ConnectionHome, ServerConnection } from '../http/server-connection.ts';
import { NOWHERE } from '../kit/places.ts';
import type { Connection } from '../net/connection.ts';
import { authenticate } from '../net/tls/client-auth.ts';
import { ServerHandshake, type ServerHandshakeObserver } from '../net/tls/server-handshake.ts';
import type { ServerTls } from '../net/tls/server-tls.ts';
import type { TlsInfo } from '../net/tls/tls-info.ts';
import { TlsSession } from '../net/tls/tls-session.ts';
import type { Transport } from '../net/transport.ts';
import type { ListenerMetrics } from '../observe/metrics.ts';
import type { ListenerPlan } from '../plan/types.ts';
import { logHandshake } from './access-records.ts';
import type { ConnectionTable } from './connection-table.ts';
import type { Lease, Shared } from './listener-context.ts';

export interface HandshakeContext {
  readonly plan: ListenerPlan;
  readonly lease: Pick<Lease, 'generation'>;
  readonly table: ConnectionTable;
  readonly metrics: ListenerMetrics;
  readonly shared: Shared;
}

/** A listener's table, which admits the connection again when its protocol is known. */
export interface OpenHome extends ConnectionHome {
  add(connection: ServerConnection): void;
}

/** The listener: takes the connection over. */
export interface ConnectionTaker {
  /** The connection is encrypted; the caller has left the table. */
  secured(transport: Transport, connection: Connection, home: OpenHome): void;
  /** The client's certificate is not accepted; the caller has left the table. */
  unauthenticated(transport: Transport): void;
  /** The client did not speak TLS; the caller has left the table. `first`: the first byte. */
  plain(transport: Transport, connection: Connection, first: number): void;
}

export class HandshakingConnection implements ServerConnection, ServerHandshakeObserver {
  tablePlace = NOWHERE;
  tableNumber = 0;
  readonly idle = true;
  readonly clientAddress: string;
  readonly connection: Connection;
  #home: OpenHome;
  readonly #metrics: ListenerMetrics;
  readonly #shared: Shared;
  readonly #kind: 'http' | 'tcp';
  readonly #generation: number;
  readonly #tls: ServerTls;
  readonly #taker: ConnectionTaker;
  readonly #handshake: ServerHandshake;

  private constructor(
    transport: Transport,
    connection: Connection,
    tls: ServerTls,
    { plan, lease, table, metrics, shared }: HandshakeContext,
    taker: ConnectionTaker,
  ) {
    this.clientAddress = connection.clientAddress;
    this.connection = connection;
    this.#home = table;
    this.#metrics = metrics;
    this.#shared = shared;
    this.#kind = plan.protocol;
    this.#generation = lease.generation;
    this.#tls = tls;
    this.#taker = taker;
    this.#handshake = new ServerHandshake(transport, tls, shared.deadlines, plan.timeouts.handshake, this);
  }

  /** The table holds it before its client can be read. */
  static start(
    transport: Transport,
    connection: Connection,
    tls: ServerTls,
    context: HandshakeContext,
    taker: ConnectionTaker,
  ): void {
    context.table.add(new HandshakingConnection(transport, connection, tls, context, taker));
  }

  /** Nothing is lost: no request can have been sent. `patient`: the client has a moment for its first one. */
  retire(patient = false): void {
    if (!patient) this.destroy();
  }

  destroy(): void {
    this.#handshake.cancel();
    this.#home.closed(this);
  }

  moveTo(home: OpenHome): void {
    this.#home = home;
    this.connection.listener = home.listener;
  }

  onSecured(transport: Transport, info: TlsInfo, serverName: string): void {
    const policy = this.#tls.policies.of(serverName);
    const { accessLog, clock } = this.#shared;
    const client = policy.clientAuth === null ? null : authenticate(info, policy, clock.wall());
    if (typeof client === 'string') {
      this.#count(client);
      this.#taker.unauthenticated(transport);
      this.#home.closed(this);
      return;
    }
    const version = accessLog === null ? '' : (info.getProtocol() ?? '');
    const cipher = accessLog === null ? '' : info.getCipher().standardName;
    this.connection.tls = new TlsSession(policy, serverName, version, cipher, client);
    this.#metrics.handshakes++;
    if (info.isSessionReused()) this.#metrics.resumptions++;
    this.#taker.secured(transport, this.connection, this.#home);
    this.#home.closed(this);
  }

  onPlain(transport: Transport, first: number): void {
    this.#count('tls_plain_text');
    this.#taker.plain(transport, this.connection, first);
    this.#home.closed(this);
  }

  onTlsFailed(code: string): void {
    this.#count(code);
    this.#home.closed(this);
  }

  #count(code: string): void {
    this.#metrics.handshakeFailed(code);
    const { accessLog, clock } = this.#shared;
    if (accessLog !== null) logHandshake(accessLog, this.#kind, this.connection, this.#generation, clock.now(), code);
  }
}
