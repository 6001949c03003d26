/**
 * Counters as plain numbers in objects that the hot path references directly. Hot to count, cold to read.
 *
 * One Metrics belongs to one Gateway. Series are kept by name, so that they survive reloads, and dropped at a commit
 * that no longer names them. exposition.ts formats them as Prometheus text.
 */
import { Histogram } from './histogram.ts';

/** Responses by class: index 1 is 1xx … 5 is 5xx; 0 is an exchange that ended without one. */
export type StatusCounts = Float64Array;

export class RouteMetrics {
  readonly responses: StatusCounts = new Float64Array(6);
  readonly duration = new Histogram();
  /** Content bytes of requests and of responses. */
  bytesIn = 0;
  bytesOut = 0;
}

export class EndpointMetrics {
  readonly responses: StatusCounts = new Float64Array(6);
  /** From the request sent to the response's head. */
  readonly firstByte = new Histogram();
  connectionsOpened = 0;
  connectionsReused = 0;
  connectErrors = 0;
  /** TLS handshakes that have succeeded. */
  tlsFull = 0;
  tlsResumed = 0;
  /** Exchanges that failed after the connection was established. */
  failures = 0;
  retries = 0;
  checksPassed = 0;
  checksFailed = 0;
  /** The number of ejections. */
  ejections = 0;
}

export class PoolMetrics {
  /** Requests that were queued, that timed out in the queue, and that found the queue full. */
  queued = 0;
  queueTimeouts = 0;
  queueRefusals = 0;
  /** Retries that were not made because the budget was used up. */
  retriesDenied = 0;
  /** Hedged requests, and those that responded first. */
  hedges = 0;
  hedgesWon = 0;
  /** Requests that went to the fallback. */
  fallbacks = 0;
}

/** Metrics of a DNS name of endpoints. */
export class NameMetrics {
  /** Lookups by result; `failed`: an answer was missing. */
  readonly lookups = { found: 0, empty: 0, failed: 0 };
  /** The number of times that its addresses changed. */
  changes = 0;
  /** The addresses known now. */
  addresses = 0;
}

/** How mirrored requests end; see docs/traffic.md. */
export type MirrorResult = 'answered' | 'failed' | 'dropped' | 'too_large' | 'incomplete' | 'cut';

export class MirrorMetrics {
  readonly results: Record<MirrorResult, number> = {
    answered: 0,
    failed: 0,
    dropped: 0,
    too_large: 0,
    incomplete: 0,
    cut: 0,
  };
  /** Mirrored requests in progress. */
  active = 0;
}

/** Metrics of a cache's disk. */
export interface DiskMetrics {
  /** Requests that missed memory: found on disk, and not found. */
  hits: number;
  misses: number;
  /** The misses whose wait for the disk timed out. */
  late: number;
  /** Responses written; dropped before being written; evicted. */
  writes: number;
  dropped: number;
  evictions: number;
  /** Damaged records, and errors from the system. */
  corrupt: number;
  errors: number;
}

export function diskMetrics(): DiskMetrics {
  return { hits: 0, misses: 0, late: 0, writes: 0, dropped: 0, evictions: 0, corrupt: 0, errors: 0 };
}

export class CacheMetrics {
  /**
   * Each request counts as one of four: a fresh response was stored; a usable stale one; no usable one; the cache was
   * bypassed.
   */
  hits = 0;
  stale = 0;
  misses = 0;
  passed = 0;
  /**
   * The misses that got a stale response because the origin failed, and those that shared another request's response.
   */
  staleOnError = 0;
  collapsed = 0;
  /** Stored responses that their origin confirmed as still valid. */
  revalidated = 0;
  /** Background revalidations after a stale response was served. */
  background = 0;
  stored = 0;
  /** Responses evicted for room, invalidated by unsafe requests, and purged by operators. */
  evictions = 0;
  invalidations = 0;
  purged = 0;
  /** Content bytes of responses served from the store. */
  bytesServed = 0;
  readonly disk = diskMetrics();
}

export class ListenerMetrics {
  accepted = 0;
  active = 0;
  refusedByAcl = 0;
  refusedByLimit = 0;
  /** Requests and tcp connections refused because the gateway itself was overloaded. */
  refusedByOverload = 0;
  /** Requests that never became an exchange, by status. */
  readonly badRequests = new Map<number, number>();
  /** TLS handshakes that succeeded, and those among them that resumed a session. */
  handshakes = 0;
  resumptions = 0;
  /** TLS handshakes in progress, and those that have not begun. */
  handshakesActive = 0;
  handshakesWaiting = 0;
  /** TLS handshakes that failed, by reason. */
  readonly failedHandshakes = new Map<string, number>();
  /** TLS connections by the TLS route that has matched them. */
  readonly tlsRoutes = new Map<string, number>();
  tunnelsOpened = 0;
  tunnelsActive = 0;
  /** Bytes through tunnels, from and to the client. */
  tunnelBytesIn = 0;
  tunnelBytesOut = 0;

  handshakeFailed(reason: string): void {
    this.failedHandshakes.set(reason, (this.failedHandshakes.get(reason) ?? 0) + 1);
  }

  tlsRouted(route: string): void {
    this.tlsRoutes.set(route, (this.tlsRoutes.get(route) ?? 0) + 1);
  }

  badRequest(status: number): void {
    this.badRequests.set(status, (this.badRequests.get(status) ?? 0) + 1);
  }
}

export type ReloadResult = 'applied' | 'unchanged' | 'failed';
/** The stage at which a reload failed. */
export type ReloadReason = 'parse' | 'validate' | 'plan' | 'tests' | 'bind' | 'stale' | 'file' | 'defect';

