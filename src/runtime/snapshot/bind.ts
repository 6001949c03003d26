/**
 * Builds a Snapshot from a Plan and the StateRegistry: names become live objects. Cold.
 *
 * Called by gateway.ts. It opens no socket, sends nothing, and yields to the traffic every few milliseconds. If
 * anything fails, it releases what it acquired in reverse order, and the caller's state is as before.
 */
import { HttpCache } from '../../cache/store/http-cache.ts';
import type { Clock } from '../../kit/clock.ts';
import { RefCounted } from '../../kit/ref-counted.ts';
import { loadSource } from '../../kit/versioned-modules.ts';
import { type TimeSlicer, TINY } from '../../kit/time-slicing.ts';
import type { Random } from '../../kit/random.ts';
import { HandshakeQueue } from '../../net/tls/handshake-queue.ts';
import type { Log } from '../../observe/log.ts';
import type { Metrics } from '../../observe/metrics.ts';
import { segment } from '../../config/walk.ts';
import { claimBefore } from '../../plan/claims.ts';
import { checkPoolOfPolicy } from '../../plan/policy-pools.ts';
import { poolsIn } from '../../plan/serialized-plan.ts';
import type { ListenerPlan, Plan, PolicyPlan, RoutePlan } from '../../plan/types.ts';
import type { PoolPlan } from '../../plan/types/pool.ts';
import { bindPolicy, type BoundPolicy, hooksOf } from '../../policies/index.ts';
import type { BindScope } from '../../policies/policy.ts';
import { bindAction, fixedResponse } from '../../proxy/actions.ts';
import type { TotalConnections } from '../../proxy/admission.ts';
import { ConnectionTable, type ListenerFinders } from '../../proxy/connection-table.ts';
import { ExplainField } from '../../proxy/explain-field.ts';
import { HttpListener, type ListenerPolicies } from '../../proxy/http-listener.ts';
import type { Route, Shared } from '../../proxy/listener-context.ts';
import { Mirror } from '../../proxy/mirror.ts';
import { BoundPoolHandle } from '../../proxy/pool-subrequest.ts';
import { RouteOverrides } from '../../proxy/route-overrides.ts';
import { Router } from '../../proxy/router.ts';
import { Split } from '../../proxy/split.ts';
import { TcpListener } from '../../proxy/tcp-listener.ts';
import { TlsRouter } from '../../proxy/tls-router.ts';
import { ActiveCheck } from '../../upstream/active-check.ts';
import type { EndpointParts } from '../../upstream/endpoint.ts';
import { PoolLoad } from '../../upstream/load.ts';
import type { Pool } from '../../upstream/pool.ts';
import { Resolution, type ResolutionObserver } from '../../upstream/resolution.ts';
import type { Certificates } from '../certificates/certificates.ts';
import { bindTls } from './bind-tls.ts';
import { modulePointer, OpenError, type OpenFailure, routePointer } from './open-error.ts';
import type { StateRegistry } from './state-registry.ts';
import { Membership, tuneMember } from './membership.ts';
import { hasPoolsOf, liveRouting, LivePolicies, livePool, liveRoute } from './reuse.ts';
import { type BoundListener, type BoundRoute, Snapshot } from './snapshot.ts';

export interface BindContext {
  readonly generation: number;
  readonly registry: StateRegistry;
  readonly clock: Clock;
  /** Time slicing for the whole of it. */
  readonly slices: TimeSlicer;
  readonly random: Random;
  /** Where round-robin strategies begin. */
  readonly firstTurns: Random;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly shared: Shared;
  readonly total: TotalConnections;
  /** Those that the gateway obtains. */
  readonly certificates: Certificates;
  readonly healthChanged: EndpointParts['changed'];
  /** Receives changes of the addresses behind names, and failed lookups. */
  readonly names: ResolutionObserver;
  /** The snapshots that still hold leases, the current one first. */
  readonly live: () => readonly Snapshot[];
  /** Returns the current snapshot at the time of the call. */
  readonly current: () => Snapshot | null;
}

