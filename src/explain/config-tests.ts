/**
 * The tests in a config: each request walks through the plan, and every unmet expectation is a Problem at its position.
 * Cold.
 */
import type { LoadedConfig } from '../config/load.ts';
import type { ConfigTest, TestExpectation } from '../config/schema.gen.ts';
import { planField } from '../plan/matches.ts';
import type { ClientHello } from '../net/tls/client-hello.ts';
import type { PlanScope } from '../plan/scope.ts';
import type { ListenerPlan, Plan, RoutePlan } from '../plan/types.ts';
import type { PoolPlan } from '../plan/types/pool.ts';
import type { TlsRoutePlan } from '../plan/types/tls.ts';
import { policyTypes } from '../policies/index.ts';
import { compileValue } from '../proxy/predicates.ts';
import { failedConditions, sayFailed } from './conditions.ts';
import { readFor, tlsOf } from './explanation.ts';
import { possibleEndpoints } from './pools.ts';
import type { LoadBalancerContext } from '../upstream/strategies/strategy.ts';
import type { AskedRequest } from './request.ts';
import { chooseListener, type Site, siteOf } from './site.ts';
import { isRefusal } from './policies.ts';
import { failedTlsConditions, helloFor, type TlsView } from './tls.ts';
import { decryptedWalk, fieldsOfText, type Outcome, refusedWalk, type RoutesByName, walk, type Walk } from './walk.ts';

/** The names in a config that tests refer to, indexed once for all tests. */
class Names {
  readonly routes: RoutesByName;
  readonly pools: ReadonlyMap<string, PoolPlan>;
  readonly listeners: ReadonlyMap<string, ListenerPlan>;
  readonly refusers = new Map(['listener', ...policyTypes].map((type) => [type, type]));
  readonly #sites = new Map<string, Site>();

  readonly tlsRoutes: ReadonlyMap<string, TlsRoutePlan>;
  readonly disabled: Plan['disabled'];

  constructor({ routes, pools, listeners, disabled }: Plan) {
    this.disabled = disabled;
    this.routes = new Map(routes.map((route) => [route.name, route]));
    this.pools = new Map(pools.map((pool) => [pool.name, pool]));
    const tlsRoutes = listeners.flatMap((listener) => listener.tlsRoutes);
    this.tlsRoutes = new Map(tlsRoutes.map((route) => [route.name, route]));
    this.listeners = new Map(listeners.map((listener) => [listener.name, listener]));
  }

  site(listener: ListenerPlan): Site {
    let site = this.#sites.get(listener.name);
    if (site === undefined) this.#sites.set(listener.name, (site = siteOf(listener)));
    return site;
  }
}

export function runConfigTests(
  plan: Plan,
  { config, testCertificates, now }: Pick<LoadedConfig, 'config' | 'testCertificates' | 'now'>,
  scope: PlanScope,
): void {
  if (config.tests.length === 0) return;
  const names = new Names(plan);
  config.tests.forEach((test, i) => {
    const pointer = `/tests/${i}`;
    if (namesAreKnown(test, pointer, names, scope))
      runOne(test, testCertificates.get(pointer) ?? null, now, pointer, names, scope);
  });
}

/** Reports unknown names: an expectation with one could never be met, or be met for the wrong reason. */
function namesAreKnown({ request, expect }: ConfigTest, pointer: string, names: Names, scope: PlanScope): boolean {
  const { problems } = scope;
  const before = problems.length;
  type Known = ReadonlyMap<string, unknown>;
  const find = (known: Known, kind: string, name: string | undefined, at: string, disabled?: string[]): void => {
    if (name !== undefined) scope.find(known, kind, name, `${pointer}/${at}`, disabled);
  };
  const closed = [...names.disabled.listeners];
  find(names.listeners, 'listener', request.listener, 'request/listener', closed);
  find(names.listeners, 'listener', expect.listener, 'expect/listener', closed);
  const off = names.disabled.routes.map(({ name }) => name);
  find(names.routes, 'route', expect.route, 'expect/route', off);
  find(names.tlsRoutes, 'TLS route', expect.tls_route, 'expect/tls_route');
  find(names.refusers, 'policy', expect.denied_by, 'expect/denied_by');
  // A list of one may be written as a single value; both pointers lead to the same line.
  expect.pool?.forEach((name) => find(names.pools, 'pool', name, 'expect/pool'));
  return problems.length === before;
}

