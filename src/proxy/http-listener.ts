/**
 * One http listener of one snapshot: takes accepted connections, and serves exchanges under this snapshot's rules. Hot.
 *
 * A connection is accepted under one snapshot and may outlive it: for each request it asks its table for the current
 * listener. So an idle connection pins no snapshot, and no reload drops it.
 */
import { AccessList } from '../kit/access-list.ts';
import { AddressSet } from '../kit/address-set.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Subrequest } from '../http/interception.ts';
import { LocalReply, problemReply } from '../http/local-reply.ts';
import type { PathRules } from '../http/path.ts';
import { SERVER_CODECS } from '../http/server-codecs.ts';
import type { ServerEnvironment } from '../http/server-connection.ts';
import type { HttpLimits, HttpService, HttpTimeouts, RefusedHead, ServerStream } from '../http/server-stream.ts';
import { Connection } from '../net/connection.ts';
import { limitOf } from '../net/deadlines.ts';
import type { ServerPolicies } from '../net/tls/server-policies.ts';
import type { ServerTls } from '../net/tls/server-tls.ts';
import type { Transport } from '../net/transport.ts';
import type { ListenerMetrics, RouteMetrics } from '../observe/metrics.ts';
import type { ListenerPlan } from '../plan/types.ts';
import type { IdentityPlan } from '../plan/types/identity.ts';
import type { BoundHooks } from '../policies/policy.ts';
import type { Pool } from '../upstream/pool.ts';
import { logRefusal } from './access-records.ts';
import { admit, type TotalConnections } from './admission.ts';
import type { ConnectionTable } from './connection-table.ts';
import type { ExplainField } from './explain-field.ts';
import { type ConnectionTaker, HandshakingConnection } from './handshaking-connection.ts';
import type { HttpListenerContext, Lease, OpenHome, RelayContext, Route, Shared } from './listener-context.ts';
import { problem } from './local-replies.ts';
import { RefusalReplies } from './refusal-replies.ts';
import type { RequestBody } from './replay-body.ts';
import { RequestHandler } from './request-handler.ts';
import type { Router } from './router.ts';
import { SubrequestHandler } from './subrequest-handler.ts';
import type { TlsRouter } from './tls-router.ts';

const RETRY_AFTER = [['Retry-After', '1']] as const;
/** RFC 6585 §4: this client has too many connections. */
const TOO_MANY_OF_CLIENT = problemReply(429, RETRY_AFTER);
const TOO_MANY = problemReply(503, RETRY_AFTER);

/** A listener's own policies, bound. */
export interface ListenerPolicies {
  readonly local: BoundHooks['local'];
  readonly refusal: BoundHooks['refusal'];
  readonly routes: ReadonlyMap<string, Route>;
}

export interface HttpListenerParts {
  readonly plan: ListenerPlan;
  readonly lease: Lease;
  readonly router: Router<Route>;
  readonly explain: ExplainField | null;
  readonly policies: ListenerPolicies | null;
  readonly metrics: ListenerMetrics;
  readonly unrouted: RouteMetrics;
  readonly table: ConnectionTable;
  readonly total: TotalConnections;
  /** null: clients connect without TLS. */
  readonly tls: ServerTls | null;
  readonly tlsRouter: TlsRouter<Pool>;
  readonly shared: Shared;
}

/** The answer to plain HTTP on a listener with TLS, as nginx and Go give it. */
const NEEDS_TLS = new LocalReply(
  400,
  [['Content-Type', 'text/plain']],
  'this port speaks HTTPS: use https:// in the URL\n',
);

/**
 * The answer to a certificate that is not accepted, as nginx gives it. In TLS 1.3 the client has finished its handshake
 * when the server sees the certificate, and Node has no way to send an alert then.
 */
const BAD_CERTIFICATE = new LocalReply(
  400,
  [['Content-Type', 'text/plain']],
  'the client certificate is not accepted\n',
);

export class HttpListener implements HttpListenerContext, RelayContext, HttpService, ConnectionTaker {
  readonly plan: ListenerPlan;
  readonly lease: Lease;
  readonly router: Router<Route>;
  readonly acl: AccessList | null;
  readonly trusted: AddressSet;
  readonly tlsPolicies: ServerPolicies | null;
  readonly identity: IdentityPlan;
  readonly explain: ExplainField | null;
  readonly local: BoundHooks['local'];
  readonly derived: ReadonlyMap<string, Route> | null;
  readonly metrics: ListenerMetrics;
  readonly unrouted: RouteMetrics;
  readonly shared: Shared;
  readonly table: ConnectionTable;
  readonly limits: HttpLimits;
  readonly timeouts: HttpTimeouts;
  readonly paths: PathRules;
  readonly tls: ServerTls | null;
  readonly tlsRouter: TlsRouter<Pool>;
  readonly #refusals: RefusalReplies;
  readonly #total: TotalConnections;
  readonly #environment: ServerEnvironment;

