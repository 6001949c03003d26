/**
 * The parts of the config that an exchange uses, as bound when the exchange began. Hot.
 *
 * Bound by runtime/snapshot/bind.ts; a Snapshot is the Lease. The exchange or the tunnel holds the lease, never an idle
 * connection (docs/adr/0003).
 */
import type { Clock } from '../kit/clock.ts';
import type { Random } from '../kit/random.ts';
import type { AccessList } from '../kit/access-list.ts';
import type { AddressSet } from '../kit/address-set.ts';
import { DENIED, DRAINED, type GatewayError } from '../kit/errors.ts';
import type { DateField } from '../http/date.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Subrequest } from '../http/interception.ts';
import type { ConnectionHome, ServerConnection } from '../http/server-connection.ts';
import type { ServerStream } from '../http/server-stream.ts';
import type { OutgoingHead } from '../http/outgoing-head.ts';
import type { Deadlines } from '../net/deadlines.ts';
import type { ServerPolicies } from '../net/tls/server-policies.ts';
import type { HandshakePace } from '../net/tls/handshake-queue.ts';
import type { SecureContexts } from '../net/tls/secure-contexts.ts';
import type { ServerTls } from '../net/tls/server-tls.ts';
import type { AccessLog } from '../observe/access-log.ts';
import type { ListenerMetrics, RouteMetrics } from '../observe/metrics.ts';
import type { ListenerPlan } from '../plan/types.ts';
import type { IdentityPlan } from '../plan/types/identity.ts';
import type { BoundHooks } from '../policies/policy.ts';
import type { Pool } from '../upstream/pool.ts';
import type { Respond } from './actions.ts';
import type { MemoryBudget } from '../kit/memory-budget.ts';
import type { ExplainField } from './explain-field.ts';
import type { RequestBody } from './replay-body.ts';
import type { RouteOverrides } from './route-overrides.ts';
import type { Router } from './router.ts';
import type { Split } from './split.ts';
import type { TlsRouter } from './tls-router.ts';

/** Why an exchange, tunnel or relay can't migrate to the next generation. */
export type MigrationBlocker =
  | 'listener_gone'
  | 'denied_by_listener'
  | 'denied_by_policy'
  | 'route_gone'
  | 'routed_elsewhere'
  | 'policies_changed'
  | 'pool_changed'
  | 'endpoint_gone'
  | 'over_limit';

/** How the gateway terminates an exchange, tunnel or relay. */
export interface Termination {
  /** The error for the log; an exchange's client gets it too, if the response has not begun. */
  readonly error: GatewayError;
  /** The status code of the WebSocket Close frame (RFC 6455 §7.4.1); 0: no Close frame is sent. */
  readonly closeCode: number;
}

export const ABORT: Termination = { error: DRAINED, closeCode: 0 };
/** Service Restart. */
export const GOODBYE: Termination = { error: DRAINED, closeCode: 1012 };
/** Policy Violation. */
export const DENIED_GOODBYE: Termination = { error: DENIED, closeCode: 1008 };