/** The result of a request. */
interface Result {
  readonly listener: ListenerPlan;
  readonly walked: Walk;
  /** What endpoints are chosen by; null: the request was refused while being read. */
  readonly context: LoadBalancerContext | null;
  /** null: TLS routes have no part in it. */
  readonly tls: TlsView | null;
}

function runOne(
  { name, request, expect }: ConfigTest,
  certificate: string | null,
  now: number,
  pointer: string,
  names: Names,
  scope: PlanScope,
): void {
  const { method, url, client, headers, alpn = [], server_name: serverName } = request;
  const asked: AskedRequest = {
    method,
    url,
    client,
    headers: Object.entries(headers).flatMap(([field, values]) => values.map((value) => [field, value] as const)),
    alpn,
    ...(serverName === undefined ? {} : { serverName: serverName.toLowerCase() }),
    ...(certificate === null ? {} : { certificate }),
  };
  const { listener, why } = chooseListener([...names.listeners.values()], url, request.listener ?? null);
  if (listener === null) {
    scope.problem(`${pointer}/request`, `cannot be asked: ${why}`, 'say the listener');
    return;
  }
  const begun = tlsOf(listener, asked, false);
  const tls = begun?.view ?? null;
  const run = (told: boolean): Result => {
    const context = { clientAddress: client, path: '', fields: null };
    if (begun !== null && (begun.walk !== null || url.startsWith('tls:')))
      return { listener, tls, context, walked: begun.walk ?? decryptedWalk() };
    const read = readFor(names.site(listener), asked, now);
    if ('status' in read) return { listener, tls, context: null, walked: refusedWalk(read) };
    return {
      listener,
      tls,
      context: read.x,
      walked: walk(names.site(listener), names.routes, read, { told, overloaded: false, preview: null, now }),
    };
  };
  const said = Object.entries(expect).filter(([key]) => key !== 'request_headers' || hasKeys(expect.request_headers));
  if (said.length === 0) {
    scope.problem(`${pointer}/expect`, 'expects nothing', 'say the route, the pool or the status');
    return;
  }
  const failed = unmet(expect, run(false));
  if (failed.length === 0) return;
  const { walked } = run(true);
  const prefix = name === undefined ? '' : `${name}: `;
  for (const { at, wanted, found } of failed) {
    const hint =
      at === 'route'
        ? whyNot(names.routes.get(expect.route!)!, readFor(names.site(listener), asked, now))
        : at === 'tls_route'
          ? whyNotTls(names.tlsRoutes.get(expect.tls_route!)!, helloFor(asked))
          : undefined;
    scope.problem(`${pointer}/expect/${at}`, `${prefix}expected ${wanted}, but ${found ?? whatHappens(walked)}`, hint);
  }
}

function hasKeys(record: object): boolean {
  return Object.keys(record).length > 0;
}

/** The reason why an expected route does not match the request. */
function whyNot(route: RoutePlan, read: ReturnType<typeof readFor>): string | undefined {
  if ('status' in read) return undefined;
  const failed = failedConditions(route, read.x);
  if (failed.length === 0) return undefined;
  return `route ${route.name} wants ${failed.map(sayFailed).join('; ')}`;
}

/** The reason why an expected TLS route does not match the connection. */
function whyNotTls({ name, match }: TlsRoutePlan, hello: ClientHello): string | undefined {
  const failed = failedTlsConditions(match, hello);
  return failed.length === 0 ? undefined : `TLS route ${name} wants ${failed.map(sayFailed).join('; ')}`;
}

interface Unmet {
  /** The pointer below `expect`. */
  readonly at: string;
  readonly wanted: string;
  /** The actual value; null: the outcome of the request as a whole states it. */
  readonly found: string | null;
}

const ALLOWED: ReadonlySet<string> = new Set(['respond', 'redirect', 'pool']);

/** A policy's answer, such as that to a CORS preflight, denies nothing. */
function isDenied({ by, status }: Outcome): boolean {
  return by === 'listener' || (by === 'policy' && status !== null && isRefusal(status));
}

function isAllowed(outcome: Outcome): boolean {
  return outcome.by === 'policy' ? !isDenied(outcome) : ALLOWED.has(outcome.by);
}

