/**
 * Plan and Carryover become a Snapshot: where names end and live things begin. Cold.
 *
 * Called by gateway.ts. It opens no socket and sends nothing, and lets the traffic go on every few milliseconds; if
 * anything fails, what was acquired is released in reverse and the caller's world is as before.
 */
import type { Clock } from '../kit/clock.ts';
import { inSlices } from '../kit/slices.ts';
import type { Random } from '../kit/random.ts';
import type { HttpService } from '../http/server-stream.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { ListenerPlan, Plan, PoolPlan, RoutePlan } from '../plan/types.ts';
import { bindPolicies } from '../policies/index.ts';
import { bindAction } from '../proxy/actions.ts';
import type { TotalConnections } from '../proxy/admission.ts';
import { ConnectionTable } from '../proxy/connection-table.ts';
import { HttpListener } from '../proxy/http-listener.ts';
import type { Route, Shared } from '../proxy/live.ts';
import { Router } from '../proxy/router.ts';
import { TcpListener } from '../proxy/tcp-listener.ts';
import { EndpointState } from '../upstream/endpoint.ts';
import { Pool, PoolEndpoint } from '../upstream/pool.ts';
import { bindStrategy } from '../upstream/strategies/index.ts';
import type { Carryover } from './carryover.ts';
import { Snapshot } from './snapshot.ts';

export interface BindContext {
  readonly generation: number;
  readonly carryover: Carryover;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly shared: Shared;
  readonly total: TotalConnections;
  /** Whatever snapshot is current when it is called. */
  readonly current: () => Snapshot | null;
}

export async function bind(plan: Plan, context: BindContext): Promise<Snapshot> {
  const snapshot = new Snapshot(context.generation, plan, context.clock.wall());
  try {
    const { clock } = context;
    const pools = new Map<string, Pool>();
    const routes = new Map<string, Route>();
    await inSlices(plan.pools, clock, (pool) => pools.set(pool.name, bindPool(pool, snapshot, context)));
    await inSlices(plan.routes, clock, (route) => routes.set(route.name, bindRoute(route, pools, context)));
    for (const listener of plan.listeners) {
      const router = new Router<Route>();
      await inSlices(listener.routes, clock, (route) => router.add(route.match, routes.get(route.name)!));
      snapshot.listeners.set(listener.name, bindListener(listener, snapshot, pools, router, context));
    }
    return snapshot;
  } catch (error) {
    snapshot.retire(() => {});
    throw error;
  }
}

function bindPool(plan: PoolPlan, snapshot: Snapshot, context: BindContext): Pool {
  const { carryover, clock, shared, metrics } = context;
  const tuning = { keepalive: plan.keepalive, maxConnections: plan.maxConnections };
  const endpoints = plan.endpoints.map(({ address, weight, claim }) => {
    const state = carryover.acquire(
      claim,
      () => new EndpointState(address, tuning, clock, shared.deadlines, metrics.endpoint(plan.name, address.text)),
    );
    snapshot.onEnd(() => carryover.release(claim));
    return new PoolEndpoint(state, weight);
  });
  const pool = new Pool(plan, endpoints, bindStrategy(plan.strategy, endpoints, context.random));
  snapshot.onEnd(() => pool.close());
  return pool;
}

function bindRoute(plan: RoutePlan, pools: ReadonlyMap<string, Pool>, context: BindContext): Route {
  const pool = plan.action.type === 'pool' ? pools.get(plan.action.pool.name)! : null;
  return {
    name: plan.name,
    ...bindPolicies(plan.policies),
    pool,
    respond: bindAction(plan.action),
    metrics: context.metrics.route(plan.name),
  };
}

function bindListener(
  plan: ListenerPlan,
  snapshot: Snapshot,
  pools: ReadonlyMap<string, Pool>,
  router: Router<Route>,
  context: BindContext,
): HttpListener | TcpListener {
  const { carryover, shared, total, metrics, current } = context;
  const table = carryover.acquire(plan.count, () => new ConnectionTable());
  snapshot.onEnd(() => carryover.release(plan.count));
  const common = { plan, lease: snapshot, metrics: metrics.listener(plan.name), table, total, shared };
  if (plan.protocol === 'tcp') return new TcpListener({ ...common, pool: pools.get(plan.pool!.name)! });
  return new HttpListener({
    ...common,
    router,
    unrouted: metrics.route(''),
    current: serviceFinder(current, plan.name),
  });
}

/**
 * Finds the http listener of that name in whatever is current. Connections keep it for as long as they live, so it is
 * made here, where it can hold on to nothing of the snapshot being bound.
 */
function serviceFinder(current: () => Snapshot | null, name: string): () => HttpService | null {
  return () => {
    const listener = current()?.listeners.get(name);
    return listener instanceof HttpListener ? listener : null;
  };
}

/** Gives the kept state of a snapshot that has become current its new tuning. */
export function tune(snapshot: Snapshot, context: BindContext): void {
  context.total.limit = snapshot.plan.limits.connections;
  for (const pool of snapshot.plan.pools) {
    const tuning = { keepalive: pool.keepalive, maxConnections: pool.maxConnections };
    for (const { claim } of pool.endpoints) {
      const state = context.carryover.peek(claim);
      if (state instanceof EndpointState) state.tune(tuning);
    }
  }
}

/** Ends the connections that the new snapshot has no place for: those of listeners that are gone, and of denied clients. */
export function retireConnections(previous: Snapshot | null, next: Snapshot): void {
  if (previous === null) return;
  for (const [name, listener] of previous.listeners) {
    const successor = next.listeners.get(name);
    if (successor === undefined) listener.table.retire();
    else if (successor instanceof HttpListener && successor.acl !== null) {
      const { acl } = successor;
      listener.table.retireDenied((address) => acl.allows(address));
    }
  }
}
