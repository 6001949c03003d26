/**
 * What one exchange needs of the config that was current when it began. Hot.
 *
 * Bound by runtime/snapshot/bind.ts; a Snapshot is the Lease. The lease is held by the exchange or the tunnel, never by an idle
 * connection (docs/adr/0003).
 */
import type { Clock } from '../kit/clock.ts';
import type { Random } from '../kit/random.ts';
import type { AddressAcl, AddressSet } from '../kit/address-set.ts';
import { DENIED, DRAINED, type GatewayError } from '../kit/errors.ts';
import type { Verdict, HandlerContext } from '../http/interception.ts';
import type { DateField } from '../http/date.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Deadlines } from '../net/deadlines.ts';
import type { AccessLog } from '../observe/access-log.ts';
import type { ListenerMetrics, RouteMetrics } from '../observe/metrics.ts';
import type { ListenerPlan } from '../plan/types.ts';
import type { IdentityPlan } from '../plan/types/identity.ts';
import type { Gate, Hooks } from '../policies/policy.ts';
import type { Pool } from '../upstream/pool.ts';
import type { Respond } from './actions.ts';
import type { ExplainField } from './explain-field.ts';
import type { Mirror } from './mirror.ts';
import type { RouteOverrides } from './route-overrides.ts';
import type { Router } from './router.ts';
import type { Split } from './split.ts';

/** Why something under way can't go over to the next generation. */
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

/** How something under way is ended. */
export interface Termination {
  /** What its log says; for an exchange also what its client is told, if its response has not begun. */
  readonly error: GatewayError;
  /** The code of a WebSocket's goodbye (RFC 6455 §7.4.1); 0: none is said. */
  readonly closeCode: number;
}

export const ABORT: Termination = { error: DRAINED, closeCode: 0 };
/** Service Restart. */
export const GOODBYE: Termination = { error: DRAINED, closeCode: 1012 };
/** Policy Violation. */
export const DENIED_GOODBYE: Termination = { error: DENIED, closeCode: 1008 };

/** One lease, for people. */
export interface LeaseView {
  /** `fetch`: for a cache. */
  readonly kind: 'exchange' | 'tunnel' | 'tcp' | 'mirror' | 'fetch';
  readonly client: string;
  readonly listener: string;
  /** '' for tcp. */
  readonly route: string;
  /** '' if none has been chosen. */
  readonly endpoint: string;
  /** Monotonic ms. */
  readonly startedAt: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** The next generation, as what runs on an older one sees it. Cold. */
export interface Successor extends Lease {
  /** The listener that has taken the place of that one: see plan/succession.ts. */
  http(listener: ListenerPlan): HttpListenerContext | null;
  tcp(listener: ListenerPlan): TcpListenerContext | null;
  route(name: string): Route | null;
  pool(name: string): Pool | null;
}

/** Something under way that can be told to end when its generation has had its time. */
export interface Leaseholder {
  /** Where its Lease keeps it; NOWHERE: it holds none. */
  leasePlace: number;
  /** Why it could not go over to a newer generation when it was last asked; null: it was not, or it is not on an old one. */
  blocker: MigrationBlocker | null;
  /** Goes over to the next generation, if that means the same to it: null. Its lease is moved by the caller. */
  migrate(next: Successor): MigrationBlocker | null;
  /** It will have to end soon: its client is told, if its protocol can say so in passing. */
  leaving(): void;
  /** Ends it now, or as soon as its goodbye has been said. */
  abort(end: Termination): void;
  view(): LeaseView;
  /** The client's connection as its listener's table holds it; null: it has none. */
  readonly held: object | null;
}

export interface Lease {
  readonly generation: number;
  /** One more unit of work runs on this generation. */
  lease(holder: Leaseholder): void;
  /** It is done. Exactly once for each `lease`. */
  release(holder: Leaseholder): void;
}

/** One route, ready to run. Arrays are empty rather than absent. */
export interface Route {
  readonly name: string;
  readonly request: readonly ((x: Exchange, way: HandlerContext) => Verdict | Promise<Verdict>)[];
  readonly forward: readonly NonNullable<Hooks['forward']>[];
  readonly response: readonly NonNullable<Hooks['response']>[];
  readonly done: readonly NonNullable<Hooks['done']>[];
  /** The response hooks of the policies behind and before the one that may take exchanges over; `response` has them all. */
  readonly inner: readonly NonNullable<Hooks['response']>[];
  readonly outer: readonly NonNullable<Hooks['response']>[];
  /** Types of the policies that the request hooks are of. */
  readonly asks: readonly string[];
  /** Exactly one of the three is there. */
  readonly pool: Pool | null;
  readonly split: Split | null;
  readonly respond: Respond | null;
  /** null: nothing is mirrored. */
  readonly mirror: Mirror | null;
  /** Responses get the names that clients know. */
  readonly mapBack: boolean;
  /** null: all is as its listener and pools say. */
  readonly overrides: RouteOverrides | null;
  readonly metrics: RouteMetrics;
  /** What asks again whether its client may be served. */
  readonly gates: readonly Gate[];
  /** The policies that are more than gates. */
  readonly lasting: readonly Hooks[];
  /** Every pool that it may send to, its mirror's last. */
  readonly pools: readonly Pool[];
}

/** What a relay needs of the snapshot that is current when its client connects: one tcp listener of it. */
export interface TcpListenerContext {
  readonly lease: Lease;
  readonly plan: ListenerPlan;
  readonly acl: AddressAcl | null;
  readonly pool: Pool;
  readonly metrics: ListenerMetrics;
  readonly shared: Shared;
}

/** One http listener of one snapshot. */
export interface HttpListenerContext {
  readonly lease: Lease;
  readonly plan: ListenerPlan;
  readonly router: Router<Route>;
  readonly acl: AddressAcl | null;
  readonly trusted: AddressSet;
  readonly identity: IdentityPlan;
  /** null: no client is told what became of its request. */
  readonly explain: ExplainField | null;
  readonly metrics: ListenerMetrics;
  /** Counts the requests that no route takes. */
  readonly unrouted: RouteMetrics;
  readonly shared: Shared;
}

/** What all listeners of a gateway share, in every generation. */
export interface Shared {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly random: Random;
  /** The gateway has more to do than it can. */
  overloaded: boolean;
  /** It is about to stop: each response is the last on its connection. */
  stopping: boolean;
  /** null: no access log. */
  accessLog: AccessLog | null;
  /** The Date of now. */
  readonly date: DateField;
}
