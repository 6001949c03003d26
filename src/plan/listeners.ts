/** Plans the listeners: checks that addresses don't collide, resolves pools and ACLs, claims sockets. Cold. */
import type { IdentityConfig, ListenerConfig } from '../config/schema.gen.ts';
import type { Claim } from '../kit/claim.ts';
import type { AuthorityBundle } from '../kit/client-authorities.ts';
import type { Issuers } from './acme.ts';
import { claimOfShape } from './claims.ts';
import { asksForCertificates } from './handshake.ts';
import { planDrain } from './drain.ts';
import { routesOf } from './serialized-plan.ts';
import { type PathReader, planPaths } from './paths.ts';
import { planPolicy, type PolicyNames } from './policies.ts';
import { planAddress } from './pools.ts';
import { type PlanScope } from './scope.ts';
import { segment } from '../config/walk.ts';
import { type CertificatePlans, planListenerTls } from './tls.ts';
import { planTlsRoutes } from './tls-routes.ts';
import type { ListenerPlan, PolicyPlan, RoutePlan } from './types.ts';
import type { AddressPlan } from './types/address.ts';
import type { IdentityPlan } from './types/identity.ts';
import type { PoolPlan } from './types/pool.ts';

/** Settings for requests, which a tcp listener ignores. Its streams use the timeouts of their pool. */
const HTTP_ONLY = [
  'trusted_proxies',
  'identity',
  'paths',
  'policies',
  'timeouts/header',
  'timeouts/body',
  'timeouts/idle',
  'timeouts/send',
  'limits/header_size',
  'limits/header_count',
  'limits/uri_size',
  'limits/body_size',
] as const;

export interface ListenerNames extends Pick<PolicyNames, 'acls' | 'caches' | 'modules' | 'pools'> {
  /** Certificates for the hosts of routes are added. */
  readonly certificates: CertificatePlans;
  readonly issuers: Issuers;
  /** By the pointer of their `client_auth`. */
  readonly authorities: ReadonlyMap<string, AuthorityBundle>;
  /** By listener: the keys of its session tickets. */
  readonly ticketKeys: ReadonlyMap<string, string>;
  readonly routes: readonly RoutePlan[];
}

/** Checks all listeners; disabled ones are not part of the plan. */
export function planListeners(
  configs: Readonly<Record<string, ListenerConfig>>,
  names: ListenerNames,
  scope: PlanScope,
): { readonly listeners: readonly ListenerPlan[]; readonly disabled: readonly string[] } {
  const listeners = Object.entries(configs).map(([name, config]) => planListener(name, config, names, scope));
  return {
    listeners: listeners.filter(({ name }) => configs[name]!.enabled),
    disabled: listeners.flatMap(({ name }) => (configs[name]!.enabled ? [] : [name])),
  };
}

function planListener(name: string, config: ListenerConfig, names: ListenerNames, scope: PlanScope): ListenerPlan {
  const pointer = `/listeners/${segment(name)}`;
  const tcp = config.protocol === 'tcp';
  const routed = config.tls_routes.some(({ enabled }) => enabled);
  if (tcp && config.pool === undefined && !routed) scope.problem(pointer, 'a tcp listener needs a pool');
  if (!tcp && config.pool !== undefined)
    scope.problem(`${pointer}/pool`, 'only a tcp listener has a pool', 'give the pool to a route');
  if (tcp) {
    for (const setting of HTTP_ONLY)
      if (scope.isWritten(`${pointer}/${setting}`))
        scope.warning(`${pointer}/${setting}`, 'has no effect: only http listeners read requests');
  }
  const pool = config.pool === undefined ? null : scope.find(names.pools, 'pool', config.pool, `${pointer}/pool`);
  if (tcp && pool?.tls?.serverName === 'from_host')
    scope.problem(
      `${pointer}/pool`,
      `${pool.name} has server_name: from_host, and a tcp listener knows no Host`,
      'write a server_name for this pool',
    );
  const acl = config.acl === undefined ? null : scope.find(names.acls, 'acl', config.acl, `${pointer}/acl`);
  const address = planAddress(config.address);
  const { limits } = config;
  const tls = planTls(name, config, pointer, names, scope);
  if (config.identity.client_cert !== 'none' && !asksForCertificates(tls))
    scope.warning(`${pointer}/identity/client_cert`, 'has no effect: the listener has no tls.client_auth');
  return {
    name,
    address,
    protocol: config.protocol,
    pool: tcp ? pool : null,
    plainPool: planPlainPool(config, pointer, names, scope),
    acl,
    tls,
    tlsRoutes: planTlsRoutes(config, pointer, names.pools, scope),
    policies: tcp ? [] : planPolicies(config, pointer, { name, rules: planPaths(config.paths) }, names, scope),
    trustedProxies: config.trusted_proxies,
    identity: planIdentity(config.identity),
    limits: {
      connections: limits.connections,
      connectionsPerClient: limits.connections_per_client,
      handshakes: limits.handshakes,
      headerSize: limits.header_size,
      headerCount: limits.header_count,
      uriSize: limits.uri_size,
      bodySize: limits.body_size,
    },
    timeouts: config.timeouts,
    paths: planPaths(config.paths),
    drain: planDrain(config.drain),
    routes: tcp ? [] : routesOf(name, names.routes),
    socket: socketClaim(name, address),
    count: claimOfShape('listener-connections', name, null),
  };
}

