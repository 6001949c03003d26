/**
 * Finds the pools, policies and routes of live snapshots that the next snapshot can reuse, because their plans are
 * equal. Cold.
 *
 * Called by bind.ts. Equal plans share one object, so leases on it need no change when their generation ends, and a
 * policy keeps what it has learned. The newest snapshot is searched first; the older ones let a reverted edit find
 * objects that are still live.
 */
import type { RefCounted } from '../../kit/ref-counted.ts';
import { deepEqual } from '../../kit/deep-equal.ts';
import { commonAffixes } from '../../kit/common-affixes.ts';
import { poolsOfPolicy } from '../../plan/policy-pools.ts';
import { poolsIn } from '../../plan/serialized-plan.ts';
import type { ListenerPlan, PolicyPlan, RoutePlan } from '../../plan/types.ts';
import type { PoolPlan } from '../../plan/types/pool.ts';
import type { BoundPolicy } from '../../policies/index.ts';
import { HttpListener } from '../../proxy/http-listener.ts';
import type { Route } from '../../proxy/listener-context.ts';
import type { Router } from '../../proxy/router.ts';
import type { Pool } from '../../upstream/pool.ts';
import type { BoundRoute, Snapshot } from './snapshot.ts';

type Pools = ReadonlyMap<string, RefCounted<Pool>>;
type Routes = ReadonlyMap<string, RefCounted<BoundRoute>>;

/** Returns the live pool with the same plan, if any. `plans`: of the next snapshot, by name. */
export function livePool(
  plan: PoolPlan,
  plans: ReadonlyMap<string, PoolPlan>,
  live: readonly Snapshot[],
): RefCounted<Pool> | null {
  const next = plan.fallback?.type === 'pool' ? plans.get(plan.fallback.pool)! : null;
  // A pool with a fallback is reused only from the newest snapshot: older ones, and their fallbacks, may end during the
  // bind.
  for (const { pools } of next === null ? live : live.slice(0, 1)) {
    const shared = pools.get(plan.name);
    if (shared === undefined || !deepEqual(shared.value.plan, plan)) continue;
    // The plan ensures that fallback chains end.
    if (next === null || livePool(next, plans, live)?.value === shared.value.fallback) return shared;
  }
  return null;
}

/** Whether every pool of the `live` snapshot is in `pools`. Then a route with the same plan is the same route. */
export function hasPoolsOf(pools: Pools, live: Snapshot): boolean {
  for (const [name, shared] of live.pools) if (pools.get(name) !== shared) return false;
  return true;
}

/** Returns the live route that does the same once it matches, if any. `pools`: of the next snapshot. */
export function liveRoute(plan: RoutePlan, pools: Pools, live: readonly Snapshot[]): RefCounted<BoundRoute> | null {
  for (const { routes, pools: old } of live) {
    const shared = routes.get(plan.name);
    if (shared === undefined || !sameRoute(shared.value, plan, pools)) continue;
    if (!plan.policies.every((policy) => hasPoolsOfPolicy(policy, pools, old))) continue;
    shared.value.plan = plan;
    return shared;
  }
  return null;
}

function sameRoute({ plan: old, route }: BoundRoute, plan: RoutePlan, pools: Pools): boolean {
  const { action } = plan;
  const wanted = poolsIn(plan);
  return (
    route.pools.length === wanted.length &&
    route.pools.every((pool, i) => pools.get(wanted[i]!.name)?.value === pool) &&
    old.action.type === action.type &&
    (action.type === 'pool' || deepEqual(withoutPools(old.action), withoutPools(action))) &&
    ((old.mirror === null && plan.mirror === null) || deepEqual(withoutPools(old.mirror), withoutPools(plan.mirror))) &&
    old.mapBack === plan.mapBack &&
    deepEqual(overridesOf(old), overridesOf(plan)) &&
    deepEqual(old.policies, plan.policies)
  );
}

/** Whether the pools that the policy sends subrequests to are the same ones. */
function hasPoolsOfPolicy(policy: PolicyPlan, pools: Pools, old: Pools): boolean {
  return poolsOfPolicy(policy).every((name) => pools.get(name) === old.get(name));
}

function overridesOf({ timeouts, limits, retries }: RoutePlan): object | null {
  return timeouts === null && limits === null && retries === null ? null : { timeouts, limits, retries };
}

/** Pools are compared as bound objects instead. */
function withoutPools(action: RoutePlan['action'] | RoutePlan['mirror']): object | null {
  if (action === null) return null;
  if ('parts' in action) return { by: action.by, weights: action.parts.map(({ weight }) => weight) };
  return 'pool' in action ? { ...action, pool: null } : action;
}

/**
 * Takes a policy with the same plan and the same pools from those of the live routes or listeners of one name, or makes a
 * new one.
 */
export class LivePolicies {
  readonly #left: RefCounted<BoundPolicy>[];

  /** `pools`: of the next snapshot. `policiesOf`: the policies in question of a live one. */
  private constructor(
    pools: Pools,
    live: readonly Snapshot[],
    policiesOf: (one: Snapshot) => readonly RefCounted<BoundPolicy>[] | undefined,
  ) {
    this.#left = live.flatMap((one) =>
      (policiesOf(one) ?? []).filter(({ value }) => hasPoolsOfPolicy(value.plan, pools, one.pools)),
    );
  }

  static ofRoute(route: string, pools: Pools, live: readonly Snapshot[]): LivePolicies {
    return new LivePolicies(pools, live, ({ routes }) => routes.get(route)?.value.policies);
  }

  static ofListener(listener: string, pools: Pools, live: readonly Snapshot[]): LivePolicies {
    return new LivePolicies(pools, live, ({ listenerPolicies }) => listenerPolicies.get(listener));
  }

  take(plan: PolicyPlan, make: () => RefCounted<BoundPolicy>): RefCounted<BoundPolicy> {
    const index = this.#left.findIndex(({ value }) => deepEqual(value.plan, plan));
    return index < 0 ? make() : this.#left.splice(index, 1)[0]!;
  }
}

/** The most routes that may differ for a router to be edited instead of rebuilt: an edit is one uninterrupted step. */
const MOST_EDITED = 250;

/**
 * Passes to `found` the router for the next snapshot's listener if the live one differs little or not at all. Runs in
 * small steps. `routes`: of the next snapshot; `steady`: the next snapshot has all pools of the live one.
 */
export function* liveRouting(
  plan: ListenerPlan,
  { routes, steady }: { readonly routes: Routes; readonly steady: boolean },
  live: Snapshot | undefined,
  found: (router: Router<Route>) => void,
): Generator<null, void> {
  const old = live?.listeners.get(plan.name);
  if (live === undefined || !(old instanceof HttpListener)) return;
  // The routes of a listener with policies are its own.
  if (old.derived !== null || plan.policies.length > 0) return;
  const [before, after] = [old.plan.routes, plan.routes];
  const alike = (one: RoutePlan, other: RoutePlan): boolean =>
    (steady && one === other) ||
    (one.name === other.name &&
      routes.get(one.name) === live.routes.get(one.name) &&
      deepEqual(one.match, other.match));
  const [start, end] = yield* commonAffixes(before, after, alike);
  const gone = before.slice(start, before.length - end);
  const come = after.slice(start, after.length - end);
  if (gone.length + come.length === 0) found(old.router);
  if (gone.length + come.length === 0 || gone.length + come.length > MOST_EDITED) return;
  const router = old.router.edited(
    start,
    gone.map(({ match }) => match),
    come.map(({ name, match }) => ({ match, value: routes.get(name)!.value.route })),
  );
  if (router !== null) found(router);
}
