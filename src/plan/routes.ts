/** Routes: unique names, references found, none that could never match. Cold. */
import type { RedirectConfig, RouteConfig } from '../config/schema.gen.ts';
import { planDrain } from './drain.ts';
import { planMatch } from './matches.ts';
import { planPolicy, type PolicyNames } from './policies.ts';
import { planRespond } from './respond.ts';
import type { PlanScope } from './scope.ts';
import { findHidden } from './shadow.ts';
import { planMirror, planSplit } from './split.ts';
import type { ActionPlan, PolicyPlan, PoolPlan, RedirectPlan, RoutePlan } from './types.ts';

export interface RouteNames extends PolicyNames {
  readonly pools: ReadonlyMap<string, PoolPlan>;
  /** Protocols of the listeners. */
  readonly listeners: ReadonlyMap<string, 'http' | 'tcp'>;
}

export function planRoutes(configs: readonly RouteConfig[], names: RouteNames, scope: PlanScope): RoutePlan[] {
  const first = new Map<string, number>();
  const routes = configs.map((config, i) => {
    const other = first.get(config.name);
    if (other === undefined) first.set(config.name, i);
    else
      scope.problem(`/routes/${i}/name`, `there is a route ${config.name} already`, undefined, {
        pointer: `/routes/${other}/name`,
        message: 'first here',
      });
    return planRoute(config, `/routes/${i}`, names, scope);
  });
  findHidden(routes, (hidden, by) => {
    scope.problem(
      `/routes/${hidden}`,
      `route ${routes[hidden]!.name} can never match: ${routes[by]!.name} takes all its requests`,
      'put it before that one',
      {
        pointer: `/routes/${by}`,
        message: 'this one comes first',
      },
    );
  });
  return routes;
}

function planRoute(config: RouteConfig, pointer: string, names: RouteNames, scope: PlanScope): RoutePlan {
  config.listeners?.forEach((name, i) => {
    const protocol = scope.find(names.listeners, 'listener', name, `${pointer}/listeners/${i}`);
    if (protocol === 'tcp') scope.problem(`${pointer}/listeners/${i}`, `${name} is a tcp listener: it has no routes`);
  });
  if (config.split_by !== undefined && config.split === undefined)
    scope.problem(`${pointer}/split_by`, 'has no effect without a split');
  if (config.drain !== undefined && (config.respond !== undefined || config.redirect !== undefined))
    scope.problem(`${pointer}/drain`, 'has no effect: what this route answers is over at once');
  return {
    name: config.name,
    listeners: config.listeners ?? null,
    match: planMatch(config.match, `${pointer}/match`, scope),
    policies: planPolicies(config, pointer, names, scope),
    action: planAction(config, pointer, names, scope),
    mirror: planMirror(config, names.pools, pointer, scope),
    drain: planDrain(config.drain),
  };
}

function planPolicies(
  { policies, respond, redirect }: RouteConfig,
  pointer: string,
  names: RouteNames,
  scope: PlanScope,
): PolicyPlan[] {
  let first = -1;
  policies.forEach(({ type }, i) => {
    if (type !== 'cache') return;
    const place = `${pointer}/policies/${i}`;
    if (first >= 0)
      scope.problem(place, 'a route has one cache at most', undefined, {
        pointer: `${pointer}/policies/${first}`,
        message: 'first here',
      });
    else if (respond !== undefined || redirect !== undefined)
      scope.problem(place, 'has no effect: what this route answers is not fetched from anywhere');
    first = i;
  });
  return policies.flatMap((policy, i) => planPolicy(policy, `${pointer}/policies/${i}`, names, scope) ?? []);
}

function planAction(config: RouteConfig, pointer: string, names: RouteNames, scope: PlanScope): ActionPlan {
  const { respond, redirect, split } = config;
  if (respond !== undefined) return planRespond(respond, `${pointer}/respond`, scope);
  if (redirect !== undefined) return { type: 'redirect', redirect: planRedirect(redirect, pointer, scope) };
  if (split !== undefined) return planSplit(split, config.split_by, names.pools, pointer, scope);
  const pool = scope.find(names.pools, 'pool', config.pool ?? '', `${pointer}/pool`);
  // A pool that was not found is a problem already: this plan will not be used.
  return pool === null ? { type: 'respond', status: 503, headers: [], body: '' } : { type: 'pool', pool };
}

function planRedirect(
  { status, scheme, host, port, path }: RedirectConfig,
  pointer: string,
  scope: PlanScope,
): RedirectPlan {
  if (scheme === undefined && host === undefined && port === undefined && path === undefined) {
    scope.problem(
      `${pointer}/redirect`,
      'changes nothing: it would send clients round and round',
      'give a scheme, host, port or path',
    );
  }
  return { status, scheme: scheme ?? null, host: host ?? null, port: port ?? null, path: path ?? null };
}
