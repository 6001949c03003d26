/** The caches of a running gateway: what is in them, how they fare, and purging them. Cold. */
import type { DiskNumbers } from '../../cache/disk/disk.ts';
import { HttpCache } from '../../cache/store/http-cache.ts';
import { purge, type PurgeCounts, type PurgeOrder, purgeProblem } from '../../cache/store/purge.ts';
import { suggest } from '../../kit/suggest.ts';
import type { CacheGauges } from '../../observe/cache-exposition.ts';
import { CacheMetrics, type DiskMetrics } from '../../observe/metrics.ts';
import type { RoutePlan } from '../../plan/types.ts';
import type { CachePlan, CachePolicyPlan, DiskPlan } from '../../plan/types/cache.ts';
import type { Gateway } from '../gateway.ts';

export interface CacheView {
  readonly name: string;
  /** Routes that use it. */
  readonly routes: readonly string[];
  readonly max_size: number;
  readonly max_entry_size: number;
  readonly key: {
    readonly query: readonly string[] | null;
    readonly ignore_query: readonly string[];
    readonly sort_query: boolean;
    readonly headers: readonly string[];
    readonly cookies: readonly string[];
  };
  /** URLs, and the responses that are stored for them. */
  readonly entries: number;
  readonly responses: number;
  /** Bytes in use, bodies on their way included, and of these alone. */
  readonly size: number;
  readonly coming: number;
  /** Requests to origins under way. */
  readonly fetches: number;
  /** Of the requests that were looked for, the part that was answered at once, from 0 to 1; null: there was none. */
  readonly hit_ratio: number | null;
  readonly hits: number;
  readonly stale: number;
  readonly misses: number;
  readonly passed: number;
  readonly collapsed: number;
  readonly stale_on_error: number;
  readonly revalidated: number;
  readonly background: number;
  readonly stored: number;
  readonly evictions: number;
  readonly invalidations: number;
  readonly purged: number;
  readonly bytes_served: number;
  /** null: it has none. */
  readonly disk: DiskView | null;
}

export interface DiskView {
  readonly path: string;
  /** Is the directory in use? It may not be to be had. */
  readonly open: boolean;
  readonly max_size: number;
  readonly entries: number;
  /** Bytes in use, and waiting to be written. */
  readonly size: number;
  readonly waiting: number;
  readonly hits: number;
  readonly misses: number;
  readonly late: number;
  readonly writes: number;
  readonly dropped: number;
  readonly evictions: number;
  readonly corrupt: number;
  readonly errors: number;
}

export function cacheViews(gateway: Gateway): CacheView[] {
  return (gateway.current?.plan.caches ?? []).map((plan) => viewOf(gateway, plan));
}

/** The cache of that name. A text: why there is none. */
export function cacheView(gateway: Gateway, name: string): CacheView | string {
  const plan = find(gateway, name);
  return typeof plan === 'string' ? plan : viewOf(gateway, plan);
}

function find(gateway: Gateway, name: string): CachePlan | string {
  const caches = gateway.current?.plan.caches ?? [];
  const found = caches.find((cache) => cache.name === name);
  if (found !== undefined) return found;
  const near = suggest(
    name,
    caches.map((cache) => cache.name),
  );
  return `there is no cache ${name}${near === undefined ? '' : `; did you mean ${near}?`}`;
}

function viewOf(gateway: Gateway, plan: CachePlan): CacheView {
  const { name, maxSize, maxEntrySize, key } = plan;
  // One that no route uses is not there, and has nothing.
  const cache = stateOf(gateway, plan);
  const counts = gateway.metrics.caches.get(name) ?? new CacheMetrics();
  const { hits, stale, misses } = counts;
  const looked = hits + stale + misses;
  const uses = ({ policies }: RoutePlan) => policies.some((policy) => policy.type === 'cache' && policy.cache === name);
  return {
    name,
    routes: gateway.current!.plan.routes.filter(uses).map((route) => route.name),
    max_size: maxSize,
    max_entry_size: maxEntrySize,
    key: {
      query: key.query,
      ignore_query: key.ignoreQuery,
      sort_query: key.sortQuery,
      headers: key.headers,
      cookies: key.cookies,
    },
    entries: cache?.store.entries ?? 0,
    responses: cache?.store.responses ?? 0,
    size: cache?.store.size ?? 0,
    coming: cache?.store.coming ?? 0,
    fetches: cache?.fetches.length ?? 0,
    hit_ratio: looked === 0 ? null : Math.round(((hits + stale) / looked) * 10_000) / 10_000,
    hits,
    stale,
    misses,
    passed: counts.passed,
    collapsed: counts.collapsed,
    stale_on_error: counts.staleOnError,
    revalidated: counts.revalidated,
    background: counts.background,
    stored: counts.stored,
    evictions: counts.evictions,
    invalidations: counts.invalidations,
    purged: counts.purged,
    bytes_served: counts.bytesServed,
    disk: plan.disk === null ? null : diskView(plan.disk, cache, counts.disk),
  };
}

function diskView({ path, maxSize }: DiskPlan, cache: HttpCache | null, counts: DiskMetrics): DiskView {
  const { open, entries, bytes, waiting } = cache?.disk?.numbers ?? NO_DISK;
  return { path, open, max_size: maxSize, entries, size: bytes, waiting, ...counts };
}

const NO_DISK: DiskNumbers = { open: false, entries: 0, bytes: 0, waiting: 0 };

/** The store that a plan claims, if it is there. */
export function stateOf(gateway: Gateway, { claim }: CachePlan | CachePolicyPlan): HttpCache | null {
  const state = gateway.registry.peek(claim);
  return state instanceof HttpCache ? state : null;
}

export interface Purged extends PurgeCounts {
  readonly cache: string;
  readonly by: PurgeOrder['by'];
  readonly soft: boolean;
}

/** What the admin page hands over. */
export type PurgeWish = PurgeOrder;

export type PurgeRefusal = { readonly unknown: string } | { readonly bad: string };

/** Purges the cache of that name, also as older configs that something still runs on have it: they may come back. */
export async function purgeCache(gateway: Gateway, name: string, order: PurgeOrder): Promise<Purged | PurgeRefusal> {
  const found = find(gateway, name);
  if (typeof found === 'string') return { unknown: found };
  const bad = purgeProblem(order);
  if (bad !== '') return { bad };
  const plans = gateway.snapshots.flatMap(({ plan }) => plan.caches.filter((cache) => cache.name === name));
  const states = new Set(plans.map((plan) => stateOf(gateway, plan)));
  const counts = { responses: 0, fetches: 0 };
  for (const state of states) {
    if (state === null) continue;
    const { responses, fetches } = await purge(state, order);
    counts.responses += responses;
    counts.fetches += fetches;
  }
  const { by, soft } = order;
  gateway.log.info('cache purged', { cache: name, by, values: order.values, soft, ...counts });
  return { cache: name, by, soft, ...counts };
}

/** What the stores hold at the moment of a scrape. */
export function cacheGauges(gateway: Gateway): CacheGauges[] {
  return (gateway.current?.plan.caches ?? []).map((plan) => {
    const cache = stateOf(gateway, plan);
    const store = cache?.store;
    return {
      cache: plan.name,
      entries: store?.entries ?? 0,
      responses: store?.responses ?? 0,
      size: store?.size ?? 0,
      coming: store?.coming ?? 0,
      maxSize: plan.maxSize,
      disk: plan.disk === null ? null : { ...(cache?.disk?.numbers ?? NO_DISK), maxSize: plan.disk.maxSize },
    };
  });
}
