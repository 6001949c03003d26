/**
 * Explains the handling of a request: every route and the conditions it fails, every policy, the pool and its
 * endpoints. Cold.
 *
 * Called by runtime/views/explaining.ts for a running gateway, and by `prozy explain` for a file. It has no side
 * effects.
 */
import type { Claim } from '../kit/claim.ts';
import type { Clock } from '../kit/clock.ts';
import { TimeSlicer } from '../kit/time-slicing.ts';
import type { ListenerPlan, Plan, RoutePlan } from '../plan/types.ts';
import type { DisabledPolicy } from '../plan/types/disabled.ts';
import type { PoolPlan } from '../plan/types/pool.ts';
import type { Exchange } from '../http/exchange.ts';
import type { LoadBalancerContext } from '../upstream/strategies/strategy.ts';
import { lastHop } from '../proxy/max-forwards.ts';
import { type FailedCondition, failedConditions } from './conditions.ts';
import type { PolicyView } from './policies.ts';
import { disabledEndpoint, type PoolView } from './pools.ts';
import { certificatesFor } from './certificate.ts';
import { type AskedRequest, readRequest, type ReadRequest, serverNameOf, splitUrl } from './request.ts';
import { chooseListener, type Site } from './site.ts';
import { helloFor, type TlsView, type TlsWalk, walkTls } from './tls.ts';
import { decryptedWalk, fieldsOfText, type Outcome, refusedWalk, walk, type Walk } from './walk.ts';

export interface RouteView {
  readonly name: string;
  /** `later`: it would match, but an earlier route does. `disabled`: it is switched off. */
  readonly result: 'wins' | 'loses' | 'later' | 'disabled';
  readonly failed: readonly FailedCondition[];
}

export interface Explanation {
  /** The generation of the running gateway; null: the subject is a file. */
  readonly generation: number | null;
  readonly listener: {
    readonly name: string;
    readonly address: string;
    readonly why: string;
    /** The certificates that the client may get, by the type of their key; absent: the listener has no TLS. */
    readonly certificates?: readonly string[];
  };
  readonly request: {
    readonly method: string;
    readonly url: string;
    /** The peer's address, and the client's address that rules use: trusted proxies may supply another. */
    readonly peer: string;
    readonly client: string;
    /** As routes see it; '' if the request is refused before routing. */
    readonly host: string;
    readonly path: string;
    readonly query: string;
  };
  /** The TLS connection that brings it; null: the listener's TLS routes have no part in it. */
  readonly tls: TlsView | null;
  readonly outcome: Outcome;
  /** The name of the matching route; null: none matches. */
  readonly route: string | null;
  /** In order. */
  readonly routes: readonly RouteView[];
  /** The number of routes left out: each fails as many conditions as those shown, or more. */
  readonly routes_left_out: number;
  readonly policies: readonly PolicyView[];
  readonly pools: readonly PoolView[];
  readonly mirror: { readonly pool: string; readonly share: number } | null;
  /** The request that the pool receives; null: none. */
  readonly sent: {
    readonly line: string;
    readonly fields: readonly (readonly [name: string, value: string])[];
  } | null;
}

/** The subject of an explanation. */
export interface Subject {
  readonly generation: number | null;
  readonly plan: Plan;
  readonly overloaded: boolean;
  readonly clock: Clock;
  site(listener: ListenerPlan): Site;
  portOf(listener: ListenerPlan): number;
  pool(plan: PoolPlan, chance: number, x: LoadBalancerContext): PoolView;
  /** The lasting state that the plan claims; null: the plan is not in effect. */
  claimed(claim: Claim): unknown;
  /** The displayed form of a value that a policy writes: it may be a secret. */
  shown(value: string): string;
}

/** The question itself is invalid. */
export interface Unclear {
  readonly unclear: string;
}

/** The number of routes shown unless all are requested. */
const MOST_ROUTES = 30;

