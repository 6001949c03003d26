/**
 * Follows a TLS connection by its ClientHello to a pool, or to the point where it is decrypted, with the router of real
 * traffic. Cold.
 */
import { AccessList, decidingAccessRule } from '../kit/access-list.ts';
import { asciiAuthority } from '../kit/host-name.ts';
import type { ClientHello } from '../net/tls/client-hello.ts';
import type { ListenerPlan } from '../plan/types.ts';
import type { PoolPlan } from '../plan/types/pool.ts';
import type { TlsMatchPlan } from '../plan/types/tls.ts';
import { type StreamChoice, TlsRouter } from '../proxy/tls-router.ts';
import type { FailedCondition } from './conditions.ts';
import type { RouteView } from './explanation.ts';
import { serverNameFor } from './handshake.ts';
import { type AskedRequest, splitUrl } from './request.ts';
import type { Walk } from './walk.ts';

export interface TlsView {
  /** '': the client sends none. */
  readonly server_name: string;
  readonly alpn: readonly string[];
  readonly action: StreamChoice<PoolPlan>['action'];
  /** null: none matches. */
  readonly route: string | null;
  /** In order. */
  readonly routes: readonly RouteView[];
}

/** What a client sends for a URL. HTTP clients offer HTTP/1.1, unless `alpn` says something else. */
export function helloFor({ url, serverName, alpn = [] }: AskedRequest): ClientHello {
  const { authority, scheme } = splitUrl(url)!;
  const protocols = alpn.length === 0 && scheme === 'https' ? ['http/1.1'] : alpn;
  return { serverName: serverName ?? serverNameFor(asciiAuthority(authority)), protocols };
}

export interface TlsWalk {
  readonly view: TlsView;
  /** null: the connection is decrypted, and brings requests. */
  readonly walk: Walk | null;
}

export function walkTls(plan: ListenerPlan, hello: ClientHello, client: string, overloaded: boolean): TlsWalk {
  const { action, route, pool } = new TlsRouter<PoolPlan>(plan, (one) => one).choose(hello);
  const view: TlsView = {
    server_name: hello.serverName,
    alpn: hello.protocols,
    action,
    route: route === '' ? null : route,
    routes: plan.tlsRoutes.map(({ name, match }): RouteView => {
      const failed = failedTlsConditions(match, hello);
      return { name, result: name === route ? 'wins' : failed.length > 0 ? 'loses' : 'later', failed };
    }),
  };
  if (action === 'terminate' && plan.protocol === 'http') return { view, walk: null };
  return { view, walk: relayed(plan, pool, client, overloaded) };
}

function relayed({ acl }: ListenerPlan, pool: PoolPlan | null, client: string, overloaded: boolean): Walk {
  const end = (by: 'listener' | 'gateway' | 'pool', why: string): Walk => ({
    outcome: { by, status: null, why, location: null, policy: '' },
    route: null,
    policies: [],
    pools: by === 'pool' ? [{ pool: pool!, chance: 1 }] : [],
    text: '',
  });
  if (acl !== null && !new AccessList(acl).allows(client, null))
    return end('listener', `acl ${acl.name}: ${decidingAccessRule(acl, client, null)}`);
  if (overloaded) return end('gateway', 'the gateway is overloaded');
  return pool === null
    ? end('listener', 'no TLS route matches it (alert unrecognized_name)')
    : end('pool', 'it is relayed');
}

/** Every condition that the client does not meet; each is asked of a router with that condition alone. */
export function failedTlsConditions({ serverName, alpn }: TlsMatchPlan, hello: ClientHello): FailedCondition[] {
  const failed: FailedCondition[] = [];
  const { serverName: name, protocols } = hello;
  if (serverName !== null && !holds({ serverName, alpn: null }, hello))
    failed.push({
      condition: 'server name',
      name: '',
      wanted: serverName.join(' or '),
      found: name === '' ? null : name,
    });
  if (alpn !== null && !holds({ serverName: null, alpn }, hello))
    failed.push({
      condition: 'alpn',
      name: '',
      wanted: alpn.join(' or '),
      found: protocols.length === 0 ? null : protocols.join(', '),
    });
  return failed;
}

function holds(match: TlsMatchPlan, hello: ClientHello): boolean {
  const tlsRoutes = [{ name: 'it', match, mode: 'terminate', pool: null }] as const;
  const router = new TlsRouter<never>({ protocol: 'tcp', pool: null, plainPool: null, tls: null, tlsRoutes }, never);
  return router.choose(hello).route === 'it';
}

function never(): never {
  throw new Error('there is no pool');
}
