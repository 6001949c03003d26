/**
 * The TLS of the connections to one endpoint: the server names, and the sessions to resume. Hot, once for each
 * connection.
 *
 * A connection is used only by requests that want the same target: the same settings and the same server name. When a
 * reload changes one of them, the endpoint gets a new EndpointTls, and no connection and no session of the old one is
 * used again.
 */
import { type GatewayError, TLS_HANDSHAKE_FAILED } from '../kit/errors.ts';
import { certificateOf } from '../net/stream-handles.ts';
import type { ClientTls } from '../net/tls/client-tls.ts';
import type { Handshake, HandshakeObserver } from '../net/tls/handshake.ts';
import { startTls } from '../net/tls/start-tls.ts';
import type { TlsInfo } from '../net/tls/tls-info.ts';
import type { Transport } from '../net/transport.ts';

/** The most server names of one endpoint whose sessions are kept. */
const MOST_NAMES = 256;

/** The TLS settings of an endpoint. */
export interface EndpointTlsTuning {
  readonly client: ClientTls;
  /** A host name or an IP address. */
  readonly serverName: string;
  /** Each request brings its own server name. */
  readonly fromHost: boolean;
}

export class EndpointTls {
  readonly client: ClientTls;
  readonly fromHost: boolean;
  /** For requests that bring no server name. */
  readonly own: TlsTarget;
  /** Wall clock, in ms. */
  readonly wall: () => number;
  /** Those that had a connection, the oldest first. */
  readonly #targets = new Map<string, TlsTarget>();

  constructor({ client, serverName, fromHost }: EndpointTlsTuning, wall: () => number) {
    this.client = client;
    this.fromHost = fromHost;
    this.wall = wall;
    this.own = new TlsTarget(this, serverName);
  }

  /** Whether connections under these settings are as good as its own. */
  is(tuning: EndpointTlsTuning | null): boolean {
    return (
      tuning !== null &&
      tuning.client.id === this.client.id &&
      tuning.fromHost === this.fromHost &&
      tuning.serverName === this.own.serverName
    );
  }

  /** `serverName`: of the request, or '' if it brings none. */
  target(serverName: string): TlsTarget {
    if (serverName === '' || !this.fromHost) return this.own;
    return this.#targets.get(serverName) ?? new TlsTarget(this, serverName);
  }

  /**
   * A handshake with that name has succeeded: it is kept, unlike names that clients invent. Returns the one to use, since
   * another connection may have been made meanwhile.
   */
  secured(target: TlsTarget): TlsTarget {
    if (target === this.own) return target;
    const known = this.#targets.get(target.serverName);
    if (known !== undefined) return known;
    this.#targets.set(target.serverName, target);
    if (this.#targets.size > MOST_NAMES) this.#targets.delete(this.#targets.keys().next().value!);
    return target;
  }
}

/** What a connection was made for. */
export class TlsTarget {
  readonly tls: EndpointTls;
  readonly serverName: string;
  /** null: there is none to resume. */
  #session: Buffer | null = null;
  /** Epoch ms at which the server's certificate expires, and its sessions with it. */
  #until = 0;

  constructor(tls: EndpointTls, serverName: string) {
    this.tls = tls;
    this.serverName = serverName;
  }

  /**
   * The last session. It serves any number of connections: an observer who links them (RFC 8446 §C.4) learns that a
   * gateway talks to its backend.
   */
  get session(): Buffer | null {
    return this.#session !== null && this.tls.wall() < this.#until ? this.#session : null;
  }

  /** `until`: epoch ms; 0: that of the session before. */
  keep(session: Buffer, until: number): void {
    this.#session = session;
    if (until > 0) this.#until = until;
  }

  forget(): void {
    this.#session = null;
  }
}

export interface TargetObserver {
  /** The server is the right one. */
  onSecured(transport: Transport, resumed: boolean): void;
  onHandshakeFailed(error: GatewayError): void;
}

/** Starts the handshake on a connection, which it closes if the handshake fails. `http`: the connection is for HTTP. */
export function secure(transport: Transport, target: TlsTarget, http: boolean, observer: TargetObserver): Handshake {
  const { session } = target;
  const options = target.tls.client.optionsFor(target.serverName, http, session);
  return startTls(transport, null, options, new TargetHandshake(target, session !== null, observer));
}

class TargetHandshake implements HandshakeObserver {
  #target: TlsTarget;
  /** A session was offered. */
  readonly #offered: boolean;
  /** null: the handshake is over. */
  #observer: TargetObserver | null;
  /** The server has proved to be the right one. */
  #trusted = false;
  #until = 0;
  /** It has arrived before that, as with TLS 1.2. */
  #early: Buffer | null = null;

  constructor(target: TlsTarget, offered: boolean, observer: TargetObserver) {
    this.#target = target;
    this.#offered = offered;
    this.#observer = observer;
  }

  onSecured(transport: Transport, info: TlsInfo): void {
    const observer = this.#observer!;
    const target = this.#target;
    this.#observer = null;
    // The server that the session is from was the right one.
    const resumed = this.#offered && info.isSessionReused();
    if (!resumed) {
      const peer = info.getPeerX509Certificate();
      const certificate = peer === undefined ? undefined : certificateOf(peer);
      const error = target.tls.client.judge(certificate, info, target.serverName);
      if (error !== null) {
        transport.destroy();
        observer.onHandshakeFailed(error);
        return;
      }
      this.#until = target.tls.client.trustedUntil(certificate!);
    }
    this.#trusted = true;
    this.#target = target.tls.secured(target);
    if (this.#early !== null) this.onSession(this.#early);
    observer.onSecured(transport, resumed);
  }

  onHandshakeFailed(code: string): void {
    this.#target.forget();
    this.#observer!.onHandshakeFailed(TLS_HANDSHAKE_FAILED.with(code));
    this.#observer = null;
  }

  onSession(session: Buffer): void {
    if (this.#trusted) this.#target.keep(session, this.#until);
    else this.#early = session;
  }
}
