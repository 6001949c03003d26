/**
 * The Plan: the meaning of a valid configuration, as plain frozen data. Cold.
 *
 * Made by plan/plan.ts from a GatewayConfig; read by runtime/snapshot/bind.ts, which adds live objects and produces a
 * Snapshot. All names are resolved except those of fallback pools: a route holds its pool, a listener its ACL. Units
 * are milliseconds and bytes. A plan is data: it can be shown, diffed and kept as a golden file.
 */
import type { PathRules } from '../http/path.ts';
import type { Claim } from '../kit/claim.ts';
import type { RetryCause } from '../kit/errors.ts';
import type { AdminPlan } from './types/admin.ts';
import type { CachePlan, CachePolicyPlan } from './types/cache.ts';
import type { CompressPlan, DecompressPlan } from './types/coding.ts';
import type { CorsPolicyPlan } from './types/cors.ts';
import type { DisabledPlan } from './types/disabled.ts';
import type { DnsPlan } from './types/dns.ts';
import type { IdentityPlan } from './types/identity.ts';
import type { ModulePlan, ModulePolicyPlan } from './types/module.ts';
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
  /** null: clients can't ask how their request was handled. */
  readonly explain: ExplainPlan | null;
  readonly caches: readonly CachePlan[];
  /** The modules of `module` policies, with their texts: binding runs what was checked. */
  readonly modules: readonly ModulePlan[];
  readonly listeners: readonly ListenerPlan[];
  readonly pools: readonly PoolPlan[];
  /** In order of precedence: the first that matches wins. */
  readonly routes: readonly RoutePlan[];
  /** The disabled parts. */
  readonly disabled: DisabledPlan;
}

