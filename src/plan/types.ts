/**
 * The Plan: what a valid configuration means, as plain frozen data. Cold.
 *
 * Made by plan/plan.ts from a GatewayConfig; read by runtime/snapshot/bind.ts, which adds live things and calls the result a
 * Snapshot. No names are left to look up but those of pools to fall back on: a route holds its pool, a listener its ACL.
 * Units are milliseconds and bytes. Everything here prints and compares, so a plan can be shown, diffed and kept as a
 * golden file.
 */
import type { PathRules } from '../http/path.ts';
import type { Claim } from '../kit/claim.ts';
import type { RetryCause } from '../kit/errors.ts';
import type { CachePlan, CachePolicyPlan } from './types/cache.ts';
import type { DisabledPlan } from './types/disabled.ts';
import type { DnsPlan } from './types/dns.ts';
import type { IdentityPlan } from './types/identity.ts';
import type { HostPlan } from './types/host.ts';
import type { DrainOverridePlan, StopPlan } from './types/drain.ts';
import type { ResponsesPlan } from './types/responses.ts';
import type { StickyPlan } from './types/sticky.ts';
import type { OverridesPlan } from './types/overrides.ts';
import type { FallbackPlan, MirrorPlan, SplitPlan } from './types/traffic.ts';

export interface Plan {
  readonly admin: AdminPlan | null;
  readonly logging: LoggingPlan;
  readonly reload: ReloadPlan;
  readonly limits: GatewayLimitsPlan;
  /** null: no client is told what became of its request. */
  readonly explain: ExplainPlan | null;
  readonly caches: readonly CachePlan[];
  readonly listeners: readonly ListenerPlan[];
  readonly pools: readonly PoolPlan[];
  /** In order of precedence: the first that matches wins. */
  readonly routes: readonly RoutePlan[];
  /** What is switched off. */
  readonly disabled: DisabledPlan;
}

/** 0: no limit, in all of these. */
export interface GatewayLimitsPlan {
  /** Client connections of all listeners. */
  readonly connections: number;
  readonly overload: OverloadPlan;
}

export interface OverloadPlan {
  /** Milliseconds. */
  readonly loopDelay: number;
  /** Bytes. */
  readonly memory: number;
}

export interface ExplainPlan {
  /** In lower case. */
  readonly header: string;
  readonly allow: readonly string[];
}

/** Where to listen or to dial: a host and port, or the path of a Unix socket. */
export interface AddressPlan {
  /** As written, for people. */
  readonly text: string;
  /** IP literal without brackets, or a DNS name; empty for a Unix socket. */
  readonly host: string;
  /** 0 for a Unix socket, or "any free port" on a listener. */
  readonly port: number;
  /** Path of the Unix socket, or null. */
  readonly path: string | null;
}

export interface AdminPlan {
  readonly address: AddressPlan;
  /** Names that it may be asked by, in lower case; `*.example.com`: those below. */
  readonly hosts: readonly string[];
  /** Hex SHA-256 of the token that actions need; null: none, and only local clients may take them. */
  readonly token: string | null;
  /** null: no config may be pushed. */
  readonly push: AdminPushPlan | null;
  readonly claim: Claim;
}

export interface AdminPushPlan {
  /** Hex SHA-256 of the token, so that the plan does not have it. */
  readonly token: string;
  /** Bytes. */
  readonly maxSize: number;
}

export interface LoggingPlan {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** stdout, stderr or an absolute file path; null: no access log. */
  readonly access: { readonly path: string } | null;
}

export interface ReloadPlan {
  /** Whether files are watched. */
  readonly watch: boolean;
  /** Milliseconds that a file written in place has to stay as it is. */
  readonly settle: number;
  /** Of what an old generation leaves behind. */
  readonly drain: StopPlan;
  readonly maxGenerations: number;
  readonly tightened: 'keep' | 'drain' | 'cut';
  /** null: no history is kept. */
  readonly stateDir: string | null;
  readonly history: number;
  readonly startFromLastGood: boolean;
}