function unmet(expect: TestExpectation, { listener, walked, context, tls }: Result): Unmet[] {
  const { outcome, route, text } = walked;
  const failed: Unmet[] = [];
  const must = (holds: boolean, at: string, wanted: string, found: string | null = null): void => {
    if (!holds) failed.push({ at, wanted, found });
  };
  const { status, location, pool, endpoint, path } = expect;
  if (expect.listener !== undefined)
    must(listener.name === expect.listener, 'listener', expect.listener, `it comes to listener ${listener.name}`);
  if (expect.tls_route !== undefined) {
    const found = tls?.route == null ? 'no TLS route matches it' : `TLS route ${tls.route} takes it`;
    must(tls?.route === expect.tls_route, 'tls_route', `TLS route ${expect.tls_route}`, found);
  }
  if (expect.route !== undefined) must(route?.name === expect.route, 'route', `route ${expect.route}`);
  if (expect.allowed !== undefined)
    must(
      expect.allowed ? isAllowed(outcome) : isDenied(outcome),
      'allowed',
      expect.allowed ? 'it to pass' : 'it to be denied',
    );
  if (expect.denied_by !== undefined) {
    const by = outcome.by === 'policy' ? outcome.policy : outcome.by;
    must(isDenied(outcome) && by === expect.denied_by, 'denied_by', `it to be denied by ${expect.denied_by}`);
  }
  if (status !== undefined) must(outcome.status === status, 'status', `status ${status}`);
  if (location !== undefined) must(outcome.location === location, 'location', `a redirect to ${location}`);
  const pools = walked.pools.map((one) => one.pool);
  if (pool !== undefined)
    must(
      isWithin(
        pools.map(({ name }) => name),
        pool,
      ),
      'pool',
      `pool ${pool.join(' or ')}`,
    );
  if (endpoint !== undefined) {
    const possible = context === null ? [] : pools.flatMap((one) => possibleEndpoints(one, context));
    const found = possible.length === 0 ? null : `it may go to ${possible.join(', ')}`;
    must(isWithin(possible, endpoint), 'endpoint', `endpoint ${endpoint.join(' or ')}`, found);
  }
  if (path !== undefined) {
    const sent = text.split(' ', 2)[1] ?? '';
    must(sent === path, 'path', `path ${path}`, text === '' ? null : `it is sent on with ${sent}`);
  }
  for (const [name, condition] of Object.entries(expect.request_headers)) {
    const at = `request_headers/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const values = fieldsOfText(text).filter(([field]) => field.toLowerCase() === name.toLowerCase());
    const value = values.length === 0 ? undefined : values.map(([, one]) => one).join(', ');
    const plan = planField(name, condition, true);
    const wanted =
      plan.kind === 'present' ? `${plan.value === 'true' ? 'a' : 'no'} field ${name}` : `${name}: ${plan.value}`;
    const found = value === undefined ? `it is sent on without ${name}` : `it is sent on with ${name}: ${value}`;
    must(text !== '' && compileValue(plan)(value), at, wanted, text === '' ? null : found);
  }
  return failed;
}

/** Whether `found` is not empty and `wanted` contains all of it. */
function isWithin(found: readonly string[], wanted: readonly string[]): boolean {
  return found.length > 0 && found.every((one) => wanted.includes(one));
}

function whatHappens({ outcome, route, pools, policies }: Walk): string {
  const { by, status, why } = outcome;
  const at = route === null ? '' : `route ${route.name}`;
  if (by === 'request') return `it is refused with ${status} as it is read: ${why}`;
  if (by === 'tls') return why;
  if (by === 'listener') return status === null ? why : `the listener refuses it with ${status}: ${why}`;
  if (status === null && by === 'pool' && route === null) return `${why} to pool ${pools[0]!.pool.name}`;
  if (by === 'gateway') return `${why}: ${status}`;
  if (by === 'policy') {
    const { why: reason = '' } =
      policies.findLast(({ verdict }) => verdict === 'denies' || verdict === 'answers') ?? {};
    return `${at} ${isDenied(outcome) ? 'refuses' : 'answers'} it with ${status} by its ${outcome.policy} policy, ${reason}`;
  }
  if (by === 'respond') return `${at} answers it with ${status}`;
  if (by === 'redirect') return `${at} sends it to ${outcome.location} with ${status}`;
  return `${at} sends it to pool ${pools.map(({ pool }) => pool.name).join(' or ')}`;
}
