/** What there is, read off the snapshots: for metrics and for the admin pages. Cold. */
import type { Clock } from '../kit/clock.ts';
import { inSlices } from '../kit/slices.ts';
import type { EndpointGauges, RuntimeGauges } from '../observe/exposition.ts';
import type { NamedSeries } from '../observe/metrics.ts';
import type { Plan } from '../plan/types.ts';
import { EndpointState } from '../upstream/endpoint.ts';
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
    endpoints,
  };
}

export interface EndpointView extends EndpointGauges {
  readonly weight: number;
  /** Failures to connect in a row. */
  readonly failures: number;
  readonly last_error: string;
  /** When it last changed between well and failing. */
  readonly since: string;
}

/** Every endpoint of the current plan with its state. */
export function endpointViews(gateway: Gateway): EndpointView[] {
  const pools = gateway.current?.plan.pools ?? [];
  return pools.flatMap((pool) =>
    pool.endpoints.flatMap(({ address, weight, claim }) => {
      const state = gateway.carryover.peek(claim);
      if (!(state instanceof EndpointState)) return [];
      return {
        pool: pool.name,
        endpoint: address.text,
        weight,
        healthy: state.failures === 0,
        failures: state.failures,
        last_error: state.lastError,
        since: new Date(state.since).toISOString(),
        active: state.active,
        open: state.connections.open,
        idle: state.connections.idle,
      };
    }),
  );
}

export function runtimeGauges(gateway: Gateway): RuntimeGauges {
  return {
    generation: gateway.current?.generation ?? 0,
    leases: gateway.snapshots.map(({ generation, leases }) => ({ generation, leases })),
    endpoints: endpointViews(gateway),
  };
}
