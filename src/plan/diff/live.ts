/** The running leases and connections of a gateway, and how many of them each change affects. Cold, pure. */
import { poolsOfPolicy } from '../policy-pools.ts';
import { poolsOfRelays } from '../serialized-plan.ts';
import type { ListenerPlan, Plan, PolicyPlan, RoutePlan } from '../types.ts';
import type { Change } from './changes.ts';

/** A group of equal leases. */
export interface LiveLeases {
  readonly kind: 'exchange' | 'tunnel' | 'tcp' | 'mirror' | 'fetch';
  readonly listener: string;
  /** '' for tcp. */
  readonly route: string;
  /** '' if none is selected yet. */
  readonly endpoint: string;
  /** null: there are too many leases to distinguish clients. */
  readonly client: string | null;
  readonly count: number;
}

export interface LiveEndpoint {
  readonly pool: string;
  readonly endpoint: string;
  /** Running exchanges and tunnels, and idle connections. */
  readonly active: number;
  readonly idle: number;
  /** The admin state: `enabled`, `draining` or `disabled`. */
  readonly admin_state: string;
}

export interface LiveNumbers {
  /** Client connections by listener. */
  readonly connections: Readonly<Record<string, number>>;
  readonly endpoints: readonly LiveEndpoint[];
  /** The leases of the current generation. */
  readonly leases: readonly LiveLeases[];
  /** The number of leases of older generations. */
  readonly older: number;
}

export interface Touches {
  /** Client connections. */
  readonly connections: number;
  /** Running requests. */
  readonly exchanges: number;
  /** Running tunnels and tcp connections. */
  readonly streams: number;
  /** Idle connections to backends. */
  readonly idle: number;
}

/** null: nothing can be running on it. */
export function touchesOf({ kind, name, settings }: Change, before: Plan, live: LiveNumbers): Touches | null {
  switch (kind) {
    case 'listener': {
      const old = oldNameIn(settings) ?? name;
      return sum(live, live.connections[old] ?? 0, (one) => one.listener === old, none);
    }
    case 'route':
      return sum(live, 0, (one) => one.route === name, none);
    case 'acl':
      return behindAcl(name, before, live);
    case 'pool': {
      const old = oldNameIn(settings) ?? name;
      const uses = usersOf(old, before);
      return sum(live, 0, uses, (one) => one.pool === old);
    }
    case 'endpoint': {
      const pool = name.slice(0, name.indexOf('/'));
      const address = name.slice(pool.length + 1);
      const uses = usersOf(pool, before);
      const here = (one: LiveEndpoint): boolean => one.pool === pool && one.endpoint === address;
      return sum(live, 0, (one) => one.endpoint === address && uses(one), here);
    }
    default:
      return null;
  }
}

/** The old name of a renamed part; null: it is not renamed. */
function oldNameIn(settings: Change['settings']): string | null {
  const renamed = settings.find(({ setting }) => setting === 'name')?.before;
  return typeof renamed === 'string' ? renamed : null;
}

const none = (): boolean => false;

function sum(
  live: LiveNumbers,
  connections: number,
  leased: (one: LiveLeases) => boolean,
  at: (one: LiveEndpoint) => boolean,
): Touches {
  let [exchanges, streams, idle] = [0, 0, 0];
  for (const one of live.leases) {
    if (!leased(one)) continue;
    if (one.kind === 'exchange' || one.kind === 'mirror' || one.kind === 'fetch') exchanges += one.count;
    else streams += one.count;
  }
  for (const one of live.endpoints) if (at(one)) idle += one.idle;
  return { connections, exchanges, streams, idle };
}

function behindAcl(name: string, before: Plan, live: LiveNumbers): Touches {
  const asks = ({ policies }: Pick<RoutePlan, 'policies'>): boolean =>
    policies.some((policy) => policy.type === 'acl' && policy.acl.name === name);
  const listeners = new Set<string>();
  let connections = 0;
  for (const listener of before.listeners) {
    // Only a listener's own ACL admits connections; policies admit requests.
    const own = listener.acl?.name === name;
    if (own || asks(listener)) listeners.add(listener.name);
    if (own) connections += live.connections[listener.name] ?? 0;
  }
  const routes = new Set(before.routes.filter(asks).map((one) => one.name));
  return sum(live, connections, (one) => listeners.has(one.listener) || routes.has(one.route), none);
}

/** Selects the leases at routes or listeners that use the pool, directly, by a policy or as a fallback. */
function usersOf(name: string, before: Plan): (one: LiveLeases) => boolean {
  const namesOf = (all: readonly { readonly name: string }[]): ReadonlySet<string> =>
    new Set(all.map((one) => one.name));
  const asks = ({ policies }: Pick<RoutePlan, 'policies'>): boolean => poolsOfPolicies(policies, before).includes(name);
  const routes = namesOf(before.routes.filter((route) => asks(route) || poolsOf(route, before).includes(name)));
  const tcp = namesOf(before.listeners.filter((listener) => poolsAt(listener, before).includes(name)));
  const http = namesOf(before.listeners.filter(asks));
  return (one) => (one.kind === 'tcp' ? tcp.has(one.listener) : routes.has(one.route) || http.has(one.listener));
}

/** The pools that a route sends to, and their fallbacks. */
export function poolsOf({ action, mirror }: RoutePlan, plan: Plan): string[] {
  const first =
    action.type === 'pool' ? [action.pool] : action.type === 'split' ? action.parts.map(({ pool }) => pool) : [];
  const all = mirror === null ? first : [...first, mirror.pool];
  return all.flatMap(({ name }) => chainOf(name, plan));
}

/** The pools that connections of a listener may be relayed to, and their fallbacks. */
export function poolsAt(listener: ListenerPlan, plan: Plan): string[] {
  return poolsOfRelays(listener).flatMap(({ name }) => chainOf(name, plan));
}

/** The pools that these policies send subrequests to, and their fallbacks. */
export function poolsOfPolicies(policies: readonly PolicyPlan[], plan: Plan): string[] {
  return policies.flatMap(poolsOfPolicy).flatMap((name) => chainOf(name, plan));
}

/** The plan ensures that fallback chains end. */
function chainOf(name: string, plan: Plan): string[] {
  const fallback = plan.pools.find((pool) => pool.name === name)?.fallback;
  return fallback?.type === 'pool' ? [name, ...chainOf(fallback.pool, plan)] : [name];
}