export async function bind(plan: Plan, context: BindContext): Promise<Snapshot> {
  const snapshot = new Snapshot(context.generation, plan, context.clock.wall());
  try {
    loadModules(plan);
    const { slices: slicer } = context;
    const { pools, routes } = snapshot;
    const plans = new Map(plan.pools.map((pool) => [pool.name, pool]));
    const fresh: Pool[] = [];
    await slicer.each(plan.pools, (pool) => {
      const live = livePool(pool, plans, context.live());
      const bound = live ?? bindPool(pool, context);
      snapshot.keepPool(bound);
      if (live === null) fresh.push(bound.value);
    });
    for (const pool of fresh) pool.fallback = bindFallback(pool.plan, snapshot);
    // This stays the newest snapshot: snapshots are made one at a time.
    const [newest] = context.live();
    const steady = newest !== undefined && hasPoolsOf(pools, newest);
    const untouched = (route: RoutePlan): RefCounted<BoundRoute> | null => {
      const shared = steady ? newest.routes.get(route.name) : undefined;
      return shared?.value.plan === route ? shared : null;
    };
    const routeOf = (route: RoutePlan): RefCounted<BoundRoute> =>
      untouched(route) ?? liveRoute(route, pools, context.live()) ?? bindRoute(route, snapshot, context);
    await slicer.each(plan.routes, (route) => snapshot.keepRoute(routeOf(route)), TINY);
    for (const listener of plan.listeners) {
      let router: Router<Route> | null = null;
      await slicer.all(liveRouting(listener, { routes, steady }, newest, (found) => (router = found)));
      const policies = listener.policies.length === 0 ? null : await bindListenerPolicies(listener, snapshot, context);
      router ??= await routerOf(listener, policies?.routes ?? null, snapshot, slicer);
      snapshot.listeners.set(listener.name, bindListener(listener, snapshot, router, policies, context));
    }
    // The commit begins with a time slice of its own.
    await slicer.turn();
    return snapshot;
  } catch (error) {
    snapshot.retire(() => {});
    throw error;
  }
}

/** `derived`: the listener's own routes; null: it has none. */
async function routerOf(
  { routes }: ListenerPlan,
  derived: ReadonlyMap<string, Route> | null,
  snapshot: Snapshot,
  slicer: TimeSlicer,
): Promise<Router<Route>> {
  const router = new Router<Route>();
  const routeOf = (name: string): Route => (derived === null ? snapshot.route(name) : derived.get(name))!;
  await slicer.each(routes, ({ name, match }) => router.add(match, routeOf(name)), TINY);
  return router;
}

/** Binds a listener's policies, and puts them in front of those of its routes. */
async function bindListenerPolicies(
  plan: ListenerPlan,
  snapshot: Snapshot,
  context: BindContext,
): Promise<ListenerPolicies> {
  const live = LivePolicies.ofListener(plan.name, snapshot.pools, context.live());
  const own = bindPolicies(plan.policies, live, `/listeners/${segment(plan.name)}`, '', snapshot, context);
  snapshot.keepListenerPolicies(plan.name, own);
  const routes = new Map<string, Route>();
  await context.slices.each(
    plan.routes,
    ({ name }) => {
      const { route, policies } = snapshot.routes.get(name)!.value;
      routes.set(name, { ...route, ...hooksOf([...own, ...policies]) });
    },
    TINY,
  );
  return { ...hooksOf(own), routes };
}

/** Each policy is held once. `holder`: the pointer of their route or listener; `route`: the name of the route, or ''. */
function bindPolicies(
  plans: readonly PolicyPlan[],
  live: LivePolicies,
  holder: string,
  route: string,
  snapshot: Snapshot,
  context: BindContext,
): RefCounted<BoundPolicy>[] {
  const policies: RefCounted<BoundPolicy>[] = [];
  try {
    for (const policy of plans) {
      const bound = live.take(policy, () => bindOne(policy, holder, route, snapshot, context));
      bound.hold();
      policies.push(bound);
    }
  } catch (error) {
    // The code of a module may throw.
    for (const policy of policies) policy.release();
    throw error;
  }
  return policies;
}

function bindPool(plan: PoolPlan, context: BindContext): RefCounted<Pool> {
  const releases: (() => void)[] = [];
  try {
    const pool = makePool(plan, context, (release) => releases.push(release));
    return new RefCounted(pool, releases);
  } catch (error) {
    for (const release of releases.toReversed()) release();
    throw error;
  }
}

/** `onEnd` collects the callbacks, run last first, for when the pool has no references left. */
function makePool(plan: PoolPlan, context: BindContext, onEnd: (release: () => void) => void): Pool {
  const { registry, shared, metrics } = context;
  const load = registry.acquire(
    plan.claim,
    () => new PoolLoad(plan, shared.deadlines, metrics.pool(plan.name)),
    claimBefore(plan.claim, plan.name, plan.renamedFrom),
  );
  onEnd(() => registry.release(plan.claim));
  const membership = new Membership(plan, load, context);
  onEnd(() => membership.close());
  return membership.open();
}