function planTls(
  name: string,
  { tls, protocol, tls_routes: tlsRoutes }: ListenerConfig,
  pointer: string,
  { certificates, issuers, authorities, routes, ticketKeys }: ListenerNames,
  scope: PlanScope,
): ListenerPlan['tls'] {
  const listener = {
    name,
    ticketKeys: ticketKeys.get(name) ?? '',
    routes: protocol === 'tcp' ? [] : routesOf(name, routes),
  };
  if (tls !== undefined)
    return planListenerTls(tls, `${pointer}/tls`, listener, certificates, issuers, authorities, scope);
  for (const setting of tlsRoutes.length === 0 ? ['timeouts/handshake', 'limits/handshakes'] : ['limits/handshakes']) {
    if (scope.isWritten(`${pointer}/${setting}`))
      scope.warning(`${pointer}/${setting}`, 'has no effect: the listener has no tls');
  }
  return null;
}

function planPlainPool(
  { protocol, plain_pool: name, tls, tls_routes: routes }: ListenerConfig,
  pointer: string,
  { pools }: ListenerNames,
  scope: PlanScope,
): PoolPlan | null {
  if (name === undefined) return null;
  const place = `${pointer}/plain_pool`;
  if (protocol !== 'tcp') scope.problem(place, 'only a tcp listener has a pool for connections without TLS');
  else if (tls === undefined && routes.length === 0)
    scope.problem(place, 'the listener has neither tls nor tls_routes', 'write pool: NAME');
  return scope.find(pools, 'pool', name, place);
}

/** Checks all policies; disabled ones are not part of the plan. */
function planPolicies(
  { policies }: ListenerConfig,
  pointer: string,
  reader: PathReader,
  names: ListenerNames,
  scope: PlanScope,
): PolicyPlan[] {
  return policies.flatMap((policy, i) => {
    const place = `${pointer}/policies/${i}`;
    if (policy.type === 'cache') {
      scope.problem(
        place,
        'a listener has no cache',
        'put it into the policies of each route that has something to store',
      );
      return [];
    }
    const plan = planPolicy(policy, place, { ...names, path: null, methods: null, readers: [reader] }, scope);
    return plan === null || !policy.enabled ? [] : [plan];
  });
}

function planIdentity({ real_ip: realIp, client_cert: clientCert, ...rest }: IdentityConfig): IdentityPlan {
  return { ...rest, realIp, clientCert };
}

/**
 * The claim for a listening socket: its address identifies it, whichever listener uses it. `owner`: the listener; port
 * 0 gives each listener an address of its own.
 */
export function socketClaim(owner: string, { host, port, path }: AddressPlan): Claim {
  if (path !== null) return claimOfShape('socket', `unix:${path}`, null);
  const text = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return claimOfShape('socket', port === 0 ? `${text} of ${owner}` : text, null);
}

/** Hosts that mean all addresses of the machine. */
export const ANY: ReadonlySet<string> = new Set(['0.0.0.0', '::', '*']);

/** Reports listeners, including the admin listener, whose addresses conflict. */
export function checkAddresses(
  places: readonly { readonly pointer: string; readonly address: AddressPlan }[],
  scope: PlanScope,
): void {
  places.forEach((place, i) => {
    const other = places.slice(0, i).find((one) => collide(one.address, place.address));
    if (other === undefined) return;
    scope.problem(place.pointer, `${place.address.text} is taken`, undefined, {
      pointer: other.pointer,
      message: `by ${other.address.text} here`,
    });
  });
}

/** Whether the system would refuse one of these addresses while the other is open, judged by their text. */
export function collide(a: AddressPlan, b: AddressPlan): boolean {
  if (a.path !== null || b.path !== null) return a.path === b.path;
  if (a.port !== b.port || a.port === 0) return false;
  return a.host === b.host || ANY.has(a.host) || ANY.has(b.host);
}
