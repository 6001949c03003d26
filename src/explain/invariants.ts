/**
 * The invariants in a config: each is checked against the plan, and every violation is a Problem at its position. Cold.
 */
import { AccessList } from '../kit/access-list.ts';
import type { LoadedConfig } from '../config/load.ts';
import type {
  HeaderNeverPassedInvariant,
  InvariantConfig,
  MinEndpointsInvariant,
  NeverBoundInvariant,
  NoOpenListenerInvariant,
  NoUnreachableRouteInvariant,
  RouteExistsInvariant,
} from '../config/schema.gen.ts';
import { siftIdentity } from '../http/identity.ts';
import { LITERAL } from '../http/path.ts';
import { AddressSet } from '../kit/address-set.ts';
import { ANY } from '../plan/listeners.ts';
import { requiresCertificates } from '../plan/handshake.ts';
import { planAddress } from '../plan/pools.ts';
import { HIDDEN_HINT, hiddenMessage } from '../plan/routes.ts';
import { type PlanScope } from '../plan/scope.ts';
import { segment } from '../config/walk.ts';
import { findHidden } from '../plan/unreachable-routes.ts';
import type { AddressPlan } from '../plan/types/address.ts';
import type { ListenerPlan, Plan, PolicyPlan, RoutePlan } from '../plan/types.ts';
import type { PoolPlan } from '../plan/types/pool.ts';
import { policyOf, policyTypes } from '../policies/index.ts';
import { requestText } from '../http/client-codecs.ts';
import { OutgoingHead } from '../http/outgoing-head.ts';
import { editAll } from './policies.ts';
import { readRequest, STRANGER } from './request.ts';
import { fieldsOfText } from './walk.ts';

type Check<T extends InvariantConfig['type']> = (
  invariant: Extract<InvariantConfig, { type: T }>,
  subject: {
    readonly plan: Plan;
    readonly scope: PlanScope;
    readonly pointer: string;
    /** The position in the config of each route of the plan. */
    readonly places: readonly number[];
  },
) => void;
type Subject = Parameters<Check<'route_exists'>>[1];

/** By type: a type in the schemas without a check here does not compile. */
const checks = {
  route_exists: routeExists,
  no_open_listener: noOpenListener,
  min_endpoints: minEndpoints,
  never_bound: neverBound,
  header_never_passed: headerNeverPassed,
  no_unreachable_route: noUnreachableRoute,
} satisfies { [T in InvariantConfig['type']]: Check<T> };

export function checkInvariants(plan: Plan, { config }: Pick<LoadedConfig, 'config'>, scope: PlanScope): void {
  const places = config.routes.flatMap(({ enabled }, i) => (enabled ? [i] : []));
  config.invariants.forEach((invariant, i) => {
    // The table pairs each type with its check, which the compiler can't follow through a lookup.
    const check = checks[invariant.type] as Check<InvariantConfig['type']>;
    check(invariant, { plan, scope, places, pointer: `/invariants/${i}` });
  });
}

function forbidding({ pointer }: Subject): { pointer: string; message: string } {
  return { pointer, message: 'which this invariant forbids' };
}

/** The pools that a route sends to. */
function poolsOf({ action }: RoutePlan): PoolPlan[] {
  if (action.type === 'pool') return [action.pool];
  return action.type === 'split' ? action.parts.map(({ pool }) => pool) : [];
}

function routeExists({ route: name, pool, policies }: RouteExistsInvariant, { plan, scope, pointer }: Subject): void {
  const pools = new Map(plan.pools.map((one) => [one.name, one]));
  const types = new Map(policyTypes.map((type) => [type, type]));
  pool?.forEach((one) => scope.find(pools, 'pool', one, `${pointer}/pool`));
  policies?.forEach((one) => scope.find(types, 'policy', one, `${pointer}/policies`));
  const routes = new Map(plan.routes.map((one) => [one.name, one]));
  const disabled = plan.disabled.routes.map((one) => one.name);
  const route = scope.find(routes, 'route', name, `${pointer}/route`, disabled);
  if (route === null) return;
  if (pool !== undefined) {
    const leads = poolsOf(route).map((one) => one.name);
    if (leads.length === 0 || !leads.every((one) => pool.includes(one))) {
      const where = leads.length === 0 ? 'to no pool' : `to ${leads.join(' and ')}`;
      scope.problem(`${pointer}/pool`, `route ${name} must lead to ${pool.join(' or ')}, but leads ${where}`);
    }
  }
  const on = plan.listeners.filter((listener) => listener.routes.includes(route));
  const hasAt = (type: string, at: readonly PolicyPlan[]): boolean => at.some((one) => one.type === type);
  for (const type of policies ?? [])
    if (
      types.has(type) &&
      !hasAt(type, route.policies) &&
      (on.length === 0 || !on.every((listener) => hasAt(type, listener.policies)))
    )
      scope.problem(`${pointer}/policies`, `route ${name} must have the policy ${type}, but has it not`);
}

