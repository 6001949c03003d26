/**
 * What would become of a request, and why: every route and what it lost by, every policy, the pool and its endpoints. Cold.
 *
 * Called by runtime/views/explaining.ts for a gateway that runs, and by `prozy explain` for a file. It leaves everything as it is.
 */
import type { Clock } from '../kit/clock.ts';
import { TimeSlicer } from '../kit/time-slicing.ts';
import type { ListenerPlan, Plan, PoolPlan, RoutePlan } from '../plan/types.ts';
import type { Exchange } from '../http/exchange.ts';
import { lastHop } from '../proxy/max-forwards.ts';
import type { HttpCache } from '../cache/store/http-cache.ts';
import type { CachePolicyPlan } from '../plan/types/cache.ts';
import { type FailedCondition, failedConditions } from './conditions.ts';
import type { PolicyView } from './policies.ts';
import { disabledEndpoint, type PoolView } from './pools.ts';
import { type AskedRequest, readRequest, type ReadRequest, splitUrl } from './request.ts';
import { chooseListener, type Site } from './site.ts';
import { fieldsOfText, type Outcome, refusedWalk, walk, type Walk } from './walk.ts';

export interface RouteView {
  readonly name: string;
  /** `later`: it would take the request, but one before it does. `disabled`: it is switched off. */
  readonly result: 'wins' | 'loses' | 'later' | 'disabled';
  readonly failed: readonly FailedCondition[];
}

export interface Explanation {
  /** Of the gateway that was asked; null: a file was. */
  readonly generation: number | null;
  readonly listener: { readonly name: string; readonly address: string; readonly why: string };
  readonly request: {
    readonly method: string;
    readonly url: string;
    /** The peer's address, and the one that rules judge: another if trusted proxies say so. */
    readonly peer: string;
    readonly client: string;
    /** As routes see it; '' if it is refused before. */
    readonly host: string;
    readonly path: string;
    readonly query: string;
  };
  readonly outcome: Outcome;
  /** Name of the route that takes it; null: none does. */
  readonly route: string | null;
  /** In their order. */
  readonly routes: readonly RouteView[];
  /** Routes that are not among them: each fails in as much as those that are, or more. */
  readonly routes_left_out: number;
  readonly policies: readonly PolicyView[];
  readonly pools: readonly PoolView[];
  readonly mirror: { readonly pool: string; readonly share: number } | null;
  /** What the pool gets; null: nothing. */
  readonly sent: {
    readonly line: string;
    readonly fields: readonly (readonly [name: string, value: string])[];
  } | null;
}

/** What is asked about. */
export interface Subject {
  readonly generation: number | null;
  readonly plan: Plan;
  readonly overloaded: boolean;
  readonly clock: Clock;
  site(listener: ListenerPlan): Site;
  portOf(listener: ListenerPlan): number;
  pool(plan: PoolPlan, chance: number, x: Exchange): PoolView;
  /** What is stored by a plan; null: nothing runs by it. */
  cache(plan: CachePolicyPlan): HttpCache | null;
  /** How a value that a policy has written is shown: it may be a secret. */
  shown(value: string): string;
}

/** The question itself is wrong. */
export interface Unclear {
  readonly unclear: string;
}

/** Routes that are told of if not all are asked for. */
const MOST_ROUTES = 30;

/** `all`: tell of every route; else of those that were nearest to taking the request. */
export async function explain(
  subject: Subject,
  asked: AskedRequest,
  listener: string | null,
  all: boolean,
): Promise<Explanation | Unclear> {
  if (splitUrl(asked.url) === null) return { unclear: 'the URL must be absolute: http://host/path' };
  const { plan, generation } = subject;
  if (listener !== null && plan.disabled.listeners.includes(listener))
    return { unclear: `listener ${listener} is disabled` };
  const choice = chooseListener(plan.listeners, asked.url, listener, (one) => subject.portOf(one));
  if (choice.listener === null) return { unclear: choice.why };
  const site = subject.site(choice.listener);
  const read = readFor(site, asked);
  const said = { method: asked.method, url: asked.url };
  const at = { name: site.plan.name, address: site.plan.address.text, why: choice.why };
  if ('status' in read) {
    const request = { ...said, peer: asked.client, client: asked.client, host: '', path: '', query: '' };
    return {
      generation,
      listener: at,
      request,
      ...told(refusedWalk(read.status, read.why), [], subject, null),
      routes_left_out: 0,
    };
  }
  const byName = new Map(plan.routes.map((route) => [route.name, route]));
  // The walk edits its request as traffic would; the conditions are asked of another that is as it came.
  const { x } = read;
  const { host, routedPath: path, query } = x;
  const walked = walk(site, byName, read, { told: true, overloaded: subject.overloaded, foresee: subject });
  const routes = reachesRoutes(walked) ? await routeViews(subject, site, asked, walked) : [];
  return {
    generation,
    listener: at,
    request: { ...said, peer: x.connection.clientAddress, client: x.clientAddress, host, path, query },
    ...told(walked, all ? routes : nearest(routes), subject, x),
    routes_left_out: all ? 0 : Math.max(0, routes.length - MOST_ROUTES),
  };
}

/** The request as this listener reads it. */
export function readFor({ plan, limits }: Site, asked: AskedRequest): ReturnType<typeof readRequest> {
  const { name, address, paths } = plan;
  return readRequest(asked, limits, { name, address, paths });
}

/** Was the router asked at all? */
function reachesRoutes({ route, outcome }: Walk): boolean {
  return route !== null || outcome.status === 404;
}

async function routeViews(subject: Subject, site: Site, asked: AskedRequest, walked: Walk): Promise<RouteView[]> {
  // It could be read a moment ago.
  const { x } = readFor(site, asked) as ReadRequest;
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

/** In their order; the winner is always among them. */
function nearest(routes: readonly RouteView[]): readonly RouteView[] {
  if (routes.length <= MOST_ROUTES) return routes;
  const rank = ({ result }: RouteView): number => (result === 'wins' ? 0 : 1);
  const byDistance = routes.toSorted((a, b) => a.failed.length - b.failed.length || rank(a) - rank(b));
  const chosen = new Set(byDistance.slice(0, MOST_ROUTES));
  return routes.filter((route) => chosen.has(route));
}

function withDisabledPolicies(views: readonly PolicyView[], route: RoutePlan | null, { disabled }: Plan): PolicyView[] {
  const all = [...views];
  const own = disabled.policies.filter((one) => one.route === route?.name);
  // From the last, so that the places of those before it stay as they are.
  for (const { type, at } of own.toReversed()) all.splice(at, 0, { type, verdict: 'disabled', why: '', edits: [] });
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
  x: Exchange | null,
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