/** `all`: show every route; otherwise those that were nearest to matching. */
export async function explain(
  subject: Subject,
  asked: AskedRequest,
  listener: string | null,
  all: boolean,
): Promise<Explanation | Unclear> {
  if (splitUrl(asked.url) === null) return { unclear: 'the URL must be absolute: http://host/path, or tls://host' };
  const { plan, generation } = subject;
  if (listener !== null && plan.disabled.listeners.includes(listener))
    return { unclear: `listener ${listener} is disabled` };
  const choice = chooseListener(plan.listeners, asked.url, listener, (one) => subject.portOf(one));
  if (choice.listener === null) return { unclear: choice.why };
  const site = subject.site(choice.listener);
  const now = subject.clock.wall();
  const said = { method: asked.method, url: asked.url };
  const begun = tlsOf(site.plan, asked, subject.overloaded);
  const tls = begun?.view ?? null;
  // Passed through, the certificate is the endpoint's.
  const decrypted = tls === null || tls.action === 'terminate';
  const certificates = decrypted ? certificatesFor(site.plan, plan, tls?.server_name ?? serverNameOf(asked)) : null;
  const at = {
    name: site.plan.name,
    address: site.plan.address.text,
    why: choice.why,
    ...(certificates === null ? {} : { certificates }),
  };
  if (begun !== null && (begun.walk !== null || asked.url.startsWith('tls:'))) {
    const { walk: walked } = begun;
    const request = { ...said, peer: asked.client, client: asked.client, host: tls!.server_name, path: '', query: '' };
    const context = { clientAddress: asked.client, path: '', fields: null };
    return {
      generation,
      listener: at,
      request,
      tls,
      ...told(walked ?? decryptedWalk(), [], subject, site.plan, context),
      routes_left_out: 0,
    };
  }
  const read = readFor(site, asked, now);
  if ('status' in read) {
    const request = { ...said, peer: asked.client, client: asked.client, host: '', path: '', query: '' };
    return {
      generation,
      listener: at,
      request,
      tls,
      ...told(refusedWalk(read), [], subject, site.plan, null),
      routes_left_out: 0,
    };
  }
  const byName = new Map(plan.routes.map((route) => [route.name, route]));
  // The walk edits its request as for traffic; the conditions are evaluated on an unedited copy.
  const { x } = read;
  const { host, routedPath: path, query } = x;
  const walked = walk(site, byName, read, { told: true, overloaded: subject.overloaded, preview: subject, now });
  const routes = reachesRoutes(walked) ? await routeViews(subject, site, asked, walked) : [];
  return {
    generation,
    listener: at,
    request: { ...said, peer: x.connection.clientAddress, client: x.clientAddress, host, path, query },
    tls,
    ...told(walked, all ? routes : nearest(routes), subject, site.plan, x),
    routes_left_out: all ? 0 : Math.max(0, routes.length - MOST_ROUTES),
  };
}

/** The connection of an https or tls URL; null: TLS routes have no part in it. */
export function tlsOf(plan: ListenerPlan, asked: AskedRequest, overloaded: boolean): TlsWalk | null {
  const { scheme } = splitUrl(asked.url)!;
  if (scheme === 'http' || (scheme === 'https' && plan.tlsRoutes.length === 0)) return null;
  return walkTls(plan, helloFor(asked), asked.client, overloaded);
}

/** Reads the request with this listener's rules. `now`: Unix ms. */
export function readFor(site: Site, asked: AskedRequest, now: number): ReturnType<typeof readRequest> {
  const { plan, limits, tlsPolicies } = site;
  const { name, address, paths, tls } = plan;
  return readRequest(asked, limits, { name, address, paths, secure: tls !== null, tlsPolicies }, now);
}

/** Whether the request reached the router. */
function reachesRoutes({ route, outcome }: Walk): boolean {
  return route !== null || outcome.status === 404;
}

