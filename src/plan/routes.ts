/** Plans the routes: unique names, resolved references, no route that can't match. Cold. */
import type { FieldEditsConfig, PolicyConfig, RedirectConfig, RouteConfig } from '../config/schema.gen.ts';
import { encodePath, type PathRules } from '../http/path.ts';
import { hostForm } from '../kit/host-name.ts';
import { planDrain } from './drain.ts';
import { checkReplacementSigns } from './literal-patterns.ts';
import { planMatch } from './matches.ts';
import type { PathReader } from './paths.ts';
import { planOverrides } from './overrides.ts';
import { planPolicy, type PolicyNames } from './policies.ts';
import { planRespond } from './respond.ts';
import type { PlanScope } from './scope.ts';
import { findHidden } from './unreachable-routes.ts';
import { planMirror, planSplit } from './split.ts';
import type { DisabledRoute } from './types/disabled.ts';
import type { ActionPlan, PolicyPlan, RedirectPlan, RoutePlan } from './types.ts';

/** The parts of a listener that matter to routes. */
export interface Entrance {
  readonly protocol: 'http' | 'tcp';
  readonly rules: PathRules;
}

export interface RouteNames extends Omit<PolicyNames, 'path' | 'methods' | 'readers'> {
  readonly listeners: ReadonlyMap<string, Entrance>;
}

export interface PlannedRoutes {
  readonly routes: readonly RoutePlan[];
  readonly disabled: readonly DisabledRoute[];
}

/** Checks all routes; disabled ones are not part of the plan. */
export function planRoutes(configs: readonly RouteConfig[], names: RouteNames, scope: PlanScope): PlannedRoutes {
  const first = new Map<string, number>();
  const routes: RoutePlan[] = [];
  const disabled: DisabledRoute[] = [];
  /** The position in the config of each planned route. */
  const places: number[] = [];
  configs.forEach((config, i) => {
    const other = first.get(config.name);
    if (other === undefined) first.set(config.name, i);
    else
      scope.problem(`/routes/${i}/name`, `there is a route ${config.name} already`, undefined, {
        pointer: `/routes/${other}/name`,
        message: 'first here',
      });
    const route = planRoute(config, `/routes/${i}`, names, scope);
    if (config.enabled) {
      routes.push(route);
      places.push(i);
    } else disabled.push({ name: route.name, listeners: route.listeners, match: route.match, at: routes.length });
  });
  findHidden(routes, (hidden, by) => {
    scope.warning(`/routes/${places[hidden]}`, hiddenMessage(routes[hidden]!, routes[by]!), HIDDEN_HINT, {
      pointer: `/routes/${places[by]}`,
      message: 'this one comes first',
    });
  });
  return { routes, disabled };
}

/** Before a maintenance route it would have no effect: so both ways out. */
export const HIDDEN_HINT = 'put it before that one, or disable one of the two with enabled: false';

export function hiddenMessage(route: RoutePlan, by: RoutePlan): string {
  return `route ${route.name} can never match: ${by.name} takes all its requests`;
}

function planRoute(config: RouteConfig, pointer: string, names: RouteNames, scope: PlanScope): RoutePlan {
  config.listeners?.forEach((name, i) => {
    const entrance = scope.find(names.listeners, 'listener', name, `${pointer}/listeners/${i}`);
    if (entrance?.protocol === 'tcp')
      scope.problem(`${pointer}/listeners/${i}`, `${name} is a tcp listener: it has no routes`);
  });
  if (config.split_by !== undefined && config.split === undefined)
    scope.warning(`${pointer}/split_by`, 'has no effect without a split');
  if (config.drain !== undefined && (config.respond !== undefined || config.redirect !== undefined))
    scope.warning(`${pointer}/drain`, 'has no effect: the route answers at once, without a backend');
  if (!config.map_back && (config.respond !== undefined || config.redirect !== undefined))
    scope.warning(`${pointer}/map_back`, 'has no effect: the route answers without a backend');
  const readers = readersOf(config, names);
  const match = planMatch(config.match, `${pointer}/match`, readers, scope);
  return {
    name: config.name,
    listeners: config.listeners ?? null,
    match,
    policies: planPolicies(config, pointer, { ...names, path: match.path, methods: match.methods, readers }, scope),
    action: planAction(config, pointer, names, scope),
    mirror: planMirror(config, names.pools, pointer, scope),
    mapBack: config.map_back,
    ...planOverrides(config, pointer, scope),
    drain: planDrain(config.drain),
  };
}

