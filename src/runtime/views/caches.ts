/** The caches of a running gateway: their contents, their counters, and purges. Cold. */
import type { DiskNumbers } from '../../cache/disk/disk.ts';
import { HttpCache } from '../../cache/store/http-cache.ts';
import { purge, type PurgeCounts } from '../../cache/store/purge.ts';
import { type PurgeOrder, purgeProblem } from '../../cache/store/purge-order.ts';
import { suggest } from '../../kit/suggest.ts';
import type { CacheGauges } from '../../observe/cache-exposition.ts';
import { CacheMetrics, type DiskMetrics } from '../../observe/metrics.ts';
import type { RoutePlan } from '../../plan/types.ts';
import type { CachePlan, CachePolicyPlan, DiskPlan } from '../../plan/types/cache.ts';
import type { ViewedGateway } from './viewed-gateway.ts';

export interface CacheView {
  readonly name: string;
  /** The routes that use it. */
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
  /** URLs, and the responses stored for them. */
  readonly entries: number;
  readonly responses: number;
  /** Bytes in use, including bodies still being received, and the bytes of those alone. */
  readonly size: number;
  readonly coming: number;
  /** Requests to origins in progress. */
  readonly fetches: number;
  /** The fraction of lookups answered at once, from 0 to 1; null: there were none. */
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
  /** null: it has no disk. */
  readonly disk: DiskView | null;
}

export interface DiskView {
  readonly path: string;
  /** Whether the directory is in use. It may be unavailable. */
  readonly open: boolean;
  readonly max_size: number;
  readonly entries: number;
  /** Bytes in use, and bytes waiting to be written. */
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

export function cacheViews(gateway: ViewedGateway): CacheView[] {
  return (gateway.current?.plan.caches ?? []).map((plan) => viewOf(gateway, plan));
}

/** Returns the cache of that name, or a text that says why there is none. */
export function cacheView(gateway: ViewedGateway, name: string): CacheView | string {
  const plan = find(gateway, name);
  return typeof plan === 'string' ? plan : viewOf(gateway, plan);
}

function find(gateway: ViewedGateway, name: string): CachePlan | string {
  const caches = gateway.current?.plan.caches ?? [];
  const found = caches.find((cache) => cache.name === name);
  if (found !== undefined) return found;
  const near = suggest(
    name,
    caches.map((cache) => cache.name),
  );
  return `there is no cache ${name}${near === undefined ? '' : `; did you mean ${near}?`}`;
}

function viewOf(gateway: ViewedGateway, plan: CachePlan): CacheView {
  const { name, maxSize, maxEntrySize, key } = plan;
  // A cache that no route uses has no state.
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

/** The store that a plan claims, if it exists. */
function stateOf(gateway: ViewedGateway, { claim }: CachePlan | CachePolicyPlan): HttpCache | null {
  const state = gateway.registry.peek(claim);
  return state instanceof HttpCache ? state : null;
}

export interface Purged extends PurgeCounts {
  readonly cache: string;
  readonly by: PurgeOrder['by'];
  readonly soft: boolean;
}

/** The order that the admin page passes on. */
export type PurgeWish = PurgeOrder;

export type PurgeRefusal = { readonly unknown: string } | { readonly bad: string };

/** Purges the cache of that name, in the current snapshot and in older live ones: their configs may come back. */
export async function purgeCache(
  gateway: ViewedGateway,
  name: string,
  order: PurgeOrder,
): Promise<Purged | PurgeRefusal> {
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

/** The contents of the stores at the moment of a scrape. */
export function cacheGauges(gateway: ViewedGateway): CacheGauges[] {
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
