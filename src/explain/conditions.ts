/**
 * Says why a route does not match a request: evaluates each of its conditions separately. Cold.
 *
 * A Router with one route and only that condition evaluates it, so that the result can't differ from that for traffic.
 */
import type { Exchange } from '../http/exchange.ts';
import type { FieldMatchPlan, MatchPlan } from '../plan/types/match.ts';
import type { RoutePlan } from '../plan/types.ts';
import { queryValue } from '../http/query.ts';
import { Router } from '../proxy/router.ts';

export interface FailedCondition {
  readonly condition: 'listener' | 'host' | 'path' | 'method' | 'header' | 'query' | 'server name' | 'alpn';
  /** The name of a header field or query parameter, else ''. */
  readonly name: string;
  readonly wanted: string;
  /** null: it was absent. */
  readonly found: string | null;
}

const ANY: MatchPlan = { hosts: null, path: null, methods: null, headers: [], query: [] };

function holds(match: Partial<MatchPlan>, x: Exchange): boolean {
  const router = new Router<true>();
  router.add({ ...ANY, ...match }, true);
  return router.match(x) === true;
}

/** Every condition of the route that `x` does not meet; empty: the route would match it. */
export function failedConditions(
  { listeners, match }: Pick<RoutePlan, 'listeners' | 'match'>,
  x: Exchange,
): FailedCondition[] {
  const { hosts, path, methods, headers, query } = match;
  const failed: FailedCondition[] = [];
  const add = (condition: FailedCondition['condition'], wanted: string, found: string | null, name = ''): void => {
    failed.push({ condition, name, wanted, found });
  };
  const { listener } = x.connection;
  if (listeners !== null && !listeners.includes(listener)) add('listener', listeners.join(' or '), listener);
  if (hosts !== null && !holds({ hosts }, x)) add('host', hosts.join(' or '), x.host);
  if (path !== null && !holds({ path }, x)) add('path', saidPath(path), x.routedPath);
  if (methods !== null && !holds({ methods }, x)) add('method', methods.join(' or '), x.method);
  for (const one of headers)
    if (!holds({ headers: [one] }, x)) add('header', saidValue(one), x.fields.get(one.name) ?? null, one.name);
  for (const one of query)
    if (!holds({ query: [one] }, x)) add('query', saidValue(one), queryValue(x.query, one.name) ?? null, one.name);
  return failed;
}

const THERE = 'to be there';
const ABSENT = 'not to be there';

function saidPath({ kind, value }: NonNullable<MatchPlan['path']>): string {
  if (kind === 'exact') return `exactly ${value}`;
  return kind === 'regex' ? `matching ${value}` : `${value} or below`;
}

function saidValue({ kind, value }: FieldMatchPlan): string {
  if (kind === 'present') return value === 'true' ? THERE : ABSENT;
  return kind === 'regex' ? `matching ${value}` : `"${value}"`;
}

/** In words: `path /v1 or below, not /v2`. */
export function sayFailed({ condition, name, wanted, found }: FailedCondition): string {
  const what = name === '' ? condition : `${condition} ${name}`;
  if (wanted === THERE) return `${what} is not there`;
  if (wanted === ABSENT) return `${what} is there`;
  if (found === null) return `${what} ${wanted}: there is none`;
  return `${what} ${wanted}, not ${found === '' ? 'an empty one' : found}`;
}
