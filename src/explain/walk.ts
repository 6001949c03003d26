/**
 * Follows one request from the listener to a pool, in the same steps and with the same functions as
 * proxy/request-handler.ts. Cold.
 *
 * Nothing is sent, counted or leased. Called by explanation.ts, which reports every step, and by a config's tests,
 * which need only the outcome.
 */
import type { Exchange } from '../http/exchange.ts';
import type { LocalReply } from '../http/local-reply.ts';
import { siftIdentity } from '../http/identity.ts';
import {
  BODY_TOO_LARGE,
  CONNECT_UNSUPPORTED,
  MISDIRECTED,
  NO_ROUTE,
  OVERLOADED,
  SERVER_NAME_NEEDED,
} from '../kit/errors.ts';
import { decidingAccessRule } from '../kit/access-list.ts';
import { systemRandom } from '../kit/random.ts';
import type { PoolPlan } from '../plan/types/pool.ts';
import type { RoutePlan } from '../plan/types.ts';
import type { PreviewScope } from '../policies/policy.ts';
import { withoutDefaultPort } from '../plan/pool-host.ts';
import { bindAction } from '../proxy/actions.ts';
import { lastHop } from '../proxy/max-forwards.ts';
import { requestText } from '../http/client-codecs.ts';
import { OutgoingHead } from '../http/outgoing-head.ts';
import { Split } from '../proxy/split.ts';
import { type PolicyView, runForwardHooks, runRequestHooks } from './policies.ts';
import type { ReadRequest, Refused } from './request.ts';
import type { Site } from './site.ts';

/**
 * The source of the response. `tls`: there is no request; `policy` and `listener` refuse the request; `gateway`: no route or upstream can serve it.
 */
export type Answerer = 'tls' | 'request' | 'listener' | 'gateway' | 'policy' | 'respond' | 'redirect' | 'pool';

export interface Outcome {
  readonly by: Answerer;
  /** The response's status; null: it comes from the pool, or there is none because the handshake fails. */
  readonly status: number | null;
  readonly why: string;
  /** The target of a redirect; null: it is not a redirect. */
  readonly location: string | null;
  /** The type of the policy that replies, or ''. */
  readonly policy: string;
}

export interface PoolChance {
  readonly pool: PoolPlan;
  /** From 0 to 1. */
  readonly chance: number;
}

export interface Walk {
  readonly outcome: Outcome;
  readonly route: RoutePlan | null;
  readonly policies: readonly PolicyView[];
  /** The pools it may be sent to; empty: none. */
  readonly pools: readonly PoolChance[];
  /** The head that the pool receives, as text; '' if none does. */
  readonly text: string;
}

export interface WalkOptions {
  /** Record the reasons for policies' actions. */
  readonly told: boolean;
  /** The gateway refuses new requests at the moment. */
  readonly overloaded: boolean;
  /** Unix ms. */
  readonly now: number;
  /** For policies that can preview their action; null: these are skipped. */
  readonly preview: Pick<PreviewScope, 'clock' | 'claimed'> | null;
}

export type RoutesByName = ReadonlyMap<string, RoutePlan>;

/** `routes`: those of the site's plan. `x` is changed as for traffic. */
export function walk(site: Site, routes: RoutesByName, { x, offered }: ReadRequest, options: WalkOptions): Walk {
  if (!siftIdentity(x, site))
    return ended(
      outcome('request', 400, 'a name of its fields has an underscore or another mark (identity.underscores)'),
    );
  const misdirected = site.tlsPolicies?.refusal(x.connection.tls, x.host, options.now) ?? '';
  if (misdirected !== '') {
    const { serverName } = x.connection.tls!;
    const of = serverName === '' ? 'without a server name' : `for ${serverName}`;
    const status = misdirected === 'denied' ? SERVER_NAME_NEEDED.status : MISDIRECTED.status;
    return ended(outcome('listener', status, `its host has other TLS settings than the handshake ${of}`));
  }
  if (site.acl !== null && !site.acl.allows(x.clientAddress, x.connection.tls?.client ?? null)) {
    const { name, ...rules } = site.plan.acl!;
    return ended(
      outcome(
        'listener',
        403,
        `acl ${name}: ${decidingAccessRule(rules, x.clientAddress, x.connection.tls?.client ?? null)}`,
      ),
    );
  }
  if (options.overloaded) return ended(outcome('gateway', OVERLOADED.status, 'the gateway is overloaded'));
  if (x.method === 'CONNECT')
    return ended(outcome('gateway', CONNECT_UNSUPPORTED.status, 'the listener is no forward proxy'));
  const last = lastHop(x);
  if (last !== null) return ended(outcome('gateway', last.status, 'Max-Forwards ends here'));
  const name = site.router.match(x)?.name;
  const route = name === undefined ? undefined : routes.get(name);
  if (route === undefined) return ended(outcome('gateway', NO_ROUTE.status, 'no route takes it'));
  const most = route.limits?.bodySize ?? site.plan.limits.bodySize;
  if (most > 0 && x.bodyLength > most) {
    const why = `its body is longer than limits.body_size of ${route.limits?.bodySize === undefined ? 'the listener' : 'the route'}`;
    return { outcome: outcome('gateway', BODY_TOO_LARGE.status, why), route, policies: [], pools: [], text: '' };
  }
  return onRoute(site, route, x, offered, options);
}

