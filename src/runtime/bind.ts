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
import type { EndpointPlan, ListenerPlan, Plan, PoolPlan, RoutePlan } from '../plan/types.ts';
import { bindPolicies } from '../policies/index.ts';
import { bindAction, fixedResponse } from '../proxy/actions.ts';
import type { TotalConnections } from '../proxy/admission.ts';
import { ConnectionTable } from '../proxy/connection-table.ts';
import { HttpListener } from '../proxy/http-listener.ts';
import type { Route, Shared } from '../proxy/live.ts';
import { Mirror } from '../proxy/mirror.ts';
import { Router } from '../proxy/router.ts';
import { Split } from '../proxy/split.ts';
import { TcpListener } from '../proxy/tcp-listener.ts';
import { ActiveCheck } from '../upstream/active-check.ts';
import { type EndpointParts, EndpointState, type EndpointTuning } from '../upstream/endpoint.ts';
import { PoolLoad } from '../upstream/load.ts';
import { Pool } from '../upstream/pool.ts';
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
  readonly healthChanged: EndpointParts['changed'];
  /** Whatever snapshot is current when it is called. */
  readonly current: () => Snapshot | null;
}

export async function bind(plan: Plan, context: BindContext): Promise<Snapshot> {
  const snapshot = new Snapshot(context.generation, plan, context.clock.wall());
  try {
    const { clock } = context;
    const { pools } = snapshot;
    const routes = new Map<string, Route>();
    await inSlices(plan.pools, clock, (pool) => pools.set(pool.name, bindPool(pool, snapshot, context)));
    for (const pool of pools.values()) pool.fallback = bindFallback(pool.plan, pools);
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
  const { carryover, clock, random, shared, metrics } = context;
  const { deadlines } = shared;
  const load = carryover.acquire(plan.claim, () => new PoolLoad(plan, deadlines, metrics.pool(plan.name)));
  snapshot.onEnd(() => carryover.release(plan.claim));
  const states = plan.endpoints.map((endpoint) => {
    const { address, weight, claim } = endpoint;
    const state = carryover.acquire(claim, () => {
      const parts = { clock, deadlines, random, load, metrics: metrics.endpoint(plan.name, address.text) };
      const changed = context.healthChanged;
      return new EndpointState(address, tuningOf(plan, endpoint), { ...parts, pool: plan.name, changed });
    });
    snapshot.onEnd(() => carryover.release(claim));
    const { active } = plan.health;
    const { check } = endpoint;
    if (active !== null && check !== null) {
      carryover.acquire(check, () => new ActiveCheck(state, active, clock, random));
      snapshot.onEnd(() => carryover.release(check));
    }
    return { state, weight };
  });
  const pool = new Pool(plan, states, load, deadlines, (candidates) => bindStrategy(plan.strategy, candidates, random));
  snapshot.onEnd(() => pool.close());
  return pool;
}

function bindFallback({ fallback }: PoolPlan, pools: ReadonlyMap<string, Pool>): Pool['fallback'] {
  if (fallback === null) return null;
  return fallback.type === 'pool' ? pools.get(fallback.pool)! : fixedResponse(fallback);
}

function tuningOf(pool: PoolPlan, { maxConnections, maxRequests }: EndpointPlan): EndpointTuning {
  const { keepalive, health, timeouts } = pool;
  return { keepalive, health, maxConnections, maxRequests, connectTimeout: timeouts.connect };
}

function bindRoute(plan: RoutePlan, pools: ReadonlyMap<string, Pool>, context: BindContext): Route {
  const { action, mirror } = plan;
  const { shared, metrics } = context;
  const of = ({ pool }: { readonly pool: PoolPlan }): Pool => pools.get(pool.name)!;
  return {
    name: plan.name,
    ...bindPolicies(plan.policies),
    pool: action.type === 'pool' ? of(action) : null,
    split: action.type === 'split' ? new Split(action, action.parts.map(of), shared.random) : null,
    mirror: mirror === null ? null : new Mirror(mirror, of(mirror), metrics.mirror(plan.name), shared),
    respond: bindAction(action),
    metrics: metrics.route(plan.name),
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
  const configured = snapshot.plan.limits.connections;
  const { possible } = context.total;
  context.total.limit = configured === 0 || (possible > 0 && possible < configured) ? possible : configured;
  for (const pool of snapshot.plan.pools) {
    for (const endpoint of pool.endpoints) {
      const state = context.carryover.peek(endpoint.claim);
      if (state instanceof EndpointState) state.tune(tuningOf(pool, endpoint));
      const check = endpoint.check === null ? undefined : context.carryover.peek(endpoint.check);
      if (check instanceof ActiveCheck) check.tune(pool.health.active!);
    }
    const load = context.carryover.peek(pool.claim);
    if (load instanceof PoolLoad) load.tune(pool);
  }
}

/** Stops the checks that only what is not current any more asks for. */
export function stopChecks(previous: Snapshot, next: Snapshot | null, carryover: Carryover): void {
  const checksOf = (snapshot: Snapshot) =>
    snapshot.plan.pools.flatMap(({ endpoints }) => endpoints.flatMap(({ check }) => check ?? []));
  const wanted = new Set(next === null ? [] : checksOf(next).map(({ identity }) => identity));
  for (const claim of checksOf(previous)) {
    const check = wanted.has(claim.identity) ? undefined : carryover.peek(claim);
    if (check instanceof ActiveCheck) check.stop();
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
