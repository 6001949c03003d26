/**
 * What under way may go over to the next generation, and what stands in its way. Cold: called at commits.
 *
 * A generation lives as long as something runs on it that would run otherwise under the next one. What would be served in
 * the same way goes over: it finds its listener, route and pool there, mostly the very objects that it has already.
 */
import { Exchange } from '../http/exchange.ts';
import { Fields } from '../http/fields.ts';
import type { EndpointState } from '../upstream/endpoint.ts';
import { Pool } from '../upstream/pool.ts';
import type { Forwarding } from './forwarding.ts';
import type { HttpLive, Pin, Route, Successor } from './live.ts';

/** What an exchange or an upgraded tunnel has found in the next generation. */
export interface NewHome {
  readonly live: HttpLive;
  readonly route: Route;
  /** null: nobody has been asked yet. */
  readonly pool: Pool | null;
}

export interface Moving {
  readonly live: HttpLive;
  readonly route: Route;
  /** The request as it was routed. */
  readonly asked: Exchange;
  /** Is `asked` that in every field? Else hooks may have edited its header. */
  readonly exact: boolean;
  readonly forwarding: Forwarding | null;
  /** Who is asked. */
  readonly endpoint: EndpointState | null;
  /** Nothing is left to decide: the response has begun, or it has become a tunnel. */
  readonly settled: boolean;
}

/** A copy of a request that no hook will edit. */
export function copyOf(x: Exchange): Exchange {
  const { connection, method, target, authority, host, path, query, minor, bodyLength, startedAt } = x;
  const pairs: [string, string][] = [];
  x.fields.forEach((name, value) => pairs.push([name, value]));
  const fields = Fields.of(pairs);
  return new Exchange(connection, method, target, authority, host, path, query, minor, fields, bodyLength, startedAt);
}

export function newHomeOf(moving: Moving, clientAddress: string, next: Successor): NewHome | Pin {
  const live = next.http(moving.live.plan.name);
  if (live === null) return 'listener_gone';
  if (live.acl !== null && !live.acl.allows(clientAddress)) return 'denied_by_listener';
  const { route: old, forwarding } = moving;
  const route = routeOf(moving, live, next);
  if (route === undefined) return 'route_gone';
  if (route === old) return { live, route, pool: forwarding?.pool ?? null };
  if (route.name !== old.name) return 'routed_elsewhere';
  for (const allows of route.gates) if (!allows(moving.asked, clientAddress)) return 'denied_by_policy';
  if (forwarding === null || !sameHooks(route, old)) return 'policies_changed';
  const endpoint = moving.settled ? moving.endpoint : null;
  const pool = findPool(route.pools, forwarding.pool, endpoint);
  return pool === null ? missing(route.pools, forwarding.pool, endpoint) : { live, route, pool };
}

/** Where the request would be routed now. */
function routeOf({ live: from, route, asked, exact }: Moving, live: HttpLive, next: Successor): Route | undefined {
  if (live.router === from.router) return route;
  const found = live.router.match(asked);
  if (found?.name === route.name || exact) return found;
  // Its header may have been edited since it was routed, and conditions on it may fail for that alone: in doubt it stays.
  return next.route(route.name) ?? undefined;
}

/** Those that only let in or refuse have done their part, and are asked again. */
function sameHooks(a: Route, b: Route): boolean {
  return a.lasting.length === b.lasting.length && a.lasting.every((hooks, i) => hooks === b.lasting[i]);
}

/**
 * The pool in place of `old` among those that may be asked, and what they fall back on: the same one, or, for what an
 * endpoint is at work on already, one of the same name that has this endpoint.
 */
export function findPool(pools: readonly Pool[], old: Pool, endpoint: EndpointState | null): Pool | null {
  for (const first of pools) {
    for (let pool: Pool['fallback'] = first; pool instanceof Pool; pool = pool.fallback) {
      if (pool === old) return pool;
      if (endpoint !== null && pool.name === old.name && pool.endpoints.some(({ state }) => state === endpoint))
        return pool;
    }
  }
  return null;
}

/** Why there is none. */
export function missing(pools: readonly Pool[], old: Pool, endpoint: EndpointState | null): Pin {
  if (endpoint === null) return 'pool_changed';
  for (const first of pools) {
    for (let pool: Pool['fallback'] = first; pool instanceof Pool; pool = pool.fallback)
      if (pool.name === old.name) return 'endpoint_gone';
  }
  return 'pool_changed';
}
