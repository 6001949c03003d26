/**
 * Decides which work in progress may migrate to the next generation, and what blocks it. Cold: called at commits.
 *
 * A generation lives as long as work runs on it that the next one would handle differently. All other work migrates: it
 * finds its listener, route and pool there, mostly the very same objects.
 */
import { Exchange } from '../http/exchange.ts';
import { Fields } from '../http/fields.ts';
import { PathReading, pathOfTarget, readPath } from '../http/path.ts';
import { deepEqual } from '../kit/deep-equal.ts';
import type { FieldMatchPlan } from '../plan/types/match.ts';
import type { EndpointState } from '../upstream/endpoint.ts';
import { Pool } from '../upstream/pool.ts';
import type { UpstreamRequest } from './upstream-request.ts';
import type { HttpListenerContext, MigrationBlocker, Route, Successor } from './listener-context.ts';
import { Router } from './router.ts';

/** The counterparts of an exchange or an upgraded tunnel in the next generation. */
export interface MigrationTarget {
  readonly context: HttpListenerContext;
  readonly route: Route;
}

/** An exchange, or the tunnel that it has become. */
export interface MigrationState {
  readonly x: Exchange;
  readonly context: HttpListenerContext;
  /** null: it has none yet. */
  readonly route: Route | null;
  /** The request as received; null: `x` is that, except for its path and the fields that hooks have edited. */
  readonly asked: Exchange | null;
  readonly routedPath: string;
  readonly upstream: UpstreamRequest | null;
  readonly tunnel: MigratingTunnel | null;
  /** The response has begun. */
  readonly begun: boolean;
  /** null: no policy has intercepted it. */
  readonly intercepted: object | null;
}

interface MigratingTunnel {
  readonly endpoint: EndpointState;
  /** `idle` in ms, from the next byte on. */
  retime(idle: number): void;
}

/** Copies a request, so that hooks do not edit the copy. */
export function copyOf(x: Exchange): Exchange {
  const { connection, method, target, version, bodyLength, startedAt } = x;
  const pairs: [string, string][] = [];
  x.fields.forEach((name, value) => pairs.push([name, value]));
  const fields = Fields.of(pairs);
  return new Exchange(connection, method, target, x, version, fields, bodyLength, startedAt);
}

/** Finds the counterparts in the next generation. If there are any, the exchange has migrated when this returns. */
export function migrationTargetOf(moving: MigrationState, next: Successor): MigrationTarget | MigrationBlocker {
  const { x, route: old, upstream, tunnel } = moving;
  // It has no route: it is being refused, and over in a moment.
  if (old === null) return 'route_gone';
  const context = next.http(moving.context.plan);
  if (context === null) return 'listener_gone';
  if (context.acl !== null && !context.acl.allows(x.clientAddress, x.connection.tls?.client ?? null))
    return 'denied_by_listener';
  const { tlsPolicies } = context;
  if (tlsPolicies !== null && tlsPolicies.refusal(x.connection.tls, x.host, context.shared.clock.wall()) !== '')
    return 'denied_by_listener';
  const path = pathUnder(moving, context);
  if (path === null) return 'denied_by_listener';
  const route = routeOf(moving, old, path, context, next);
  if (route === undefined) return 'route_gone';
  if (route === old) return { context, route };
  if (route.name !== old.name) return 'routed_elsewhere';
  for (const allows of route.gates) if (!allows(moving.asked ?? x, x.clientAddress)) return 'denied_by_policy';
  if (!sameHooks(route, old)) return 'policies_changed';
  // An intercepted exchange continues on its own, and its subrequests have their own leases.
  if (upstream === null && moving.intercepted !== null) return { context, route };
  // It waits in a request hook: what the route does then must be the same.
  if (upstream === null) {
    if (!alike(route.pools, old.pools)) return 'pool_changed';
    return route.respond === old.respond ? { context, route } : 'policies_changed';
  }
  // Once the response has begun, or the exchange has become a tunnel, no choice of an endpoint is left.
  const settled = tunnel !== null || moving.begun;
  const endpoint = settled ? (tunnel?.endpoint ?? upstream.attempt?.endpoint ?? null) : null;
  const pool = findPool(route.pools, upstream.pool, endpoint);
  if (pool === null) return missing(route.pools, upstream.pool, endpoint);
  upstream.goesTo(pool, route.overrides);
  tunnel?.retime(upstream.terms.tunnel);
  return { context, route };
}

