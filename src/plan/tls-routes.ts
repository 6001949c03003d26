/** Plans the TLS routes of a listener: unique names, pools that exist, no route that can never match. Cold. */
import { isIP } from 'node:net';
import type { ListenerConfig, TlsMatch, TlsRoute } from '../config/schema.gen.ts';
import { planHost } from './matches.ts';
import { HIDDEN_HINT } from './routes.ts';
import type { PlanScope } from './scope.ts';
import type { PoolPlan } from './types/pool.ts';
import type { TlsMatchPlan, TlsRoutePlan } from './types/tls.ts';
import { hostWithin, subset, wildcardsAbove } from './unreachable-routes.ts';

/** Checks all TLS routes; disabled ones are not part of the plan. */
export function planTlsRoutes(
  listener: ListenerConfig,
  pointer: string,
  pools: ReadonlyMap<string, PoolPlan>,
  scope: PlanScope,
): readonly TlsRoutePlan[] {
  const { tls_routes: configs, protocol, tls } = listener;
  if (configs.length > 0 && protocol === 'http' && tls === undefined)
    scope.problem(
      `${pointer}/tls_routes`,
      'an http listener has TLS routes only beside its tls',
      'add tls, or write protocol: tcp',
    );
  const first = new Map<string, number>();
  const routes: TlsRoutePlan[] = [];
  /** The position in the config of each planned route. */
  const places: number[] = [];
  configs.forEach((config, i) => {
    const place = `${pointer}/tls_routes/${i}`;
    const other = first.get(config.name);
    if (other === undefined) first.set(config.name, i);
    else
      scope.problem(`${place}/name`, `there is a TLS route ${config.name} already`, undefined, {
        pointer: `${pointer}/tls_routes/${other}/name`,
        message: 'first here',
      });
    const route = planTlsRoute(config, place, listener, pools, scope);
    if (!config.enabled) return;
    routes.push(route);
    places.push(i);
  });
  findHidden(routes, (hidden, by) => {
    const message = `TLS route ${routes[hidden]!.name} can never match: ${routes[by]!.name} takes all its connections`;
    scope.warning(`${pointer}/tls_routes/${places[hidden]}`, message, HIDDEN_HINT, {
      pointer: `${pointer}/tls_routes/${places[by]}`,
      message: 'this one comes first',
    });
  });
  return routes;
}

function planTlsRoute(
  { name, match, mode, pool }: TlsRoute,
  pointer: string,
  listener: ListenerConfig,
  pools: ReadonlyMap<string, PoolPlan>,
  scope: PlanScope,
): TlsRoutePlan {
  const planned = { name, match: planTlsMatch(match, `${pointer}/match`, scope), mode };
  const decrypts = mode === 'terminate';
  if (decrypts && listener.tls === undefined)
    scope.problem(`${pointer}/mode`, 'the listener has no tls to decrypt with', 'add tls to the listener');
  const http = listener.protocol === 'http';
  if (decrypts && http && pool !== undefined)
    scope.problem(
      `${pointer}/pool`,
      'decrypted connections of an http listener bring requests',
      'give the pool to a route',
    );
  const named = pool ?? (http ? undefined : listener.pool);
  // The listener's own pool is looked up, and reported, at its place.
  if (named !== undefined)
    return {
      ...planned,
      pool: pool === undefined ? (pools.get(named) ?? null) : scope.find(pools, 'pool', pool, `${pointer}/pool`),
    };
  if (!decrypts || !http) scope.problem(pointer, 'the TLS route has no pool', 'add pool: NAME');
  return { ...planned, pool: null };
}

function planTlsMatch({ server_name: names, alpn }: TlsMatch, pointer: string, scope: PlanScope): TlsMatchPlan {
  names?.forEach((name, i) => {
    // RFC 6066 §3: no literal addresses.
    if (!name.startsWith('[') && isIP(name) === 0) return;
    scope.problem(`${pointer}/server_name/${i}`, 'would never match: clients send no server name for an IP address');
  });
  return { serverName: names?.map(planHost) ?? null, alpn: alpn ?? null };
}

/** Calls `found` with each hidden TLS route and the one that hides it, as indexes. */
function findHidden(routes: readonly TlsRoutePlan[], found: (hidden: number, by: number) => void): void {
  const earlier = new Map<string, number[]>();
  routes.forEach(({ match }, index) => {
    const [first] = match.serverName ?? [];
    const names = ['', ...(first === undefined ? [] : [first, ...wildcardsAbove(first)])];
    const candidates = names.flatMap((name) => earlier.get(name) ?? []);
    const by = candidates.find((other) => covers(routes[other]!.match, match));
    if (by !== undefined) found(index, by);
    for (const name of match.serverName ?? ['']) {
      const list = earlier.get(name);
      if (list === undefined) earlier.set(name, [index]);
      else if (list.length < 64) list.push(index);
    }
  });
}

/** Whether `wide` matches every connection that `narrow` matches. */
function covers(wide: TlsMatchPlan, narrow: TlsMatchPlan): boolean {
  return subset(narrow.serverName, wide.serverName, hostWithin) && subset(narrow.alpn, wide.alpn, (a, b) => a === b);
}
