/** Part of the Plan: a pool, its endpoints and the rules for both. Cold; types only. */
import type { Claim } from '../../kit/claim.ts';
import type { RetryCause } from '../../kit/errors.ts';
import type { AddressPlan } from './address.ts';
import type { DnsPlan } from './dns.ts';
import type { HostPlan } from './host.ts';
import type { ResponsesPlan } from './responses.ts';
import type { StickyPlan } from './sticky.ts';
import type { PoolTlsPlan } from './tls.ts';
import type { FallbackPlan } from './traffic.ts';

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
  /** null: connections to the endpoints are not encrypted. */
  readonly tls: PoolTlsPlan | null;
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
  /** The name or IP address that its certificate has, unless the pool's `tls` names another; '': a Unix socket. */
  readonly serverName: string;
  readonly weight: number;
  /** 0: no limit, in both. */
  readonly maxConnections: number;
  readonly maxRequests: number;
  /** Load, health and pooled connections: the shape is pool and address, the tuning is weight and limits. */
  readonly claim: Claim;
  /** Its active check: the shape is the check's request; null: there is none. */
  readonly check: Claim | null;
}