const reading = new PathReading();

/** The request's path under the new path rules; null: they would reject it. */
function pathUnder(
  { x, asked, upstream, routedPath, context: old }: MigrationState,
  context: HttpListenerContext,
): string | null {
  const judged = asked?.routedPath ?? (upstream === null ? x.routedPath : routedPath);
  const path = pathOfTarget(x.target);
  if (path === '' || deepEqual(old.plan.paths, context.plan.paths)) return judged;
  return readPath(path, context.plan.paths, reading) === '' ? reading.routed : null;
}

/** Request fields that forwarding changes, under any policies. */
const SPENT: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'keep-alive',
  'max-forwards',
  'proxy',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** The route under the new config: the new router decides, with the request as received. */
function routeOf(
  moving: MigrationState,
  route: Route,
  path: string,
  context: HttpListenerContext,
  next: Successor,
): Route | undefined {
  const { x, asked, context: old } = moving;
  if (context.router === old.router && deepEqual(old.plan.paths, context.plan.paths)) return route;
  const subject = asked ?? x;
  const now = subject.routedPath;
  subject.routedPath = path;
  const found = context.router.match(subject);
  const settled = asked !== null || moving.upstream === null || found?.name === route.name;
  const decided = settled ? found : withoutEdits(x, route, found, context, next);
  subject.routedPath = now;
  return decided;
}

/**
 * Hooks may have edited the header since the request was routed. For its own route, the conditions of the new config on
 * such fields count as met; for other routes they count as not met. Everything else is as received, and decides.
 */
function withoutEdits(
  x: Exchange,
  route: Route,
  found: Route | undefined,
  context: HttpListenerContext,
  next: Successor,
): Route | undefined {
  const own = context.derived === null ? next.route(route.name) : (context.derived.get(route.name) ?? null);
  const edited = ({ name }: FieldMatchPlan): boolean => route.forward.length > 0 || SPENT.has(name);
  const rest = new Router<Route>();
  for (const { name, match } of context.plan.routes) {
    const certain = match.headers.filter((one) => !edited(one));
    if (name === route.name && own !== null) rest.add({ ...match, headers: certain }, own);
    else if (name === found?.name && certain.length === match.headers.length) rest.add(match, found);
  }
  return rest.match(x) ?? (found !== undefined && own === null ? found : undefined);
}

/**
 * The place of the next request hook in the new route. A policy that has intercepted the exchange has the same hooks,
 * perhaps at another place.
 */
export function stepUnder(step: number, { request: old }: Route, { request }: Route): number {
  return step === 0 ? 0 : request.indexOf(old[step - 1]!) + 1 || step;
}

function alike(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i]);
}

/** Policies that only admit or deny have done their part, and their gates run again. */
function sameHooks(a: Route, b: Route): boolean {
  return alike(a.lasting, b.lasting) && alike(a.response, b.response);
}

/**
 * The counterpart of `old` among the route's pools and their fallbacks: the same pool or, when an endpoint is in use, a
 * pool of the same name that has this endpoint.
 */
export function findPool(pools: readonly Pool[], old: Pool, endpoint: EndpointState | null): Pool | null {
  for (const first of pools) {
    for (let pool: Pool['fallback'] = first; pool instanceof Pool; pool = pool.fallback) {
      if (pool === old) return pool;
      if (endpoint !== null && follows(pool, old) && pool.endpoints.some(({ state }) => state === endpoint))
        return pool;
    }
  }
  return null;
}

/** Does the pool have the same name, or was it renamed from it? */
function follows({ name, plan }: Pool, old: Pool): boolean {
  return name === old.name || plan.renamedFrom === old.name;
}

/** Why there is no counterpart. */
export function missing(pools: readonly Pool[], old: Pool, endpoint: EndpointState | null): MigrationBlocker {
  if (endpoint === null) return 'pool_changed';
  for (const first of pools) {
    for (let pool: Pool['fallback'] = first; pool instanceof Pool; pool = pool.fallback)
      if (follows(pool, old)) return 'endpoint_gone';
  }
  return 'pool_changed';
}