function bindFallback({ fallback }: PoolPlan, snapshot: Snapshot): Pool['fallback'] {
  if (fallback === null) return null;
  return fallback.type === 'pool' ? snapshot.pool(fallback.pool) : fixedResponse(fallback);
}

function bindRoute(plan: RoutePlan, snapshot: Snapshot, context: BindContext): RefCounted<BoundRoute> {
  const { action, mirror } = plan;
  const { shared, metrics } = context;
  const of = ({ pool }: { readonly pool: PoolPlan }): Pool => snapshot.pool(pool.name)!;
  const live = LivePolicies.ofRoute(plan.name, snapshot.pools, context.live());
  const policies = bindPolicies(plan.policies, live, routePointer(plan.name), plan.name, snapshot, context);
  const route: Route = {
    name: plan.name,
    ...hooksOf(policies),
    pool: action.type === 'pool' ? of(action) : null,
    split: action.type === 'split' ? new Split(action, action.parts.map(of), shared.random) : null,
    mirror: mirror === null ? null : new Mirror(plan.name, mirror, of(mirror), metrics.mirror(plan.name), shared),
    respond: bindAction(action),
    mapBack: plan.mapBack,
    overrides: RouteOverrides.of(plan),
    metrics: metrics.route(plan.name),
    pools: poolsIn(plan).map(({ name }) => snapshot.pool(name)!),
  };
  return new RefCounted(
    { plan, route, policies },
    policies.map((policy) => () => policy.release()),
  );
}

/** The policy's claims are released when it has no references left. */
function bindOne(
  plan: PolicyPlan,
  holder: string,
  route: string,
  snapshot: Snapshot,
  context: BindContext,
): RefCounted<BoundPolicy> {
  const { clock, shared, registry, metrics, log } = context;
  const releases: (() => void)[] = [];
  const scope: BindScope = {
    route,
    clock,
    deadlines: shared.deadlines,
    log,
    claimed: (claim) => {
      const store = snapshot.plan.caches.find((one) => one.claim.identity === claim.identity)!;
      releases.push(() => registry.release(claim));
      return registry.acquire(claim, () => new HttpCache(store, clock, metrics.cache(store.name), log));
    },
    pool: (name) => {
      checkPoolOfPolicy(plan, name);
      return new BoundPoolHandle(snapshot.pool(name)!);
    },
  };
  if (plan.type !== 'module') return bindPolicy(plan, scope, releases);
  try {
    return bindPolicy(plan, scope, releases);
  } catch (error) {
    for (const release of releases.toReversed()) release();
    throw new OpenError([moduleFailure(holder, plan.module, error)]);
  }
}

/** Another process may have checked the config. Throws an OpenError. */
function loadModules({ modules, routes, listeners }: Plan): void {
  for (const source of modules) {
    try {
      loadSource(source);
    } catch (error) {
      const uses = ({ policies }: Pick<RoutePlan, 'policies'>): boolean =>
        policies.some((policy) => policy.type === 'module' && policy.digest === source.digest);
      const route = routes.find(uses);
      const holder =
        route === undefined ? `/listeners/${segment(listeners.find(uses)?.name ?? '')}` : routePointer(route.name);
      throw new OpenError([moduleFailure(holder, source.path, error)]);
    }
  }
}

function moduleFailure(holder: string, path: string, error: unknown): OpenFailure {
  const message = `${path} cannot be bound: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`;
  return { message, code: 'POLICY', pointer: modulePointer(holder, path) };
}

function bindListener(
  plan: ListenerPlan,
  snapshot: Snapshot,
  router: Router<Route>,
  policies: ListenerPolicies | null,
  context: BindContext,
): HttpListener | TcpListener {
  const { registry, shared, total, metrics, current } = context;
  const { name } = plan;
  const table = registry.acquire(
    plan.count,
    () =>
      new ConnectionTable({
        listener: name,
        metrics: metrics.listener(name),
        total,
        handshakes: new HandshakeQueue(shared.handshakePace, shared.deadlines, metrics.listener(name)),
        ...listenerFinders(current, name),
      }),
  );
  snapshot.onEnd(() => registry.release(plan.count));
  const tls = bindTls(plan, snapshot.plan, context.certificates, shared.secureContexts);
  const tlsRouter = new TlsRouter<Pool>(plan, (pool) => snapshot.pool(pool.name)!);
  const common = { plan, lease: snapshot, metrics: metrics.listener(name), table, total, tls, tlsRouter, shared };
  if (plan.protocol === 'tcp') return new TcpListener(common);
  return new HttpListener({
    ...common,
    router,
    policies,
    explain: snapshot.plan.explain === null ? null : new ExplainField(snapshot.plan.explain),
    unrouted: metrics.route(''),
  });
}