const LOOPBACK = new AddressSet(['127.0.0.0/8', '::1']);

function isLocal({ host, path }: AddressPlan): boolean {
  return path !== null || host === 'localhost' || LOOPBACK.has(host);
}

/** A route that admits unauthenticated clients; null: there is none. */
function openRoute({ routes, policies }: ListenerPlan): RoutePlan | null {
  const guards = (one: PolicyPlan): boolean => policyOf(one).guards?.(one) === true;
  if (policies.some(guards)) return null;
  return routes.find((route) => !route.policies.some(guards)) ?? null;
}

function noOpenListener({ except }: NoOpenListenerInvariant, subject: Subject): void {
  const { plan, scope, pointer } = subject;
  const names = ['admin', ...plan.listeners.map(({ name }) => name), ...plan.disabled.listeners];
  const known = new Map(names.map((name) => [name, name]));
  except.forEach((name, i) => scope.find(known, 'listener', name, `${pointer}/except/${i}`));
  for (const listener of plan.listeners) {
    const { name, address, acl, protocol, tls, tlsRoutes } = listener;
    const passes = tlsRoutes.some(({ mode }) => mode === 'passthrough');
    if (!passes && requiresCertificates(tls)) continue;
    if (except.includes(name) || isLocal(address) || (acl !== null && new AccessList(acl).keepsStrangersOut)) continue;
    const open = openRoute(listener);
    if (protocol === 'http' && !passes && open === null) continue;
    const why = acl === null ? 'it has no ACL' : `its ACL ${acl.name} excludes hardly any client`;
    const route = open === null ? '' : `, and route ${open.name} has no policy that keeps strangers out`;
    scope.problem(
      `/listeners/${segment(name)}/address`,
      `listener ${name} is open to the world: ${why}${route}`,
      'give it an ACL with an allow list, bind it to loopback, or except it',
      forbidding(subject),
    );
  }
  if (plan.admin === null || isLocal(plan.admin.address) || except.includes('admin')) return;
  scope.problem(
    '/admin/address',
    'the admin listener is open to the world',
    'bind it to loopback',
    forbidding(subject),
  );
}

function minEndpoints({ pool: name, endpoints: least }: MinEndpointsInvariant, subject: Subject): void {
  const { plan, scope, pointer } = subject;
  const named = new Map(plan.pools.map((pool) => [pool.name, pool]));
  const one = name === undefined ? null : scope.find(named, 'pool', name, `${pointer}/pool`);
  if (name !== undefined && one === null) return;
  for (const pool of one === null ? plan.pools : [one]) {
    // The number of addresses behind a name is unknown: count it as one.
    const all = [...pool.endpoints, ...(pool.dns?.names ?? [])];
    const count = all.filter(({ weight }) => weight > 0).length;
    if (count >= least) continue;
    scope.problem(
      `/pools/${segment(pool.name)}/endpoints`,
      `pool ${pool.name} has ${count} ${count === 1 ? 'endpoint' : 'endpoints'} of weight above 0, and needs ${least}`,
      undefined,
      forbidding(subject),
    );
  }
}

function isBoundAt(listener: AddressPlan, { address, port, wildcard }: NeverBoundInvariant): boolean {
  const all = listener.path === null && ANY.has(listener.host);
  if (wildcard !== undefined) return all;
  if (port !== undefined) return listener.path === null && listener.port === port;
  if (address === undefined) return false;
  const forbidden = planAddress(address);
  if (forbidden.path !== null || listener.path !== null) return forbidden.path === listener.path;
  return forbidden.port === listener.port && (all || sameHost(forbidden.host, listener.host));
}

