/**
 * Serializes a Plan for another process, and rebuilds it there. Cold.
 *
 * In a Plan a route holds its pool and a listener its routes; in a plain copy each route would get a pool of its own. A
 * serialized plan refers to pools and routes by name and lists them separately, so that they can be sent in small
 * batches: see plan-delta.ts. Certificates are long and many, and sent likewise.
 */
import { freeze } from '../kit/freeze.ts';
import type { ActionPlan, ListenerPlan, Plan, RoutePlan } from './types.ts';
import type { PoolPlan } from './types/pool.ts';
import type { CertificatePlan, TlsRoutePlan } from './types/tls.ts';
import type { MirrorPlan, SplitPartPlan, SplitPlan } from './types/traffic.ts';

/** Holds the name instead of the pool. */
type Named<T> = Omit<T, 'pool'> & { readonly pool: string };

type ActionParcel =
  | { readonly type: 'pool'; readonly pool: string }
  | (Omit<SplitPlan, 'parts'> & { readonly parts: readonly Named<SplitPartPlan>[] })
  | Exclude<ActionPlan, { type: 'pool' | 'split' }>;

export type SerializedRoute = Omit<RoutePlan, 'action' | 'mirror'> & {
  readonly action: ActionParcel;
  readonly mirror: Named<MirrorPlan> | null;
};

/** Holds the name instead of the pool, if there is one. */
type MaybeNamed<T> = Omit<T, 'pool'> & { readonly pool: string | null };

type ListenerParcel = MaybeNamed<Omit<ListenerPlan, 'routes' | 'plainPool' | 'tlsRoutes'>> & {
  readonly plainPool: string | null;
  readonly tlsRoutes: readonly MaybeNamed<TlsRoutePlan>[];
};

export interface SerializedPlan {
  /** Everything except the certificates, pools and routes. */
  readonly rest: Omit<Plan, 'certificates' | 'pools' | 'routes' | 'listeners'> & {
    readonly listeners: readonly ListenerParcel[];
  };
  readonly certificates: readonly CertificatePlan[];
  readonly pools: readonly PoolPlan[];
  readonly routes: readonly SerializedRoute[];
}

export function serializePlan({ certificates, pools, routes, listeners, ...rest }: Plan): SerializedPlan {
  return {
    rest: {
      ...rest,
      listeners: listeners.map(wrapListener),
    },
    certificates,
    pools,
    routes: routes.map(wrapRoute),
  };
}

function wrapListener({ routes: _, plainPool, tlsRoutes, ...listener }: ListenerPlan): ListenerParcel {
  return { ...maybeNamed(listener), plainPool: plainPool?.name ?? null, tlsRoutes: tlsRoutes.map(maybeNamed) };
}

function maybeNamed<T extends { readonly pool: PoolPlan | null }>(one: T): MaybeNamed<T> {
  return { ...one, pool: one.pool?.name ?? null };
}

function wrapRoute(route: RoutePlan): SerializedRoute {
  const { action, mirror } = route;
  return { ...route, action: wrapAction(action), mirror: mirror === null ? null : named(mirror) };
}

function named<T extends { readonly pool: PoolPlan }>(one: T): Named<T> {
  return { ...one, pool: one.pool.name };
}

function wrapAction(action: ActionPlan): ActionParcel {
  if (action.type === 'pool') return { type: 'pool', pool: action.pool.name };
  return action.type === 'split' ? { ...action, parts: action.parts.map(named) } : action;
}

/** A piece of the serialized plan, or the index of an equal piece in another plan. */
export type Piece<T> = T | number;

/**
 * Rebuilds a Plan: first the rest, then the certificates and pools, then the routes, as they arrive. A piece equal to one in `base`
 * becomes the same object, so that later comparisons are cheap.
 */
export class PlanDeserializer {
  readonly #rest: SerializedPlan['rest'];
  readonly #base: Plan | null;
  readonly #certificates: CertificatePlan[] = [];
  readonly #pools = new Map<string, PoolPlan>();
  readonly #actions = new Map<string, ActionPlan>();
  readonly #routes: RoutePlan[] = [];
  /** The number of pools equal to those in `base`. */
  #samePools = 0;