/** 0: no limit, in all of these. */
export interface GatewayLimitsPlan {
  /** Client connections of all listeners. */
  readonly connections: number;
  /** Bytes of the request bodies that buffer policies hold. */
  readonly bufferMemory: number;
  /** Bytes of all encoders, and as many of all decoders. */
  readonly compressionMemory: number;
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

/** An address to listen on or to dial: a host and port, or the path of a Unix socket. */
export interface AddressPlan {
  /** As written, for people. */
  readonly text: string;
  /** An IP literal without brackets, or a DNS name; empty for a Unix socket. */
  readonly host: string;
  /** 0 for a Unix socket, or "any free port" on a listener. */
  readonly port: number;
  /** The path of the Unix socket, or null. */
  readonly path: string | null;
}

export interface LoggingPlan {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** stdout, stderr or an absolute file path; null: no access log. */
  readonly access: { readonly path: string } | null;
}

export interface ReloadPlan {
  /** Whether files are watched. */
  readonly watch: boolean;
  /** Milliseconds that a file written in place has to stay unchanged. */
  readonly settle: number;
  /** The rule for the leases of an old generation. */
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
  /** CIDRs of the peers whose Forwarded and X-Forwarded-* are trusted. */
  readonly trustedProxies: readonly string[];
  readonly identity: IdentityPlan;
  readonly limits: ListenerLimits;
  readonly timeouts: ListenerTimeouts;
  readonly paths: PathRules;
  readonly drain: DrainOverridePlan | null;
  /** The routes of this listener, in order of precedence; empty for tcp. */
  readonly routes: readonly RoutePlan[];
  /** The listening socket: its shape is the address. */
  readonly socket: Claim;
  /** The count of its connections: its shape is empty, only the name matters. */
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

/** Milliseconds; see the schema for what each one limits. */
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

/** The part of a request that is hashed; `name` of the header (in lower case) or cookie, else ''. */
export interface HashKeyPlan {
  readonly source: 'client' | 'path' | 'header' | 'cookie';
  readonly name: string;
}

export interface PoolPlan {
  readonly name: string;
  /** The pool's previous name, under which state may exist; null: it had none. */
  readonly renamedFrom: string | null;
  readonly strategy: StrategyPlan;
  /** null: sticky sessions are off. */
  readonly sticky: StickyPlan | null;
  /** The endpoints whose address is in the config. */
  readonly endpoints: readonly EndpointPlan[];
  /** The endpoints found by DNS name; null: there are none. */
  readonly dns: DnsPlan | null;
  readonly timeouts: PoolTimeouts;
  readonly keepalive: KeepalivePlan;
  /** The rules for responses of its endpoints. */
  readonly responses: ResponsesPlan;
  readonly health: HealthPlan;
  readonly retries: RetriesPlan;
  /** null: requests are not hedged. `delay` in ms. */
  readonly hedge: { readonly delay: number } | null;
  readonly queue: QueuePlan;
  readonly fallback: FallbackPlan | null;
  /** The Host that endpoints receive. */
  readonly host: HostPlan;
  /** Over all endpoints; 0: no limit, in both. */
  readonly maxConnections: number;
  readonly maxRequests: number;
  /** Load, queue and retry budget: the shape is empty, only the name matters. */
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
  /** Connections opened before they are needed. */
  readonly prewarm: number;
}

export interface HealthPlan {
  /** null: endpoint health comes only from traffic. */
  readonly active: CheckPlan | null;
  readonly passive: {
    /** Failed exchanges in a row; 0: off. */
    readonly failures: number;
    readonly statuses: readonly number[];
    /** Milliseconds; 0: off. */
    readonly latency: number;
    /** Percent. */
    readonly maxEjected: number;
    readonly successRate: SuccessRatePlan;
  };
  readonly backoff: BackoffPlan;
  /** Percent; 0: never. */
  readonly panic: number;
  /** Milliseconds; 0: no slow start. */
  readonly slowStart: number;
}

export interface SuccessRatePlan {
  /** Standard deviations; 0: rates are not compared. */
  readonly deviations: number;
  /** Percentage points. */
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
  /** null: any body passes. */
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
  /** Milliseconds between the gateway's own connection attempts; 0: only requests try the endpoint. */
  readonly probe: number;
}

export interface RetriesPlan {
  readonly attempts: number;
  readonly on: readonly RetryCause[];
  readonly statuses: readonly number[];
  /** Requests that are not idempotent are retried too. */
  readonly nonIdempotent: boolean;
  /** Milliseconds; 0: no per-try limit. */
  readonly perTryTimeout: number;
  /** Bytes. */
  readonly bodySize: number;
  /** Milliseconds. */
  readonly backoff: { readonly first: number; readonly max: number };
  readonly budget: RetryBudgetPlan;
}

export interface RetryBudgetPlan {
  /** Percent of the running requests. */
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
  /** Its name or address in the form of a Host field. */
  readonly host: string;
  readonly weight: number;
  /** 0: no limit, in both. */
  readonly maxConnections: number;
  readonly maxRequests: number;
  /** Load, health and pooled connections: the shape is pool and address, the tuning is weight and limits. */
  readonly claim: Claim;
  /** Its active check: the shape is the check's request; null: there is none. */
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
  /** null: requests are not mirrored. */
  readonly mirror: MirrorPlan | null;
  /** Maps the rewritten names in responses back to the names that clients know. */
  readonly mapBack: boolean;
  readonly drain: DrainOverridePlan | null;
}

export interface MatchPlan {
  /** Lower case; in `*.example.com` the star stands for one or more labels. null: any host. */
  readonly hosts: readonly string[] | null;
  readonly path: PathPlan | null;
  /** null: any method. */
  readonly methods: readonly string[] | null;
  readonly headers: readonly FieldMatchPlan[];
  readonly query: readonly FieldMatchPlan[];
}

export interface PathPlan {
  readonly kind: 'exact' | 'prefix' | 'regex';
  /** A prefix matches by whole segments and has no trailing slash, except "/" itself. */
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
  | { readonly type: 'buffer' /** Bytes. */; readonly size: number }
  | CachePolicyPlan
  | CompressPlan
  | CorsPolicyPlan
  | DecompressPlan
  | { readonly type: 'headers'; readonly request: FieldEdits; readonly response: FieldEdits }
  | ModulePolicyPlan
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

/** The parts given replace those parts of the request's URL; null keeps a part. */
export interface RedirectPlan {
  readonly status: number;
  readonly scheme: string | null;
  readonly host: string | null;
  readonly port: number | null;
  readonly path: string | null;
}