class ReloadMetrics {
  readonly results: Record<ReloadResult, number> = { applied: 0, unchanged: 0, failed: 0 };
  readonly failures: Record<ReloadReason, number> = {
    parse: 0,
    validate: 0,
    plan: 0,
    tests: 0,
    bind: 0,
    stale: 0,
    file: 0,
    defect: 0,
  };
  readonly duration = new Histogram();
  readonly phases = {
    seen: new Histogram(),
    parsed: new Histogram(),
    validated: new Histogram(),
    planned: new Histogram(),
    tested: new Histogram(),
    bound: new Histogram(),
    active: new Histogram(),
    drained: new Histogram(),
  };
  lastSuccessful = true;
  /** Epoch ms; 0: never. */
  lastSuccessAt = 0;
  lastFailureAt = 0;
}

/** Metrics of writing the history. */
export class HistoryMetrics {
  written = 0;
  failed = 0;
  lastSuccessful = true;
  /** Entries that were unreadable at the last listing. */
  damaged = 0;
  /** The reason why an entry serves instead of the file; null: the file serves. */
  fallback: 'held' | 'last_good' | null = null;
}

/** The action for running streams that a stricter config would refuse. */
export type Tightened = 'keep' | 'drain' | 'cut';

/** The fate of leases whose generation is no longer current. */
export class DrainMetrics {
  /** Migrated to the next generation. */
  migrated = 0;
  /** Ended by the gateway, by reason. */
  readonly ended = { deadline: 0, denied: 0, max_generations: 0 };
  /** Leases that the next generation would have refused. */
  readonly tightened: Record<Tightened, number> = { keep: 0, drain: 0, cut: 0 };
}

/** Certificates that the gateway obtains itself. */
export class CertificateMetrics {
  /** By issuer and result: `obtained`, or the code of a failure. */
  readonly results: { readonly issuer: string; readonly result: string; count: number }[] = [];

  count(issuer: string, result: string): void {
    const known = this.results.find((one) => one.issuer === issuer && one.result === result);
    if (known === undefined) this.results.push({ issuer, result, count: 1 });
    else known.count++;
  }
}

export class Metrics {
  readonly routes = new Map<string, RouteMetrics>();
  /** By pool, then by address. */
  readonly endpoints = new Map<string, Map<string, EndpointMetrics>>();
  readonly pools = new Map<string, PoolMetrics>();
  readonly listeners = new Map<string, ListenerMetrics>();
  /** By pool, then by name. */
  readonly names = new Map<string, Map<string, NameMetrics>>();
  /** By route. */
  readonly mirrors = new Map<string, MirrorMetrics>();
  readonly caches = new Map<string, CacheMetrics>();
  readonly reload = new ReloadMetrics();
  readonly history = new HistoryMetrics();
  readonly drain = new DrainMetrics();
  readonly certificates = new CertificateMetrics();

  route(name: string): RouteMetrics {
    return getOrMake(this.routes, name, () => new RouteMetrics());
  }

  pool(name: string): PoolMetrics {
    return getOrMake(this.pools, name, () => new PoolMetrics());
  }

  endpoint(pool: string, address: string): EndpointMetrics {
    const ofPool = getOrMake(this.endpoints, pool, () => new Map<string, EndpointMetrics>());
    return getOrMake(ofPool, address, () => new EndpointMetrics());
  }

  name(pool: string, name: string): NameMetrics {
    const ofPool = getOrMake(this.names, pool, () => new Map<string, NameMetrics>());
    return getOrMake(ofPool, name, () => new NameMetrics());
  }

  /** The address no longer belongs to the pool. */
  forgetEndpoint(pool: string, address: string): void {
    this.endpoints.get(pool)?.delete(address);
  }

  mirror(route: string): MirrorMetrics {
    return getOrMake(this.mirrors, route, () => new MirrorMetrics());
  }

  cache(name: string): CacheMetrics {
    return getOrMake(this.caches, name, () => new CacheMetrics());
  }

  listener(name: string): ListenerMetrics {
    return getOrMake(this.listeners, name, () => new ListenerMetrics());
  }

  /** Drops the series of everything that is no longer named, yielding after each route, because there may be many. */
  *retain(names: NamedSeries): Generator<void> {
    for (const [name, { tlsRoutes }] of this.listeners) {
      const kept = names.listeners.get(name);
      for (const route of tlsRoutes.keys()) if (kept?.has(route) === false) tlsRoutes.delete(route);
      if (kept === undefined) this.listeners.delete(name);
    }
    for (const name of this.caches.keys()) if (!names.caches.has(name)) this.caches.delete(name);
    for (const name of this.pools.keys()) if (!names.pools.has(name)) this.pools.delete(name);
    retainInPools(this.endpoints, names.endpoints);
    retainInPools(this.names, names.names);
    for (const series of [this.routes, this.mirrors])
      for (const name of series.keys()) {
        yield;
        if (!names.routes(name)) series.delete(name);
      }
  }
}

export interface NamedSeries {
  /** Whether such a route exists. */
  readonly routes: (name: string) => boolean;
  /** By name, with the names of their TLS routes. */
  readonly listeners: ReadonlyMap<string, ReadonlySet<string>>;
  readonly caches: ReadonlySet<string>;
  readonly pools: ReadonlySet<string>;
  /** By pool, in both. */
  readonly endpoints: ReadonlyMap<string, ReadonlySet<string>>;
  readonly names: ReadonlyMap<string, ReadonlySet<string>>;
}

function retainInPools(
  series: Map<string, Map<string, unknown>>,
  named: ReadonlyMap<string, ReadonlySet<string>>,
): void {
  for (const [pool, ofPool] of series) {
    const kept = named.get(pool);
    for (const name of ofPool.keys()) if (kept === undefined || !kept.has(name)) ofPool.delete(name);
    if (ofPool.size === 0) series.delete(pool);
  }
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