/**
 * Finds the listener of that name in the current snapshot. Its connections keep these functions through all configs, so
 * they are made here, where they can't capture the snapshot being bound.
 */
function listenerFinders(current: () => Snapshot | null, name: string): ListenerFinders {
  const relays = (): BoundListener | null => current()?.listeners.get(name) ?? null;
  const service = (): HttpListener | null => {
    const listener = relays();
    return listener instanceof HttpListener ? listener : null;
  };
  return { relays, service };
}

/** Applies the new tuning to the kept state of a snapshot that has become current. */
export function tune(snapshot: Snapshot, context: BindContext): void {
  const configured = snapshot.plan.limits.connections;
  const { possible } = context.total;
  context.total.limit = configured === 0 || (possible > 0 && possible < configured) ? possible : configured;
  for (const cache of snapshot.plan.caches) {
    const state = context.registry.peek(cache.claim);
    if (state instanceof HttpCache) state.tune(cache);
  }
  for (const { value: pool } of snapshot.pools.values()) {
    const { plan, endpoints, load } = pool;
    for (const { member } of endpoints) tuneMember(pool, member, context);
    for (const { claim } of plan.dns?.names ?? []) {
      const resolution = context.registry.peek(claim);
      if (!(resolution instanceof Resolution)) continue;
      resolution.pool = plan.name;
      resolution.metrics = context.metrics.name(plan.name, resolution.name.name);
      resolution.tune(plan.dns!);
    }
    load.tune(plan);
    load.metrics = context.metrics.pool(plan.name);
    pool.start();
  }
}

/**
 * Stops activity that no longer serves the current snapshot: checks, pools' recovery attempts, and caches' disks.
 */
export function restUnused(previous: Snapshot, next: Snapshot | null, registry: StateRegistry): void {
  for (const [name, shared] of previous.pools) if (next?.pools.get(name) !== shared) shared.value.rest();
  stopChecks(previous, next, registry);
  restCaches(previous, next, registry);
}

/** Takes the disks from caches that only retired snapshots use: the new caches may need their directories. */
function restCaches(previous: Snapshot, next: Snapshot | null, registry: StateRegistry): void {
  const wanted = new Set(next?.plan.caches.map(({ claim }) => claim.identity));
  for (const { claim } of previous.plan.caches) {
    const cache = wanted.has(claim.identity) ? undefined : registry.peek(claim);
    if (cache instanceof HttpCache) cache.rest();
  }
}

/** Stops the checks that only retired snapshots use. */
function stopChecks(previous: Snapshot, next: Snapshot | null, registry: StateRegistry): void {
  const checksOf = ({ pools }: Snapshot) =>
    [...pools.values()].flatMap(({ value }) => value.endpoints.flatMap(({ member }) => member.check?.claim ?? []));
  const wanted = new Set(next === null ? [] : checksOf(next).map(({ identity }) => identity));
  for (const claim of checksOf(previous)) {
    const check = wanted.has(claim.identity) ? undefined : registry.peek(claim);
    if (check instanceof ActiveCheck) check.stop();
  }
}

/**
 * Moves connections to the listeners that succeed theirs. Ends connections that the new snapshot has no place for:
 * those of removed listeners, of listeners that now speak another protocol, and of denied clients.
 */
export function moveConnections(previous: Snapshot | null, next: Snapshot): void {
  if (previous === null) return;
  const moves: [ConnectionTable, ConnectionTable][] = [];
  for (const { plan, table } of previous.listeners.values()) {
    const successor = next.successorOf(plan);
    if (successor === null || successor.plan.protocol !== plan.protocol) table.retire();
    else if (successor.table !== table) moves.push([table, successor.table]);
  }
  ConnectionTable.move(moves);
  for (const listener of next.listeners.values()) if (listener instanceof HttpListener) listener.retireDenied();
}
