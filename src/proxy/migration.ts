/**
 * What under way may go over to the next generation, and what stands in its way. Cold: called at commits.
 *
 * A generation lives as long as something runs on it that would run otherwise under the next one. What would be served in
 * the same way goes over: it finds its listener, route and pool there, mostly the very objects that it has already.
 */
import { Exchange } from '../http/exchange.ts';
import { Fields } from '../http/fields.ts';
import { PathReading, pathOfTarget, readPath } from '../http/path.ts';
import { deepEqual } from '../kit/deep-equal.ts';
import type { FieldMatchPlan } from '../plan/types.ts';
import type { EndpointState } from '../upstream/endpoint.ts';
import { Pool } from '../upstream/pool.ts';
import type { UpstreamRequest } from './upstream-request.ts';
import type { HttpListenerContext, MigrationBlocker, Route, Successor } from './listener-context.ts';
import { Router } from './router.ts';
import type { UpgradedTunnel } from './upgrade.ts';

/** What an exchange or an upgraded tunnel has found in the next generation. */
export interface MigrationTarget {
  readonly live: HttpListenerContext;
  readonly route: Route;
}

export interface MigrationState extends MigrationTarget {
  readonly x: Exchange;
  /** The request as it came; null: it is as `x`, but for its path and whatever hooks have edited in its header. */
  readonly asked: Exchange | null;
  readonly routedPath: string;
  readonly forwarding: UpstreamRequest | null;
  readonly tunnel: UpgradedTunnel | null;
  /** Its response has begun. */
  readonly begun: boolean;
  /** It is in the hands of a policy. */
  readonly taken: boolean;
}

/** A copy of a request that no hook will edit. */
export function copyOf(x: Exchange): Exchange {
  const { connection, method, target, authority, host, path, query, minor, bodyLength, startedAt } = x;
  const pairs: [string, string][] = [];
  x.fields.forEach((name, value) => pairs.push([name, value]));
  const fields = Fields.of(pairs);
  const copy = new Exchange(
    connection,
    method,
    target,
    authority,
    host,
    path,
    query,
    minor,
    fields,
    bodyLength,
    startedAt,
  );
  copy.routedPath = x.routedPath;
  return copy;
}

/** It has gone over when this answers with what it has found. */
export function migrationTargetOf(moving: MigrationState, next: Successor): MigrationTarget | MigrationBlocker {
  const { x, route: old, forwarding: upstream, tunnel } = moving;
  const context = next.http(moving.live.plan);
  if (context === null) return 'listener_gone';
  if (context.acl !== null && !context.acl.allows(x.clientAddress)) return 'denied_by_listener';
  const path = pathUnder(moving, context);
  if (path === null) return 'denied_by_listener';
  const route = routeOf(moving, path, context, next);
  if (route === undefined) return 'route_gone';
  if (route === old) return { live: context, route };
  if (route.name !== old.name) return 'routed_elsewhere';
  for (const allows of route.gates) if (!allows(moving.asked ?? x, x.clientAddress)) return 'denied_by_policy';
  if (!sameHooks(route, old)) return 'policies_changed';
  // What a policy has taken over goes on by itself, and what that has sent on has a lease of its own.
  if (upstream === null) return moving.taken ? { live: context, route } : 'policies_changed';
  // Nothing is left to decide when the response has begun, or when it has become a tunnel.
  const settled = tunnel !== null || moving.begun;
  const endpoint = settled ? (tunnel?.endpoint ?? upstream.attempt?.endpoint ?? null) : null;
  const pool = findPool(route.pools, upstream.pool, endpoint);
  if (pool === null) return missing(route.pools, upstream.pool, endpoint);
  upstream.goesTo(pool, route.overrides);
  tunnel?.retime(upstream.terms.tunnel);
  return { live: context, route };
}

const reading = new PathReading();

/** Its path as rules would judge it now; null: it would be refused. */
function pathUnder(
  { x, asked, forwarding: upstream, routedPath, live: old }: MigrationState,
  context: HttpListenerContext,
): string | null {
  const judged = asked?.routedPath ?? (upstream === null ? x.routedPath : routedPath);
  const path = pathOfTarget(x.target);
  if (path === '' || deepEqual(old.plan.paths, context.plan.paths)) return judged;
  return readPath(path, context.plan.paths, reading) === '' ? reading.routed : null;
}

/** Fields of a request that are not as they came once it has been sent on, whatever the policies. */
const SPENT: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'keep-alive',
  'max-forwards',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** Where the request would be routed now: the new router decides, over the request as it came. */
function routeOf(
  moving: MigrationState,
  path: string,
  context: HttpListenerContext,
  next: Successor,
): Route | undefined {
  const { x, asked, route } = moving;
  if (context.router === moving.live.router && deepEqual(moving.live.plan.paths, context.plan.paths)) return route;
  const subject = asked ?? x;
  const now = subject.routedPath;
  subject.routedPath = path;
  const found = context.router.match(subject);
  const settled = asked !== null || moving.forwarding === null || found?.name === route.name;
  const decided = settled ? found : withoutEdits(moving, found, context, next);
  subject.routedPath = now;
  return decided;
}

/**
 * Its header may have been edited since it was routed. What the new config asks of such fields is taken to be so for its own
 * route, and not to be so for others; all else is as it came, and decides.
 */
function withoutEdits(
  { x, route }: MigrationState,
  found: Route | undefined,
  context: HttpListenerContext,
  next: Successor,
): Route | undefined {
  const own = next.route(route.name);
  const edited = ({ name }: FieldMatchPlan): boolean => route.forward.length > 0 || SPENT.has(name);
  const rest = new Router<Route>();
  for (const { name, match } of context.plan.routes) {
    const certain = match.headers.filter((one) => !edited(one));
    if (name === route.name && own !== null) rest.add({ ...match, headers: certain }, own);
    else if (name === found?.name && certain.length === match.headers.length) rest.add(match, found);
  }
  return rest.match(x) ?? (found !== undefined && own === null ? found : undefined);
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
      if (endpoint !== null && follows(pool, old) && pool.endpoints.some(({ state }) => state === endpoint))
        return pool;
    }
  }
  return null;
}

/** Is it the pool of the same name, or of the one that it had? */
function follows({ name, plan }: Pool, old: Pool): boolean {
  return name === old.name || plan.renamedFrom === old.name;
}

/** Why there is none. */
export function missing(pools: readonly Pool[], old: Pool, endpoint: EndpointState | null): MigrationBlocker {
  if (endpoint === null) return 'pool_changed';
  for (const first of pools) {
    for (let pool: Pool['fallback'] = first; pool instanceof Pool; pool = pool.fallback)
      if (follows(pool, old)) return 'endpoint_gone';
  }
  return 'pool_changed';
}