  constructor(parts: HttpListenerParts) {
    const { plan, metrics, table, total, shared } = parts;
    this.plan = plan;
    this.lease = parts.lease;
    this.router = parts.router;
    this.acl = plan.acl === null ? null : new AccessList(plan.acl);
    this.trusted = new AddressSet(plan.trustedProxies);
    this.identity = plan.identity;
    this.explain = parts.explain;
    this.local = parts.policies?.local ?? [];
    this.#refusals = new RefusalReplies(parts.policies?.refusal ?? []);
    this.derived = parts.policies?.routes ?? null;
    this.metrics = metrics;
    this.unrouted = parts.unrouted;
    this.shared = shared;
    this.table = table;
    this.limits = plan.limits;
    const { header, body, idle, send } = plan.timeouts;
    this.timeouts = { header, body: limitOf(body), idle: limitOf(idle), send: limitOf(send) };
    this.paths = plan.paths;
    this.#total = total;
    this.tls = parts.tls;
    this.tlsRouter = parts.tlsRouter;
    this.tlsPolicies = parts.tls?.policies.binding === true ? parts.tls.policies : null;
    // It outlives this snapshot together with the connections made here, so it must not reference the snapshot.
    this.#environment = {
      clock: shared.clock,
      deadlines: shared.deadlines,
      date: () => shared.date.line(),
    };
  }

  /** A connection was accepted. */
  accept(transport: Transport): void {
    const connection = new Connection(transport.addresses(), this.plan.name, this.tls !== null);
    this.metrics.accepted++;
    // A handshake costs more than the 503 that its request would get.
    if (this.tls !== null && this.shared.overloaded) {
      this.metrics.refusedByOverload++;
      this.#log(connection, 0, 'overloaded');
      transport.reset();
      return;
    }
    const admission = admit(this.plan.limits, this.table, this.#total, connection.clientAddress, this.metrics);
    if (admission !== 'fits') {
      const answer = admission === 'full' ? TOO_MANY : TOO_MANY_OF_CLIENT;
      // Before a handshake there is no way to send an answer.
      this.#log(connection, this.tls === null ? answer.status : 0, 'connection_limit');
      if (this.tls === null)
        SERVER_CODECS.of(transport).reject(transport, this.#refusals.of(answer), this.table, this.#environment);
      else transport.reset();
      return;
    }
    if (this.tls === null) this.secured(transport, connection, this.table);
    else HandshakingConnection.start(transport, connection, this, this);
  }

  /** Closes idle connections whose client is denied, or whose certificate has been revoked. */
  retireDenied(): void {
    const { acl, tlsPolicies, table } = this;
    if (acl !== null)
      table.retireDenied(({ clientAddress, secure, tls }) => {
        // Before the end of its handshake, its certificate is not known.
        const certified = secure && tls === null ? true : acl.allowsCertificate(tls?.client ?? null);
        return certified && acl.allowsAddress(clientAddress);
      });
    if (tlsPolicies !== null) table.retireDenied(({ tls }) => !tlsPolicies.revokes(tls));
  }

  /** The client's protocol begins (ConnectionTaker). */
  secured(transport: Transport, connection: Connection, home: OpenHome): void {
    home.add(SERVER_CODECS.accept(transport, connection, home, this.#environment));
  }

  /** The client's certificate is not accepted (ConnectionTaker). */
  unauthenticated(transport: Transport): void {
    SERVER_CODECS.of(transport).reject(transport, this.#refusals.of(BAD_CERTIFICATE), this.table, this.#environment);
  }

  /** Instead of TLS, the client speaks a protocol that shows its text (ConnectionTaker). */
  plain(transport: Transport, connection: Connection, first: number): void {
    if (!isLetter(first)) {
      transport.reset();
      return;
    }
    this.refused(connection, NEEDS_TLS.status, 'tls_required', null);
    SERVER_CODECS.of(transport).reject(transport, NEEDS_TLS, this.table, this.#environment);
  }

  serve(x: Exchange, stream: ServerStream): void {
    if (this.shared.stopping) stream.closing = true;
    new RequestHandler(x, stream, this).start();
  }

  subrequest(x: Exchange, stream: ServerStream, route: Route, step: number, body: RequestBody): Subrequest {
    const handler = new SubrequestHandler(x, stream, this, route, step, body);
    handler.start();
    return handler;
  }

  refusal(status: number): LocalReply {
    return this.#refusals.of(problem(status));
  }

  refused(connection: Connection, status: number, why: string, head: RefusedHead | null): void {
    this.metrics.badRequest(status);
    this.#log(connection, status, why === '' ? undefined : why, head);
  }

  /** `error`: the reason, if the status alone does not give it. */
  #log(connection: Connection, status: number, error?: string, head: RefusedHead | null = null): void {
    const { accessLog, clock } = this.shared;
    if (accessLog !== null) logRefusal(accessLog, connection, this.lease.generation, status, clock.now(), error, head);
  }
}

/** Methods are letters. */
function isLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}