export interface AclPlan {
  readonly name: string;
  readonly default: 'allow' | 'deny';
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

export interface ListenerPlan {
  readonly name: string;
  readonly address: AddressPlan;
  readonly protocol: 'http' | 'tcp';
  /** The pool of a tcp listener; null for http. */
  readonly pool: PoolPlan | null;
  readonly acl: AclPlan | null;
  /** CIDRs of the peers whose Forwarded and X-Forwarded-* are believed. */
  readonly trustedProxies: readonly string[];
  readonly identity: IdentityPlan;
  readonly limits: ListenerLimits;
  readonly timeouts: ListenerTimeouts;
  readonly paths: PathRules;
  readonly drain: DrainOverridePlan | null;
  /** The routes this listener serves, in order of precedence; empty for tcp. */
  readonly routes: readonly RoutePlan[];
  /** The listening socket: shape is the address. */
  readonly socket: Claim;
  /** The count of its connections: shape is nothing but the name. */
  readonly count: Claim;
}

export interface ListenerLimits {
  /** 0: no limit, in all of these. */
  readonly connections: number;
  readonly connectionsPerClient: number;
  readonly headerSize: number;
  readonly headerCount: number;
  readonly uriSize: number;
  readonly bodySize: number;
}

/** Milliseconds; see the schema for what each one bounds. */
export interface ListenerTimeouts {
  readonly header: number;
  readonly body: number;
  readonly idle: number;
  readonly send: number;
}

export type StrategyPlan =
  | { readonly type: 'round_robin' }
  | { readonly type: 'weighted_round_robin' }
  | { readonly type: 'least_connections' }
  | { readonly type: 'random' }
  | { readonly type: 'ip_hash' }
  | { readonly type: 'p2c' }
  | { readonly type: 'ring_hash'; readonly key: HashKeyPlan; readonly replicas: number }
  | { readonly type: 'maglev'; readonly key: HashKeyPlan; readonly tableSize: number };

/** What a request is told by; `name` of the header (in lower case) or cookie, else ''. */
export interface HashKeyPlan {
  readonly source: 'client' | 'path' | 'header' | 'cookie';
  readonly name: string;
}

export interface PoolPlan {
  readonly name: string;
  /** The name that it had before, under which there may be state; null: this one. */
  readonly renamedFrom: string | null;
  readonly strategy: StrategyPlan;
  /** null: clients are not kept. */
  readonly sticky: StickyPlan | null;
  /** Those whose address is in the config. */
  readonly endpoints: readonly EndpointPlan[];
  /** Those that are found by name; null: there are none. */
  readonly dns: DnsPlan | null;
  readonly timeouts: PoolTimeouts;
  readonly keepalive: KeepalivePlan;
  /** What its endpoints may send. */
  readonly responses: ResponsesPlan;
  readonly health: HealthPlan;
  readonly retries: RetriesPlan;
  /** null: there are no second attempts beside the first. `delay` in ms. */
  readonly hedge: { readonly delay: number } | null;
  readonly queue: QueuePlan;
  readonly fallback: FallbackPlan | null;
  /** The Host that endpoints get. */
  readonly host: HostPlan;
  /** Over all endpoints; 0: no limit, in both. */
  readonly maxConnections: number;
  readonly maxRequests: number;
  /** Load, queue and retry budget: shape is nothing but the name. */
  readonly claim: Claim;
}

/** Milliseconds; 0: no limit, in all but `connect`. */
export interface PoolTimeouts {
  readonly connect: number;
  readonly firstByte: number;
  readonly idle: number;
  readonly stream: number;
  readonly tunnel: number;
  readonly total: number;
}

export interface KeepalivePlan {
  /** Idle connections kept to each endpoint, and for how long (ms). */
  readonly connections: number;
  readonly idle: number;
  /** Milliseconds that a connection is used; 0: no limit. */
  readonly maxAge: number;
  /** Connections made before they are needed. */
  readonly prewarm: number;
}

export interface HealthPlan {
  /** null: only the traffic shows whether endpoints are well. */
  readonly active: CheckPlan | null;
  readonly passive: {
    /** Failed exchanges in a row; 0: however many. */
    readonly failures: number;
    readonly statuses: readonly number[];
    /** Milliseconds; 0: however long. */
    readonly latency: number;
    /** Percent. */
    readonly maxEjected: number;
    readonly successRate: SuccessRatePlan;
  };
  readonly backoff: BackoffPlan;
  /** Percent; 0: never. */
  readonly panic: number;
  /** Milliseconds; 0: at once. */
  readonly slowStart: number;
}

export interface SuccessRatePlan {
  /** Standard deviations; 0: rates are not compared. */
  readonly deviations: number;
  /** Points of a hundred. */
  readonly margin: number;
  /** Milliseconds. */
  readonly interval: number;
  readonly minEndpoints: number;
  readonly minRequests: number;
}

export interface CheckPlan {
  readonly type: 'http' | 'tcp';
  readonly path: string;
  /** null: the endpoint's address. */
  readonly host: string | null;
  readonly method: 'GET' | 'HEAD';
  readonly status: readonly { readonly from: number; readonly to: number }[];
  /** null: anything will do. */
  readonly body: string | null;
  /** null: the endpoint's own. */
  readonly port: number | null;
  /** Milliseconds, percent, milliseconds. */
  readonly interval: number;
  readonly jitter: number;
  readonly timeout: number;
  /** Results in a row. */
  readonly healthy: number;
  readonly unhealthy: number;
}

/** Milliseconds, tries, and percent. */
export interface BackoffPlan {
  readonly first: number;
  readonly max: number;
  readonly retries: number;
  readonly jitter: number;
  /** Milliseconds from one connection of the gateway's own to the next; 0: only requests try. */
  readonly probe: number;
}

export interface RetriesPlan {
  readonly attempts: number;
  readonly on: readonly RetryCause[];
  readonly statuses: readonly number[];
  /** Milliseconds; 0: no limit of its own. */
  readonly perTryTimeout: number;
  /** Bytes. */
  readonly bodySize: number;
  /** Milliseconds. */
  readonly backoff: { readonly first: number; readonly max: number };
  readonly budget: RetryBudgetPlan;
}

export interface RetryBudgetPlan {
  /** Percent of what is under way. */
  readonly share: number;
  readonly min: number;
}

export interface QueuePlan {
  readonly depth: number;
  /** Milliseconds. */
  readonly wait: number;
  readonly order: 'fifo' | 'adaptive_lifo';
}

export interface EndpointPlan {
  readonly address: AddressPlan;
  /** Its name or address as a Host field has it. */
  readonly host: string;
  readonly weight: number;
  /** 0: no limit, in both. */
  readonly maxConnections: number;
  readonly maxRequests: number;
  /** Load, health and pooled connections: shape is pool and address, tuning the weight and limits. */
  readonly claim: Claim;
  /** Its active check: shape is what is asked; null: there is none. */
  readonly check: Claim | null;
}

export interface RoutePlan extends OverridesPlan {
  readonly name: string;
  /** null: every http listener. */
  readonly listeners: readonly string[] | null;
  readonly match: MatchPlan;
  /** Outermost first. */
  readonly policies: readonly PolicyPlan[];
  readonly action: ActionPlan;
  /** null: nothing is mirrored. */
  readonly mirror: MirrorPlan | null;
  /** Responses that name what the gateway has rewritten get the names that clients know. */
  readonly mapBack: boolean;
  readonly drain: DrainOverridePlan | null;
}

export interface MatchPlan {
  /** Lower case; `*.example.com` has one or more labels in place of the star. null: any host. */
  readonly hosts: readonly string[] | null;
  readonly path: PathPlan | null;
  /** null: any method. */
  readonly methods: readonly string[] | null;
  readonly headers: readonly FieldMatchPlan[];
  readonly query: readonly FieldMatchPlan[];
}

export interface PathPlan {
  readonly kind: 'exact' | 'prefix' | 'regex';
  /** A prefix matches by whole segments and has no trailing slash, but for "/" itself. */
  readonly value: string;
}

/** One condition on a header (name in lower case) or query parameter. */
export interface FieldMatchPlan {
  readonly name: string;
  readonly kind: 'exact' | 'regex' | 'present';
  /** The value or pattern; 'true' or 'false' for present. */
  readonly value: string;
}

export type FieldEdits = {
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly add: readonly (readonly [name: string, value: string])[];
  readonly remove: readonly string[];
};

export type PolicyPlan =
  | { readonly type: 'acl'; readonly acl: AclPlan }
  | CachePolicyPlan
  | { readonly type: 'headers'; readonly request: FieldEdits; readonly response: FieldEdits }
  | { readonly type: 'rewrite'; readonly prefix: string; readonly replacement: string };

export type ActionPlan =
  | { readonly type: 'pool'; readonly pool: PoolPlan }
  | SplitPlan
  | RespondPlan
  | { readonly type: 'redirect'; readonly redirect: RedirectPlan };

export interface RespondPlan {
  readonly type: 'respond';
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** Parts given replace that part of the request's URL; null keeps it. */
export interface RedirectPlan {
  readonly status: number;
  readonly scheme: string | null;
  readonly host: string | null;
  readonly port: number | null;
  readonly path: string | null;
}