function onRoute({ plan }: Site, route: RoutePlan, x: Exchange, offered: string, { told, preview }: WalkOptions): Walk {
  const scope = preview === null ? null : { ...preview, route: route.name, upgrade: offered !== '' };
  const policies = [...plan.policies, ...route.policies];
  const { views, answer, by } = runRequestHooks(policies, x, told, scope);
  const end = (how: Outcome, seen = views): Walk => ({ outcome: how, route, policies: seen, pools: [], text: '' });
  if (answer !== null) return end({ ...outcome('policy', answer.status, `policy ${by} answers`), policy: by });
  const { action } = route;
  const respond = bindAction(action);
  if (respond !== null) {
    const response = respond(x);
    if (action.type !== 'redirect') return end(outcome('respond', response.status, 'a fixed answer'));
    return end({ ...outcome('redirect', response.status, 'a redirect'), location: locationOf(response) });
  }
  const forwarded = runForwardHooks(policies, views, x, told);
  const pools = chancesOf(route, x);
  return {
    ...end(outcome('pool', null, 'it is sent to a pool'), forwarded),
    pools,
    text: textUnderHosts(OutgoingHead.of(x, offered), pools),
  };
}

/** The text with the Host that the pools set; if the pools differ, with all of them. */
function textUnderHosts(head: OutgoingHead, pools: readonly PoolChance[]): string {
  const text = requestText(head, null);
  if (pools.every(({ pool }) => pool.host.type === 'preserve')) return text;
  const hosts = new Set(pools.flatMap(({ pool }) => hostsOf(pool, fieldOf(text, 'host'))));
  return requestText(head, [...hosts].join(' or '));
}

function hostsOf({ host, endpoints, dns, tls }: PoolPlan, asked: string): string[] {
  if (host.type === 'preserve') return [asked];
  if (host.type === 'fixed') return [host.host];
  const names = dns?.names.map(({ name }) => withoutDefaultPort(name, tls !== null)) ?? [];
  return [...endpoints.map((one) => one.host), ...names];
}

function fieldOf(text: string, name: string): string {
  return fieldsOfText(text).find(([one]) => one.toLowerCase() === name)?.[1] ?? '';
}

/** Evaluated before the request's text is built, in the order of real traffic: building it removes fields. */
function chancesOf({ action }: RoutePlan, x: Exchange): PoolChance[] {
  if (action.type === 'pool') return [{ pool: action.pool, chance: 1 }];
  if (action.type !== 'split') return [];
  return new Split(
    action,
    action.parts.map(({ pool }) => pool),
    systemRandom,
  ).chances(x);
}

function locationOf({ fields }: LocalReply): string {
  return fields.get('location') ?? '';
}

function outcome(by: Answerer, status: number | null, why: string): Outcome {
  return { by, status, why, location: null, policy: '' };
}

/** No route receives the request. */
function ended(how: Outcome): Walk {
  return { outcome: how, route: null, policies: [], pools: [], text: '' };
}

/** A TLS connection that is decrypted; its requests go to routes. */
export function decryptedWalk(): Walk {
  return ended(outcome('tls', null, 'it is decrypted, and its requests go to the routes'));
}

/** A request that is refused while being read, or with its connection. */
export function refusedWalk({ by, status, why }: Refused): Walk {
  return ended(outcome(by, status, why));
}

/** The field lines of a head's text. */
export function fieldsOfText(text: string): (readonly [name: string, value: string])[] {
  return text
    .split('\r\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
    });
}