/** One lease, for the admin API. */
export interface LeaseView {
  /** `fetch`: a cache's fetch. */
  readonly kind: 'exchange' | 'tunnel' | 'tcp' | 'mirror' | 'fetch';
  readonly client: string;
  readonly listener: string;
  /** '' for tcp. */
  readonly route: string;
  /** '' if none has been picked. */
  readonly endpoint: string;
  /** Monotonic ms. */
  readonly startedAt: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** The next generation, as seen by leaseholders of an older one. Cold. */
export interface Successor extends Lease {
  /** The listener that succeeds that one: see plan/succession.ts. */
  http(listener: ListenerPlan): HttpListenerContext | null;
  /** Of the same protocol. */
  relay(listener: ListenerPlan): RelayContext | null;
  route(name: string): Route | null;
  pool(name: string): Pool | null;
}

/** A unit of work that can be aborted when its generation has reached its drain timeout. */
export interface Leaseholder {
  /** Its place in its Lease; NOWHERE: it holds no lease. */
  leasePlace: number;
  /**
   * Why its last migration to a newer generation was refused; null: none was tried, or it is not on an old generation.
   */
  blocker: MigrationBlocker | null;
  /** Migrates to the next generation and returns null, if the outcome is the same there. The caller moves the lease. */
  migrate(next: Successor): MigrationBlocker | null;
  /** It will be aborted soon: tells the client, if the protocol has a way to say so. */
  leaving(): void;
  /** Aborts it now, or as soon as its goodbye has been sent. */
  abort(end: Termination): void;
  view(): LeaseView;
  /** The client connection, as held by the listener's table; null: it has none. */
  readonly held: object | null;
}

export interface Lease {
  readonly generation: number;
  /** Registers one more unit of work on this generation. */
  lease(holder: Leaseholder): void;
  /** The unit of work is done. Called exactly once for each `lease`. */
  release(holder: Leaseholder): void;
}

/** Copies the requests of a route for another pool (mirror.ts). */
export interface RequestMirror {
  /** `body` and `head`: of the request as forwarded. null: it is not mirrored. */
  copyOf(request: MirroredRequest, body: RequestBody, head: OutgoingHead): RequestCopy | null;
}

export interface MirroredRequest {
  readonly x: Exchange;
  /** Of the generation that it runs on; a migration replaces it. */
  readonly context: { readonly lease: Lease };
}

/** Takes the copy of a request while it passes the body on. */
export interface RequestCopy extends RequestBody {
  /** The request is forwarded. */
  begin(): void;
  /** The exchange is over: no more of the request will arrive. */
  finished(): void;
}

/** One route, ready to run. Arrays are empty rather than absent. */
export interface Route extends BoundHooks {
  readonly name: string;
  /** Exactly one of the three is set. */
  readonly pool: Pool | null;
  readonly split: Split | null;
  readonly respond: Respond | null;
  /** null: nothing is mirrored. */
  readonly mirror: RequestMirror | null;
  /** Response fields are mapped back to the names that clients use. */
  readonly mapBack: boolean;
  /** null: the settings of the listener and the pools apply. */
  readonly overrides: RouteOverrides | null;
  readonly metrics: RouteMetrics;
  /** Every pool that the route may send to, the mirror's last. */
  readonly pools: readonly Pool[];
}

/** The parts of a snapshot that a relay uses: one listener of the snapshot that is current when the relay begins. */
export interface RelayContext {
  readonly lease: Lease;
  readonly plan: ListenerPlan;
  readonly acl: AccessList | null;
  /** null: the listener decrypts nothing. */
  readonly tls: ServerTls | null;
  readonly tlsRouter: TlsRouter<Pool>;
  /** null: clients need no certificate. */
  readonly tlsPolicies: ServerPolicies | null;
  readonly metrics: ListenerMetrics;
  readonly shared: Shared;
}

/** A listener's table, which admits the connection again when its protocol is known. */
export interface OpenHome extends ConnectionHome {
  add(connection: ServerConnection): void;
  /** The listener as the current config has it; null: it is gone. */
  relays(): RelayContext | null;
}

/** One http listener of one snapshot. */
export interface HttpListenerContext {
  readonly lease: Lease;
  readonly plan: ListenerPlan;
  readonly router: Router<Route>;
  readonly acl: AccessList | null;
  readonly trusted: AddressSet;
  /** null: every connection may carry every request. */
  readonly tlsPolicies: ServerPolicies | null;
  readonly identity: IdentityPlan;
  /** null: no client gets the explain field. */
  readonly explain: ExplainField | null;
  /** The response hooks for what is answered before a route is known. */
  readonly local: BoundHooks['local'];
  /** Its routes by name, with its own policies in front of theirs; null: it has none, and the snapshot's routes are its. */
  readonly derived: ReadonlyMap<string, Route> | null;
  readonly metrics: ListenerMetrics;
  /** Counts the requests that match no route. */
  readonly unrouted: RouteMetrics;
  readonly shared: Shared;
  /**
   * Sends the subrequest of an interceptor through the rest of a route. `step`: how many of its request hooks have run.
   * `body`: of the client's request.
   */
  subrequest(x: Exchange, stream: ServerStream, route: Route, step: number, body: RequestBody): Subrequest;
}

/** What an authority may ask for below the well-known path of ACME (RFC 8555 §8.3). */
export interface ChallengeAnswers {
  /** The content for a token; null: it is not one of ours. */
  http01(token: string): string | null;
}

/** Shared by all listeners of a gateway, in every generation. */
export interface Shared {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly random: Random;
  /** The gateway is overloaded. */
  overloaded: boolean;
  /** The gateway is about to stop: each response is the last on its connection. */
  stopping: boolean;
  /** null: no access log. */
  accessLog: AccessLog | null;
  /** The memory for bodies that policies read: those of clients, and those of responses to their own requests. */
  readonly bufferMemory: MemoryBudget;
  readonly secureContexts: SecureContexts;
  readonly handshakePace: HandshakePace;
  /** null: no authority will ask. */
  readonly challenges: ChallengeAnswers | null;
  /** The current Date field. */
  readonly date: DateField;
}
