/**
 * What is counted, as plain numbers in objects that the hot path holds on to. Hot to count, cold to read.
 *
 * One Metrics belongs to one Gateway. Series are kept by name, so that they outlive reloads, and dropped at a commit
 * that no longer names them. exposition.ts turns them into Prometheus text.
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
  /** Exchanges that failed after a connection was there. */
  failures = 0;
  retries = 0;
  checksPassed = 0;
  checksFailed = 0;
  /** Times that it was taken out. */
  ejections = 0;
}

export class PoolMetrics {
  /** Those who waited for room, who waited in vain, and who found the queue full. */
  queued = 0;
  queueTimeouts = 0;
  queueRefusals = 0;
  /** Further attempts that were not made because the budget was used up. */
  retriesDenied = 0;
  /** Second attempts beside slow first ones, and those that answered first. */
  hedges = 0;
  hedgesWon = 0;
  /** Those who went on to what it falls back on. */
  fallbacks = 0;
}

/** A name that endpoints are found by. */
export class NameMetrics {
  /** Rounds of questions by what came of them; `failed`: an answer was missing. */
  readonly lookups = { found: 0, empty: 0, failed: 0 };
  /** Times that the name stood for others than before. */
  changes = 0;
  /** Known now. */
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
  /** Copies under way. */
  active = 0;
}

/** What becomes of responses on a cache's disk. */
export interface DiskMetrics {
  /** Requests that memory had nothing for: found there, and not. */
  hits: number;
  misses: number;
  /** Of the misses, those that have waited for it in vain. */
  late: number;
  /** Responses written; given up unwritten; gone for room. */
  writes: number;
  dropped: number;
  evictions: number;
  /** Records that are not what was written, and what the system refused. */
  corrupt: number;
  errors: number;
}

export function diskMetrics(): DiskMetrics {
  return { hits: 0, misses: 0, late: 0, writes: 0, dropped: 0, evictions: 0, corrupt: 0, errors: 0 };
}

export class CacheMetrics {
  /** Each request is one of these four, by what was found at once: fresh; stale but good enough; nothing that would do; not looked for. */
  hits = 0;
  stale = 0;
  misses = 0;
  passed = 0;
  /** Of the misses, those given what is stored because the origin failed, and those answered along with another request. */
  staleOnError = 0;
  collapsed = 0;
  /** Stored responses found to be still good by their origin. */
  revalidated = 0;
  /** Asked for anew behind the back of who got it stale. */
  background = 0;
  stored = 0;
  /** Responses that made room for others, that unsafe requests have changed, that operators took back. */
  evictions = 0;
  invalidations = 0;
  purged = 0;
  /** Content bytes of answers that were stored before they were asked for. */
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
  tunnelsOpened = 0;
  tunnelsActive = 0;
  /** Bytes through tunnels, from and to the client. */
  tunnelBytesIn = 0;
  tunnelBytesOut = 0;

  badRequest(status: number): void {
    this.badRequests.set(status, (this.badRequests.get(status) ?? 0) + 1);
  }
}

export type ReloadResult = 'applied' | 'unchanged' | 'failed';
/** At what a reload failed. */
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

/** What becomes of writing down what was in effect. */
export class HistoryMetrics {
  written = 0;
  failed = 0;
  lastSuccessful = true;
  /** Entries that could not be understood when last looked at. */
  damaged = 0;
  /** Why an entry serves in place of the file; null: none does. */
  standIn: 'held' | 'last_good' | null = null;
}

/** What is done about streams that a stricter config would refuse. */
export type Tightened = 'keep' | 'drain' | 'cut';

/** What becomes of leases when their generation is not current any more. */
export class DrainMetrics {
  /** Moved to the next generation. */
  rehomed = 0;
  /** Ended by the gateway, by why. */
  readonly ended = { deadline: 0, denied: 0, max_generations: 0 };
  /** Those that the next generation would have refused. */
  readonly tightened: Record<Tightened, number> = { keep: 0, drain: 0, cut: 0 };
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

  /** An address is not one of the pool's any more. */
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

  /** Drops the series of everything that is not named any more: a step for each route, of which there are many. */
  *retain(names: NamedSeries): Generator<void> {
    for (const name of this.listeners.keys()) if (!names.listeners.has(name)) this.listeners.delete(name);
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
  /** Is there such a route? */
  readonly routes: (name: string) => boolean;
  readonly listeners: ReadonlySet<string>;
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
