/**
 * What the next snapshot takes over from those that live: pools, policies and routes that mean the same. Cold.
 *
 * Called by bind.ts. What means the same is the same object, so that whoever runs on it has nothing to change when its
 * generation is over, and what a policy has learned goes on. The newest snapshot is asked first; the older ones let an edit
 * that is taken back find what still runs as it was.
 */
import type { RefCounted } from '../../kit/ref-counted.ts';
import { deepEqual } from '../../kit/deep-equal.ts';
import { commonAffixes } from '../../kit/common-affixes.ts';
import { poolsIn } from '../../plan/serialized-plan.ts';
import type { ListenerPlan, PolicyPlan, PoolPlan, RoutePlan } from '../../plan/types.ts';
import type { BoundPolicy } from '../../policies/index.ts';
import { HttpListener } from '../../proxy/http-listener.ts';
import type { Route } from '../../proxy/listener-context.ts';
import type { Router } from '../../proxy/router.ts';
import type { Pool } from '../../upstream/pool.ts';
import type { BoundRoute, Snapshot } from './snapshot.ts';

type Pools = ReadonlyMap<string, RefCounted<Pool>>;
type Routes = ReadonlyMap<string, RefCounted<BoundRoute>>;

/** The pool of that plan, if one lives that means the same. `plans`: of the next snapshot, by name. */
export function livePool(
  plan: PoolPlan,
  plans: ReadonlyMap<string, PoolPlan>,
  live: readonly Snapshot[],
): RefCounted<Pool> | null {
  const next = plan.fallback?.type === 'pool' ? plans.get(plan.fallback.pool)! : null;
  // Older snapshots may end while the next is bound, and so might what one of their pools falls back on.
  for (const { pools } of next === null ? live : live.slice(0, 1)) {
    const shared = pools.get(plan.name);
    if (shared === undefined || !deepEqual(shared.value.plan, plan)) continue;
    // The plan has seen to it that fallbacks come to an end.
    if (next === null || livePool(next, plans, live)?.value === shared.value.fallback) return shared;
  }
  return null;
}

/** Has it every pool of this snapshot as it is there? Then a route that is the same plan there is the same. */
export function hasPoolsOf(pools: Pools, live: Snapshot): boolean {
  for (const [name, shared] of live.pools) if (pools.get(name) !== shared) return false;
  return true;
}

/** The route of that plan, if one lives that means the same once it is matched. `pools`: of the next snapshot. */
export function liveRoute(plan: RoutePlan, pools: Pools, live: readonly Snapshot[]): RefCounted<BoundRoute> | null {
  for (const { routes } of live) {
    const shared = routes.get(plan.name);
    if (shared === undefined || !sameRoute(shared.value, plan, pools)) continue;
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

function overridesOf({ timeouts, limits, retries }: RoutePlan): object | null {
  return timeouts === null && limits === null && retries === null ? null : { timeouts, limits, retries };
}

/** Pools are compared by what they have become. */
function withoutPools(action: RoutePlan['action'] | RoutePlan['mirror']): object | null {
  if (action === null) return null;
  if ('parts' in action) return { by: action.by, weights: action.parts.map(({ weight }) => weight) };
  return 'pool' in action ? { ...action, pool: null } : action;
}

/** Takes a policy of the same plan out of those of the route that had the name, or makes one. */
export class LivePolicies {
  readonly #left: RefCounted<BoundPolicy>[];

  constructor(route: string, live: readonly Snapshot[]) {
    this.#left = live.flatMap(({ routes }) => routes.get(route)?.value.policies ?? []);
  }

  take(plan: PolicyPlan, make: () => RefCounted<BoundPolicy>): RefCounted<BoundPolicy> {
    const index = this.#left.findIndex(({ value }) => deepEqual(value.plan, plan));
    return index < 0 ? make() : this.#left.splice(index, 1)[0]!;
  }
}

/** Routes that differ, up to which a router is edited and not made anew: to edit it is done in one go. */
const MOST_EDITED = 250;

/**
 * The router of the next snapshot's listener, if that of one that lives differs little or not at all. In small steps; `found`
 * is told of it. `routes`: of the next snapshot; `steady`: it has all pools of the one that lives.
 */
export function* liveRouting(
  plan: ListenerPlan,
  { routes, steady }: { readonly routes: Routes; readonly steady: boolean },
  live: Snapshot | undefined,
  found: (router: Router<Route>) => void,
): Generator<null, void> {
  const old = live?.listeners.get(plan.name);
  if (live === undefined || !(old instanceof HttpListener)) return;
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
