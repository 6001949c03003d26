/** The current state, read from the snapshots: for metrics and for the admin pages. Cold. */
import { type TimeSlicer, TINY } from '../../kit/time-slicing.ts';
import type { EndpointGauges, PoolGauges, RuntimeGauges } from '../../observe/exposition.ts';
import type { Metrics, NamedSeries } from '../../observe/metrics.ts';
import { ActiveCheck } from '../../upstream/active-check.ts';
import type { AdminState } from '../../upstream/health.ts';
import type { Member } from '../../upstream/endpoint-set.ts';
import { PoolLoad } from '../../upstream/load.ts';
import { cacheGauges } from './caches.ts';
import { certificateGauges } from './certificates.ts';
import type { ViewedGateway } from './viewed-gateway.ts';
import { resolutionsOf } from '../snapshot/names.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

/** Drops the metric series that none of these snapshots names any more. */
export async function forgetSeries(
  metrics: Metrics,
  snapshots: readonly Snapshot[],
  slicer: TimeSlicer,
): Promise<void> {
  await slicer.all(metrics.retain(namedSeries(snapshots)), TINY);
}

/** The names of everything that may still be counted. */
function namedSeries(snapshots: readonly Snapshot[]): NamedSeries {
  const endpoints = new Map<string, Set<string>>();
  const names = new Map<string, Set<string>>();
  for (const { value: pool } of snapshots.flatMap(({ pools }) => [...pools.values()])) {
    // Includes removed endpoints with running exchanges.
    for (const { address } of pool.load.endpoints) addTo(endpoints, pool.name, address.text);
    for (const { name } of pool.plan.dns?.names ?? []) addTo(names, pool.name, name);
  }
  const plans = snapshots.map(({ plan }) => plan);
  const listeners = new Map<string, Set<string>>();
  for (const { name, tlsRoutes } of plans.flatMap((plan) => plan.listeners)) {
    const routes = listeners.get(name) ?? new Set();
    listeners.set(name, routes);
    for (const route of tlsRoutes) routes.add(route.name);
  }
  return {
    // The empty name counts requests that matched no route.
    routes: (name) => name === '' || snapshots.some(({ routes }) => routes.has(name)),
    listeners,
    caches: new Set(plans.flatMap((plan) => plan.caches.map(({ name }) => name))),
    pools: new Set(plans.flatMap((plan) => plan.pools.map(({ name }) => name))),
    endpoints,
    names,
  };
}

function addTo(map: Map<string, Set<string>>, key: string, value: string): void {
  const of = map.get(key);
  if (of === undefined) map.set(key, new Set([value]));
  else of.add(value);
}

export interface EndpointView extends EndpointGauges {
  readonly weight: number;
  /** The DNS name that found it, with its port; null: its address is in the config. */
  readonly name: string | null;
  /** Endpoints of priority 0 are tried first, then those of the next. */
  readonly priority: number;
  /** healthy, failing, open, half_open, check_failed, draining or disabled. */
  readonly state: string;
  /** The state set by an operator. */
  readonly admin_state: string;
  /** Failures in a row since it was last healthy. */
  readonly failures: number;
  readonly last_error: string;
  /** What is known of it besides, or ''. */
  readonly last_error_detail: string;
  /** The time of the last state change. */
  readonly since: string;
  /** The earliest time of the next try; null: now. */
  readonly next_try: string | null;
  /** The average time to the response head. */
  readonly latency_ms: number;
  readonly retries: number;
  /** Its last active check; null: there was none. `result`: '' or the error. */
  readonly check: { readonly at: string; readonly result: string } | null;
}

/** Every endpoint of the current pools with its state. */
export function endpointViews(gateway: ViewedGateway): EndpointView[] {
  const pools = [...(gateway.current?.pools.values() ?? [])];
  return pools.flatMap(({ value }) => value.endpoints.map(({ member }) => viewOf(gateway, member)));
}

function viewOf(
  { registry, clock }: ViewedGateway,
  { plan, state: endpoint, check, name, priority }: Member,
): EndpointView {
  const { health, connections } = endpoint;
  const checked = check === null ? undefined : registry.peek(check.claim);
  const waits = health.failures > 0 && health.retryTime > clock.wall();
  return {
    pool: endpoint.pool,
    endpoint: plan.address.text,
    weight: plan.weight,
    name,
    priority,
    healthy: health.well,
    state: health.state,
    admin_state: health.adminState,
    failures: health.failures,
    last_error: health.lastError,
    last_error_detail: health.lastDetail,
    since: new Date(health.since).toISOString(),
    next_try: waits ? new Date(health.retryTime).toISOString() : null,
    active: endpoint.active,
    open: connections.open,
    idle: connections.idle,
    latency_ms: Math.round(endpoint.latency * 100) / 100,
    retries: endpoint.metrics.retries,
    ejections: endpoint.metrics.ejections,
    check:
      checked instanceof ActiveCheck && checked.lastAt > 0
        ? { at: new Date(checked.lastAt).toISOString(), result: checked.lastResult }
        : null,
  };
}

/** Sets an endpoint's admin state; returns null if there is no such endpoint. */
export function commandEndpoint(
  gateway: ViewedGateway,
  pool: string,
  endpoint: string,
  adminState: AdminState,
): EndpointView | null {
  const found = gateway.current?.pools.get(pool)?.value.endpoints.find(({ name }) => name === endpoint);
  if (found === undefined) return null;
  found.state.command(adminState);
  return viewOf(gateway, found.member);
}

export interface NameView {
  readonly pool: string;
  readonly name: string;
  /** auto, a, aaaa, both or srv. */
  readonly type: string;
  readonly addresses: readonly {
    readonly endpoint: string;
    readonly host: string;
    readonly priority: number;
    readonly weight: number;
  }[];
  /** '' or why the last lookup found nothing, or not everything. */
  readonly last_error: string;
  /** The time of the last successful lookup; null: never. */
  readonly last_found: string | null;
  /** The time of the next lookup; null: now. */
  readonly next_lookup: string | null;
}

/** Every DNS name of endpoints in the current plan. */
export function nameViews({ current, registry }: ViewedGateway): NameView[] {
  return (current === null ? [] : resolutionsOf(current, registry)).map(
    ({ pool, name: { name, type }, found, lastError, lastFoundAt, nextAt }) => ({
      pool,
      name,
      type,
      addresses: found.map(({ text, host, priority, weight }) => ({ endpoint: text, host, priority, weight })),
      last_error: lastError,
      last_found: lastFoundAt === 0 ? null : new Date(lastFoundAt).toISOString(),
      next_lookup: nextAt === 0 ? null : new Date(nextAt).toISOString(),
    }),
  );
}

function poolGauges(gateway: ViewedGateway): PoolGauges[] {
  return (gateway.current?.plan.pools ?? []).flatMap(({ name, claim }) => {
    const load = gateway.registry.peek(claim);
    return load instanceof PoolLoad ? [{ pool: name, queue: load.queue.length, retries: load.retries }] : [];
  });
}

export function runtimeGauges(gateway: ViewedGateway): RuntimeGauges {
  return {
    generation: gateway.current?.generation ?? 0,
    leases: gateway.snapshots.map(({ generation, leases }) => ({ generation, leases })),
    endpoints: endpointViews(gateway),
    pools: poolGauges(gateway),
    caches: cacheGauges(gateway),
    bufferedBytes: gateway.bufferedBytes,
    certificates: certificateGauges(gateway),
  };
}