function sameHost(a: string, b: string): boolean {
  const named = (host: string): string => (host === 'localhost' ? '127.0.0.1' : host.toLowerCase());
  return named(a) === named(b) || (ANY.has(a) && ANY.has(b));
}

function neverBound(invariant: NeverBoundInvariant, subject: Subject): void {
  const { plan, scope } = subject;
  const places = plan.listeners.map(({ name, address }) => ({
    pointer: `/listeners/${segment(name)}/address`,
    address,
  }));
  if (plan.admin !== null) places.push({ pointer: '/admin/address', address: plan.admin.address });
  for (const { pointer, address } of places)
    if (isBoundAt(address, invariant))
      scope.problem(pointer, `${address.text} must never be bound`, undefined, forbidding(subject));
}

/** A value that neither a config nor a client would use. */
const PROBE = 'a-value-of-the-client';
const LIMITS = { headerSize: 65_536, headerCount: 100, uriSize: 8192, bodySize: 0 };

/** Characters of a field name that frameworks may read as a hyphen (RFC 9110 §5.6.2). */
const MARKS = Array.from("_!#$%&'*+.^`|~");

function headerNeverPassed({ header, pools }: HeaderNeverPassedInvariant, subject: Subject): void {
  const { plan, scope, pointer, places } = subject;
  const known = new Map(plan.pools.map((pool) => [pool.name, pool]));
  pools?.forEach((name) => scope.find(known, 'pool', name, `${pointer}/pools`));
  plan.routes.forEach((route, i) => {
    const to = [...poolsOf(route), ...(route.mirror === null ? [] : [route.mirror.pool])];
    if (!to.some(({ name }) => pools?.includes(name) ?? true)) return;
    const on = plan.listeners.filter((listener) => listener.routes.includes(route));
    const forms = new Set([header, ...MARKS.map((mark) => header.replaceAll('-', mark))]);
    const passed = [...forms].find((name) => on.some((listener) => passes(route, name, listener)));
    if (passed === undefined) return;
    scope.problem(
      `/routes/${places[i]}`,
      `route ${route.name} passes ${passed} on to ${to.map(({ name }) => name).join(' and ')}`,
      'remove it by a headers policy',
      forbidding(subject),
    );
  });
}

const NO_PROXIES = new AddressSet([]);

/** Whether a client's value of that field reaches the pool, at that listener. */
function passes(route: RoutePlan, header: string, { identity, policies }: ListenerPlan): boolean {
  const asked = { method: 'GET', url: 'http://host.invalid/', client: STRANGER, headers: [[header, PROBE]] as const };
  const place = { name: '', address: planAddress('127.0.0.1:80'), paths: LITERAL, secure: false, tlsPolicies: null };
  const read = readRequest(asked, LIMITS, place, 0);
  // Clients can't send this field with a value of their own.
  if ('status' in read || !siftIdentity(read.x, { identity, trusted: NO_PROXIES })) return false;
  editAll([...policies, ...route.policies], read.x);
  const fields = fieldsOfText(requestText(OutgoingHead.of(read.x, ''), null));
  return fields.some(([name, value]) => name.toLowerCase() === header.toLowerCase() && value.includes(PROBE));
}

/** Turns the warning about an unreachable route into an error, with the same text. */
function noUnreachableRoute({ except }: NoUnreachableRouteInvariant, subject: Subject): void {
  const { plan, scope, pointer, places } = subject;
  const names = [...plan.routes, ...plan.disabled.routes].map(({ name }) => [name, name] as const);
  const known = new Map(names);
  except.forEach((name, i) => scope.find(known, 'route', name, `${pointer}/except/${i}`));
  findHidden(plan.routes, (hidden, by) => {
    const route = plan.routes[hidden]!;
    if (except.includes(route.name)) return;
    const message = hiddenMessage(route, plan.routes[by]!);
    scope.problem(`/routes/${places[hidden]}`, message, HIDDEN_HINT, forbidding(subject));
  });
}
