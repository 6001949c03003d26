/** What there is, read off the snapshots: for metrics and for the admin pages. Cold. */
import type { Clock } from '../kit/clock.ts';
import { inSlices } from '../kit/slices.ts';
import type { EndpointGauges, PoolGauges, RuntimeGauges } from '../observe/exposition.ts';
import type { NamedSeries } from '../observe/metrics.ts';
import type { Plan } from '../plan/types.ts';
import { ActiveCheck } from '../upstream/active-check.ts';
import { EndpointState } from '../upstream/endpoint.ts';
import type { Duty } from '../upstream/health.ts';
import { PoolLoad } from '../upstream/load.ts';
import { cacheGauges } from './caches.ts';
import type { Gateway } from './gateway.ts';

/** The names of everything that may still be counted. */
export async function namedSeries(plans: readonly Plan[], clock: Clock): Promise<NamedSeries> {
  const endpoints = new Map<string, Set<string>>();
  for (const pool of plans.flatMap((plan) => plan.pools)) {
    const addresses = endpoints.get(pool.name) ?? new Set();
    for (const { address } of pool.endpoints) addresses.add(address.text);
    endpoints.set(pool.name, addresses);
  }
  // The empty name counts what no route took.
  const routes = new Set(['']);
  for (const plan of plans) await inSlices(plan.routes, clock, ({ name }) => routes.add(name));
  return {
    routes,
    listeners: new Set(plans.flatMap((plan) => plan.listeners.map(({ name }) => name))),
    caches: new Set(plans.flatMap((plan) => plan.caches.map(({ name }) => name))),
    endpoints,
  };
}

export interface EndpointView extends EndpointGauges {
  readonly weight: number;
  /** healthy, failing, open, half_open, check_failed, draining or disabled. */
  readonly state: string;
  /** What an operator said. */
  readonly duty: string;
  /** Failures in a row since it was last well. */
  readonly failures: number;
  readonly last_error: string;
  /** When its state last changed. */
  readonly since: string;
  /** When it may be tried again; null: now. */
  readonly next_try: string | null;
  /** Average time to the head of a response. */
  readonly latency_ms: number;
  readonly retries: number;
  /** Its last active check; null: there was none. `result`: '' or what was wrong. */
  readonly check: { readonly at: string; readonly result: string } | null;
}

/** Every endpoint of the current plan with its state. */
export function endpointViews(gateway: Gateway): EndpointView[] {
  const pools = gateway.current?.plan.pools ?? [];
  return pools.flatMap((pool) =>
    pool.endpoints.flatMap(({ address, weight, claim, check }) => {
      const endpoint = gateway.carryover.peek(claim);
      if (!(endpoint instanceof EndpointState)) return [];
      const { health, connections } = endpoint;
      const checked = check === null ? undefined : gateway.carryover.peek(check);
      const waits = health.failures > 0 && health.retryTime > gateway.clock.wall();
      return {
        pool: pool.name,
        endpoint: address.text,
        weight,
        healthy: health.well,
        state: health.state,
        duty: health.duty,
        failures: health.failures,
        last_error: health.lastError,
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
    }),
  );
}

/** Tells an endpoint what an operator said; null: there is no such endpoint. */
export function commandEndpoint(gateway: Gateway, pool: string, endpoint: string, duty: Duty): EndpointView | null {
  const planned = gateway.current?.plan.pools
    .find(({ name }) => name === pool)
    ?.endpoints.find(({ address }) => address.text === endpoint);
  const state = planned === undefined ? undefined : gateway.carryover.peek(planned.claim);
  if (!(state instanceof EndpointState)) return null;
  state.command(duty);
  return endpointViews(gateway).find((view) => view.pool === pool && view.endpoint === endpoint) ?? null;
}

function poolGauges(gateway: Gateway): PoolGauges[] {
  return (gateway.current?.plan.pools ?? []).flatMap(({ name, claim }) => {
    const load = gateway.carryover.peek(claim);
    return load instanceof PoolLoad ? [{ pool: name, queue: load.queue.length, retries: load.retries }] : [];
  });
}

export function runtimeGauges(gateway: Gateway): RuntimeGauges {
  return {
    generation: gateway.current?.generation ?? 0,
    leases: gateway.snapshots.map(({ generation, leases }) => ({ generation, leases })),
    endpoints: endpointViews(gateway),
    pools: poolGauges(gateway),
    caches: cacheGauges(gateway),
  };
}