async function routeViews(subject: Subject, site: Site, asked: AskedRequest, walked: Walk): Promise<RouteView[]> {
  // The same request was readable before.
  const { x } = readFor(site, asked, subject.clock.wall()) as ReadRequest;
  lastHop(x);
  const views: RouteView[] = [];
  const { routes, disabled } = subject.plan;
  const slices = new TimeSlicer(subject.clock);
  let next = 0;
  const addDisabled = (before: number): void => {
    for (let one = disabled.routes[next]; one !== undefined && one.at <= before; one = disabled.routes[++next])
      views.push({ name: one.name, result: 'disabled', failed: failedConditions(one, x) });
  };
  let place = 0;
  await slices.each(routes, (route) => {
    addDisabled(place++);
    views.push(viewOf(route, x, walked));
  });
  addDisabled(place);
  return views;
}

function viewOf(route: RoutePlan, x: Exchange, walked: Walk): RouteView {
  const failed = failedConditions(route, x);
  const wins = route.name === walked.route?.name;
  return { name: route.name, result: wins ? 'wins' : failed.length > 0 ? 'loses' : 'later', failed };
}

/** In order; the winner is always included. */
function nearest(routes: readonly RouteView[]): readonly RouteView[] {
  if (routes.length <= MOST_ROUTES) return routes;
  const rank = ({ result }: RouteView): number => (result === 'wins' ? 0 : 1);
  const byDistance = routes.toSorted((a, b) => a.failed.length - b.failed.length || rank(a) - rank(b));
  const chosen = new Set(byDistance.slice(0, MOST_ROUTES));
  return routes.filter((route) => chosen.has(route));
}

/** `views`: the policies of the listener, then those of the route; none if the request reached no policy. */
function withDisabledPolicies(
  views: readonly PolicyView[],
  { name: listener, policies }: ListenerPlan,
  route: RoutePlan | null,
  { disabled }: Plan,
): PolicyView[] {
  const all = [...views];
  const add = (kind: DisabledPolicy['kind'], name: string, before: number): void => {
    const own = disabled.policies.filter((one) => one.kind === kind && one.name === name);
    // From the last, so that the positions of earlier ones stay valid.
    for (const { type, at } of own.toReversed())
      all.splice(before + at, 0, { type, verdict: 'disabled', why: '', edits: [] });
  };
  if (route !== null) {
    add('route', route.name, policies.length);
    add('listener', listener, 0);
  }
  return all;
}

function withDisabledEndpoints(view: PoolView, { disabled }: Plan): PoolView {
  const off = disabled.endpoints.filter(({ pool }) => pool === view.pool);
  return { ...view, endpoints: [...view.endpoints, ...off.map(({ address }) => disabledEndpoint(address))] };
}

function told(
  { outcome, route, policies, pools, text }: Walk,
  routes: readonly RouteView[],
  subject: Subject,
  listener: ListenerPlan,
  x: LoadBalancerContext | null,
): Pick<Explanation, 'outcome' | 'route' | 'routes' | 'policies' | 'pools' | 'mirror' | 'sent'> {
  const written = new Set(policies.flatMap(({ edits }) => edits.map(({ name }) => name)));
  const shown = (name: string, value: string): string =>
    written.has(name.toLowerCase()) ? subject.shown(value) : value;
  return {
    outcome,
    route: route?.name ?? null,
    routes,
    policies: withDisabledPolicies(
      policies.map((view) => ({
        ...view,
        edits: view.edits.map((edit) => (edit.what === 'set' ? { ...edit, value: subject.shown(edit.value) } : edit)),
      })),
      listener,
      route,
      subject.plan,
    ),
    pools:
      x === null
        ? []
        : pools.map(({ pool, chance }) => withDisabledEndpoints(subject.pool(pool, chance, x), subject.plan)),
    mirror:
      text === '' || route === null || route.mirror === null
        ? null
        : { pool: route.mirror.pool.name, share: route.mirror.share },
    sent:
      text === ''
        ? null
        : {
            line: text.slice(0, text.indexOf('\r\n')),
            fields: fieldsOfText(text).map(([name, value]) => [name, shown(name, value)] as const),
          },
  };
}
