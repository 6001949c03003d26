/**
 * What the next snapshot takes over from those that live: pools, policies and routes that mean the same. Cold.
 *
 * Called by bind.ts. What means the same is the same object, so that whoever runs on it has nothing to change when its
 * generation is over, and what a policy has learned goes on. The newest snapshot is asked first; the older ones let an edit
 * that is taken back find what still runs as it was.
 */
import type { Kept } from '../kit/kept.ts';
import { same } from '../kit/same.ts';
import type { ListenerPlan, PolicyPlan, PoolPlan, RoutePlan } from '../plan/types.ts';
import type { BoundPolicy } from '../policies/index.ts';
import { HttpListener } from '../proxy/http-listener.ts';
import type { Route } from '../proxy/live.ts';
import type { Router } from '../proxy/router.ts';
import type { Pool } from '../upstream/pool.ts';
import type { BoundRoute, Snapshot } from './snapshot.ts';

type Pools = ReadonlyMap<string, Kept<Pool>>;
type Routes = ReadonlyMap<string, Kept<BoundRoute>>;

/** The pool of that plan, if one lives that means the same. `plans`: of the next snapshot, by name. */
export function livePool(
  plan: PoolPlan,
  plans: ReadonlyMap<string, PoolPlan>,
  live: readonly Snapshot[],
): Kept<Pool> | null {
  const next = plan.fallback?.type === 'pool' ? plans.get(plan.fallback.pool)! : null;
  // Older snapshots may end while the next is bound, and so might what one of their pools falls back on.
  for (const { pools } of next === null ? live : live.slice(0, 1)) {
    const kept = pools.get(plan.name);
    if (kept === undefined || !same(kept.value.plan, plan)) continue;
    // The plan has seen to it that fallbacks come to an end.
    if (next === null || livePool(next, plans, live)?.value === kept.value.fallback) return kept;
  }
  return null;
}

/** The route of that plan, if one lives that means the same once it is matched. `pools`: of the next snapshot. */
export function liveRoute(plan: RoutePlan, pools: Pools, live: readonly Snapshot[]): Kept<BoundRoute> | null {
  for (const { routes } of live) {
    const kept = routes.get(plan.name);
    if (kept === undefined || !sameRoute(kept.value, plan, pools)) continue;
    kept.value.plan = plan;
    return kept;
  }
  return null;
}

function sameRoute({ plan: old, route }: BoundRoute, plan: RoutePlan, pools: Pools): boolean {
  const { action } = plan;
  const wanted = poolsOf(plan);
  return (
    route.pools.length === wanted.length &&
    route.pools.every((pool, i) => pools.get(wanted[i]!)?.value === pool) &&
    old.action.type === action.type &&
    (action.type === 'pool' || same(withoutPools(old.action), withoutPools(action))) &&
    ((old.mirror === null && plan.mirror === null) || same(withoutPools(old.mirror), withoutPools(plan.mirror))) &&
    same(old.policies, plan.policies)
  );
}

/** The names of the pools that a route may send to, its mirror's last. */
export function poolsOf({ action, mirror }: RoutePlan): string[] {
  const names: string[] = [];
  if (action.type === 'pool') names.push(action.pool.name);
  else if (action.type === 'split') for (const { pool } of action.parts) names.push(pool.name);
  if (mirror !== null) names.push(mirror.pool.name);
  return names;
}

/** Pools are compared by what they have become. */
function withoutPools(action: RoutePlan['action'] | RoutePlan['mirror']): object | null {
  if (action === null) return null;
  if ('parts' in action) return { by: action.by, weights: action.parts.map(({ weight }) => weight) };
  return 'pool' in action ? { ...action, pool: null } : action;
}

/** Takes a policy of the same plan out of those of the route that had the name, or makes one. */
export class LivePolicies {
  readonly #left: Kept<BoundPolicy>[];

  constructor(route: string, live: readonly Snapshot[]) {
    this.#left = live.flatMap(({ routes }) => routes.get(route)?.value.policies ?? []);
  }

  take(plan: PolicyPlan, make: () => Kept<BoundPolicy>): Kept<BoundPolicy> {
    const index = this.#left.findIndex(({ value }) => same(value.plan, plan));
    return index < 0 ? make() : this.#left.splice(index, 1)[0]!;
  }
}

/** Where the next snapshot's listener would find every route as one that lives does. */
export function* comparedRouting(
  plan: ListenerPlan,
  routes: Routes,
  live: Snapshot | undefined,
  found: (router: Router<Route>) => void,
): Generator<void> {
  const old = live?.listeners.get(plan.name);
  if (live === undefined || !(old instanceof HttpListener) || old.plan.routes.length !== plan.routes.length) return;
  for (const [i, { name, match }] of plan.routes.entries()) {
    const other = old.plan.routes[i]!;
    if (other.name !== name || routes.get(name) !== live.routes.get(name) || !same(other.match, match)) return;
    yield;
  }
  found(old.router);
}