  constructor(rest: SerializedPlan['rest'], base: Plan | null = null) {
    this.#rest = freeze(rest);
    this.#base = base;
  }

  addCertificates(certificates: readonly Piece<CertificatePlan>[]): void {
    for (const piece of certificates)
      this.#certificates.push(typeof piece === 'number' ? this.#base!.certificates[piece]! : freeze(piece));
  }

  addPools(pools: readonly Piece<PoolPlan>[]): void {
    for (const piece of pools) {
      const pool = typeof piece === 'number' ? this.#base!.pools[piece]! : freeze(piece);
      if (typeof piece === 'number') this.#samePools++;
      this.#pools.set(pool.name, pool);
    }
  }

  addRoutes(routes: readonly Piece<SerializedRoute>[]): void {
    for (const piece of routes)
      this.#routes.push(typeof piece === 'number' ? this.#taken(this.#base!.routes[piece]!) : this.#made(piece));
  }

  /** Reuses the route if all pools it names are unchanged. */
  #taken(route: RoutePlan): RoutePlan {
    if (this.#samePools === this.#base!.pools.length) return route;
    return poolsIn(route).every((pool) => this.#pools.get(pool.name) === pool) ? route : this.#made(wrapRoute(route));
  }

  #made(route: SerializedRoute): RoutePlan {
    const mirror = route.mirror === null ? null : this.#withPool(route.mirror);
    return freeze<RoutePlan>({ ...route, ...slimmed(route), action: this.#action(route.action), mirror });
  }

  #withPool<T extends { readonly pool: string }>(one: T): Omit<T, 'pool'> & { readonly pool: PoolPlan } {
    return { ...one, pool: this.#pools.get(one.pool)! };
  }

  #action(action: ActionParcel): ActionPlan {
    if (action.type === 'pool') return this.#toPool(action.pool);
    return action.type === 'split' ? { ...action, parts: action.parts.map((part) => this.#withPool(part)) } : action;
  }

  /** One action per pool: a hundred routes share it. */
  #toPool(name: string): ActionPlan {
    let action = this.#actions.get(name);
    if (action === undefined) this.#actions.set(name, (action = { type: 'pool', pool: this.#pools.get(name)! }));
    return action;
  }

  #maybe(name: string | null): PoolPlan | null {
    return name === null ? null : this.#pools.get(name)!;
  }

  plan(): Plan {
    const routes = Object.freeze(this.#routes);
    const listeners = this.#rest.listeners.map(({ pool, plainPool, tlsRoutes, ...listener }) =>
      Object.freeze<ListenerPlan>({
        ...listener,
        pool: this.#maybe(pool),
        plainPool: this.#maybe(plainPool),
        tlsRoutes: Object.freeze(tlsRoutes.map((one) => Object.freeze({ ...one, pool: this.#maybe(one.pool) }))),
        routes: Object.freeze(listener.protocol === 'tcp' ? [] : routesOf(listener.name, routes)),
      }),
    );
    const pools = Object.freeze([...this.#pools.values()]);
    const certificates = Object.freeze(this.#certificates);
    return Object.freeze({ ...this.#rest, certificates, listeners: Object.freeze(listeners), pools, routes });
  }
}

/** The pools that a route may send to, its mirror's last. */
export function poolsIn({ action, mirror }: RoutePlan): PoolPlan[] {
  const pools: PoolPlan[] = [];
  if (action.type === 'pool') pools.push(action.pool);
  else if (action.type === 'split') for (const { pool } of action.parts) pools.push(pool);
  if (mirror !== null) pools.push(mirror.pool);
  return pools;
}

/** The pools that connections of a listener may be relayed to. */
export function poolsOfRelays({ pool, plainPool, tlsRoutes }: ListenerPlan): PoolPlan[] {
  return [pool, plainPool, ...tlsRoutes.map((one) => one.pool)].filter((one) => one !== null);
}

const EMPTY: readonly never[] = Object.freeze([]);

function orEmpty<T>(list: readonly T[]): readonly T[] {
  return list.length === 0 ? EMPTY : list;
}

/** Shares one empty list: a copied plan has many. */
function slimmed({ match, policies }: SerializedRoute): Pick<RoutePlan, 'match' | 'policies'> {
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
