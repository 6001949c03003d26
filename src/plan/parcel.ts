/**
 * A Plan taken apart for the way from one thread to another, and put together again. Cold.
 *
 * In a Plan a route holds its pool and a listener its routes; copied as it is, each route would arrive with a pool of its
 * own. A parcel names them instead, and holds the routes apart so that they can be sent a few at a time.
 */
import { createHash } from 'node:crypto';
import { freeze } from '../kit/freeze.ts';
import type { ActionPlan, ListenerPlan, Plan, PoolPlan, RoutePlan } from './types.ts';
import type { MirrorPlan, SplitPartPlan, SplitPlan } from './types/traffic.ts';

/** The name in place of the pool. */
type Named<T> = Omit<T, 'pool'> & { readonly pool: string };

type ActionParcel =
  | { readonly type: 'pool'; readonly pool: string }
  | (Omit<SplitPlan, 'parts'> & { readonly parts: readonly Named<SplitPartPlan>[] })
  | Exclude<ActionPlan, { type: 'pool' | 'split' }>;

export type RouteParcel = Omit<RoutePlan, 'action' | 'mirror'> & {
  readonly action: ActionParcel;
  readonly mirror: Named<MirrorPlan> | null;
};

type ListenerParcel = Omit<ListenerPlan, 'pool' | 'routes'> & { readonly pool: string | null };

export interface PlanParcel {
  /** Everything but the routes. */
  readonly rest: Omit<Plan, 'routes' | 'listeners'> & { readonly listeners: readonly ListenerParcel[] };
  readonly routes: readonly RouteParcel[];
}

export function wrapPlan({ routes, listeners, ...rest }: Plan): PlanParcel {
  return {
    rest: {
      ...rest,
      listeners: listeners.map(({ pool, routes: _, ...listener }) => ({ ...listener, pool: pool?.name ?? null })),
    },
    routes: routes.map((route) => ({
      ...route,
      action: wrapAction(route.action),
      mirror: route.mirror === null ? null : named(route.mirror),
    })),
  };
}

function named<T extends { readonly pool: PoolPlan }>(one: T): Named<T> {
  return { ...one, pool: one.pool.name };
}

function wrapAction(action: ActionPlan): ActionParcel {
  if (action.type === 'pool') return { type: 'pool', pool: action.pool.name };
  return action.type === 'split' ? { ...action, parts: action.parts.map(named) } : action;
}

/** Equal for plans that mean the same. */
export function digestOfParcel(parcel: PlanParcel): string {
  const hash = createHash('sha256').update(JSON.stringify(parcel.rest));
  for (const route of parcel.routes) hash.update(JSON.stringify(route));
  return hash.digest('hex');
}

/** Puts a Plan together again: the rest first, then the routes as they come, then the whole. */
export class Unwrapping {
  readonly #rest: PlanParcel['rest'];
  readonly #pools: ReadonlyMap<string, PoolPlan>;
  readonly #actions = new Map<string, ActionPlan>();
  readonly #routes: RoutePlan[] = [];

  constructor(rest: PlanParcel['rest']) {
    this.#rest = freeze(rest);
    this.#pools = new Map(rest.pools.map((pool) => [pool.name, pool]));
  }

  add(routes: readonly RouteParcel[]): void {
    for (const route of routes) {
      const mirror = route.mirror === null ? null : this.#filled(route.mirror);
      this.#routes.push(freeze<RoutePlan>({ ...route, ...slimmed(route), action: this.#action(route.action), mirror }));
    }
  }

  #filled<T extends { readonly pool: string }>(one: T): Omit<T, 'pool'> & { readonly pool: PoolPlan } {
    return { ...one, pool: this.#pools.get(one.pool)! };
  }

  #action(action: ActionParcel): ActionPlan {
    if (action.type === 'pool') return this.#toPool(action.pool);
    return action.type === 'split' ? { ...action, parts: action.parts.map((part) => this.#filled(part)) } : action;
  }

  /** One action for each pool: what a hundred routes have in common is kept once. */
  #toPool(name: string): ActionPlan {
    let action = this.#actions.get(name);
    if (action === undefined) this.#actions.set(name, (action = { type: 'pool', pool: this.#pools.get(name)! }));
    return action;
  }

  plan(): Plan {
    const routes = Object.freeze(this.#routes);
    const listeners = this.#rest.listeners.map(({ pool, ...listener }) =>
      Object.freeze<ListenerPlan>({
        ...listener,
        pool: pool === null ? null : this.#pools.get(pool)!,
        routes: Object.freeze(listener.protocol === 'tcp' ? [] : routesOf(listener.name, routes)),
      }),
    );
    return Object.freeze({ ...this.#rest, listeners: Object.freeze(listeners), routes });
  }
}

const EMPTY: readonly never[] = Object.freeze([]);

function orEmpty<T>(list: readonly T[]): readonly T[] {
  return list.length === 0 ? EMPTY : list;
}

/** Its empty lists, of which a copied plan has many, become one. */
function slimmed({ match, policies }: RouteParcel): Pick<RoutePlan, 'match' | 'policies'> {
  return {
    match: { ...match, headers: orEmpty(match.headers), query: orEmpty(match.query) },
    policies: orEmpty(policies),
  };
}

/** The routes that an http listener serves. */
export function routesOf(listener: string, routes: readonly RoutePlan[]): readonly RoutePlan[] {
  if (routes.every((route) => route.listeners === null)) return routes;
  return routes.filter((route) => route.listeners === null || route.listeners.includes(listener));
}
