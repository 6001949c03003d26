/**
 * A client connection during its TLS handshake. Hot.
 *
 *     ClientHello ─┬─ terminate ──▶ handshake ──▶ the listener's protocol
 *                  ├─ relay ──▶ a relay, with the bytes read so far
 *                  └─ refuse
 *
 * It counts as a connection of its listener from the start. The listener of the current config decides by the
 * ClientHello. When the handshake is done, the listener's protocol takes the connection over; no other file knows
 * whether there was one.
 */
import type { ServerConnection } from '../http/server-connection.ts';
import { NOWHERE } from '../kit/places.ts';
import type { Connection } from '../net/connection.ts';
import { authenticate } from '../net/tls/client-auth.ts';
import type { ClientHello } from '../net/tls/client-hello.ts';
import { type HelloVerdict, ServerHandshake, type ServerHandshakeObserver } from '../net/tls/server-handshake.ts';
import type { ServerTls } from '../net/tls/server-tls.ts';
import type { TlsInfo } from '../net/tls/tls-info.ts';
import { TlsSession } from '../net/tls/tls-session.ts';
import type { Transport } from '../net/transport.ts';
import type { ListenerMetrics } from '../observe/metrics.ts';
import type { ListenerPlan } from '../plan/types.ts';
import { logHandshake } from './access-records.ts';
import type { ConnectionTable } from './connection-table.ts';
import { startRelay } from './held-relay.ts';
import type { Lease, OpenHome, Shared } from './listener-context.ts';
import type { Opening } from './tls-router.ts';

export interface HandshakeContext {
  readonly plan: ListenerPlan;
  readonly lease: Pick<Lease, 'generation'>;
  readonly table: ConnectionTable;
  readonly metrics: ListenerMetrics;
  readonly shared: Shared;
}

/** The listener: takes the connection over. */
export interface ConnectionTaker {
  /** The connection is encrypted; the caller has left the table. */
  secured(transport: Transport, connection: Connection, home: OpenHome, hello: ClientHello): void;
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
  readonly #taker: ConnectionTaker;
  readonly #handshake: ServerHandshake;
  /** null: it has not come. */
  #hello: ClientHello | null = null;
  /** That of the handshake; null: none has begun. */
  #tls: ServerTls | null = null;

  private constructor(
    transport: Transport,
    connection: Connection,
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
    this.#taker = taker;
    this.#handshake = new ServerHandshake(
      transport,
      shared.deadlines,
      plan.timeouts.handshake,
      table.handshakes,
      plan.limits.handshakes,
      this,
    );
  }

  /** The table holds it before its client can be read. */
  static start(transport: Transport, connection: Connection, context: HandshakeContext, taker: ConnectionTaker): void {
    context.table.add(new HandshakingConnection(transport, connection, context, taker));
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

  onHello(hello: ClientHello): HelloVerdict {
    this.#hello = hello;
    const context = this.#home.relays();
    if (context === null) return 'refuse';
    const { action, route } = context.tlsRouter.choose(hello);
    if (route !== '') context.metrics.tlsRouted(route);
    this.#tls = context.tls;
    return action === 'terminate' ? (this.#tls ?? 'refuse') : action;
  }

  onRelay(transport: Transport, early: Buffer): void {
    this.#relay(transport, this.#hello!, early);
  }

  #relay(transport: Transport, opening: Opening, early: Buffer): void {
    startRelay(transport, this.connection, this.#home, this.#home.relays(), opening, false, early);
    this.#home.closed(this);
  }

  onSecured(transport: Transport, info: TlsInfo): void {
    const hello = this.#hello!;
    const { serverName } = hello;
    const policy = this.#tls!.policies.of(serverName);
    const { accessLog, clock } = this.#shared;
    const { client, error } = authenticate(info, policy, clock.wall());
    const version = accessLog === null ? '' : (info.getProtocol() ?? '');
    const cipher = accessLog === null ? '' : info.getCipher().standardName;
    const session = new TlsSession(policy, serverName, version, cipher, client);
    if (error !== '') {
      this.#count(error, session);
      this.#taker.unauthenticated(transport);
      this.#home.closed(this);
      return;
    }
    this.connection.tls = session;
    this.#metrics.handshakes++;
    if (info.isSessionReused()) this.#metrics.resumptions++;
    this.#taker.secured(transport, this.connection, this.#home, hello);
    this.#home.closed(this);
  }

  onPlain(transport: Transport, early: Buffer): void {
    if (this.#home.relays()?.tlsRouter.choose('plain').action === 'relay') {
      this.#relay(transport, 'plain', early);
      return;
    }
    this.#count('tls_plain_text');
    this.#taker.plain(transport, this.connection, early[0]!);
    this.#home.closed(this);
  }

  onTlsFailed(code: string): void {
    const [tls, name] = [this.#tls, this.#hello?.serverName ?? ''];
    this.#count(code, tls === null || name === '' ? null : new TlsSession(tls.policies.of(name), name, '', '', null));
    this.#home.closed(this);
  }

  #count(code: string, session: TlsSession | null = null): void {
    this.#metrics.handshakeFailed(code);
    const { accessLog, clock } = this.#shared;
    if (accessLog === null) return;
    logHandshake(accessLog, this.#kind, this.connection, this.#generation, clock.now(), code, session);
  }
}