/** The http listeners that a route serves. */
function readersOf({ listeners }: RouteConfig, names: RouteNames): PathReader[] {
  return [...names.listeners]
    .filter(([name, { protocol }]) => protocol === 'http' && (listeners?.includes(name) ?? true))
    .map(([name, { rules }]) => ({ name, rules }));
}

function planPolicies(
  { policies, respond, redirect }: RouteConfig,
  pointer: string,
  names: PolicyNames,
  scope: PlanScope,
): PolicyPlan[] {
  const first = new Map<string, number>();
  // Routes with a local reply need no cache, and a stored response must not replace that reply.
  const useless = respond !== undefined || redirect !== undefined;
  policies.forEach((policy, i) => {
    if (policy.type !== 'cache' || !policy.enabled) return;
    const place = `${pointer}/policies/${i}`;
    const other = first.get(policy.cache);
    // A fetch would wait for itself.
    if (other !== undefined)
      scope.problem(place, `cache ${policy.cache} is in this route already`, undefined, {
        pointer: `${pointer}/policies/${other}`,
        message: 'first here',
      });
    else if (useless) scope.warning(place, 'has no effect: the route answers without a backend');
    first.set(policy.cache, i);
  });
  if (useless) policies.forEach((policy, i) => checkUseless(policy, `${pointer}/policies/${i}`, scope));
  const rewrite = policies.findIndex(({ type, enabled }) => type === 'rewrite' && enabled);
  return policies.flatMap((policy, i) => {
    const known = i <= rewrite ? names : { ...names, path: null };
    const plan = planPolicy(policy, `${pointer}/policies/${i}`, known, scope);
    return plan === null || !policy.enabled || (useless && policy.type === 'cache') ? [] : [plan];
  });
}

/** A route that answers by itself forwards no request. */
function checkUseless(policy: PolicyConfig, pointer: string, scope: PlanScope): void {
  if (!policy.enabled) return;
  if (policy.type === 'rewrite' || policy.type === 'decompress')
    scope.warning(pointer, 'has no effect: the route answers without a backend');
  if (policy.type !== 'headers') return;
  if (hasEdits(policy.request))
    scope.warning(`${pointer}/request`, 'has no effect: the route answers without a backend');
}

function hasEdits({ set, add, remove }: FieldEditsConfig): boolean {
  return remove.length + Object.keys(set).length + Object.keys(add).length > 0;
}

function planAction(config: RouteConfig, pointer: string, names: RouteNames, scope: PlanScope): ActionPlan {
  const { respond, redirect, split } = config;
  if (respond !== undefined) return planRespond(respond, `${pointer}/respond`, scope);
  if (redirect !== undefined) return { type: 'redirect', redirect: planRedirect(redirect, pointer, scope) };
  if (split !== undefined) return planSplit(split, config.split_by, names.pools, pointer, scope);
  const pool = scope.find(names.pools, 'pool', config.pool ?? '', `${pointer}/pool`);
  // A missing pool is already a problem: this plan will not be used.
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
  if (path !== undefined)
    checkReplacementSigns(
      path,
      `${pointer}/redirect/path`,
      'it replaces the whole path; leave it out to keep the path',
      scope,
    );
  return {
    status,
    scheme: scheme ?? null,
    host: host === undefined ? null : (hostForm(host) ?? host),
    port: port ?? null,
    path: path === undefined ? null : encodePath(path),
  };
}
