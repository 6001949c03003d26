/** Plans the pools: parses addresses, claims lasting state. Cold. */
import { parseAddress } from '../config/formats.ts';
import type {
  ActiveCheckConfig,
  EndpointConfig,
  PoolConfig,
  PoolHealthConfig,
  PoolRetriesConfig,
} from '../config/schema.gen.ts';
import type { RetryCause } from '../kit/errors.ts';
import { hostForm } from '../kit/host-name.ts';
import { claimLike, claimOf, claimOfShape } from './claims.ts';
import { planDns } from './dns.ts';
import { checkFallbacks, planFallback } from './fallbacks.ts';
import { type PlanScope } from './scope.ts';
import { segment } from '../config/walk.ts';
import { checked, hostOf, planHost, withoutDefaultPort } from './pool-host.ts';
import { planPoolTls, type PoolNames } from './pool-tls.ts';
import { planSticky } from './sticky.ts';
import { planStrategy } from './strategies.ts';
import type { AddressPlan } from './types/address.ts';
import type { CheckPlan, EndpointPlan, HealthPlan, PoolPlan, RetriesPlan } from './types/pool.ts';
import type { DisabledEndpoint } from './types/disabled.ts';
import type { DnsNamePlan } from './types/dns.ts';
import type { ResponsesPlan } from './types/responses.ts';

/**
 * The default causes of a retry. Timeouts are not among them: the backend may still be working on the request, and each
 * further attempt costs it the same work and the client the same wait (HAProxy's `retry-on` leaves it out as well).
 */
const RETRIED: readonly RetryCause[] = ['connect', 'reset', 'bad_response'];

/** Validation has checked that the text is well-formed. */
export function planAddress(text: string): AddressPlan {
  return { text, ...(parseAddress(text) ?? { host: '', port: 0, path: null }) };
}

export function planPools(
  pools: Readonly<Record<string, PoolConfig>>,
  names: PoolNames,
  scope: PlanScope,
): Map<string, PoolPlan> {
  checkFallbacks(pools, scope);
  checkRenamed(pools, scope);
  return new Map(Object.entries(pools).map(([name, config]) => [name, planPool(name, config, names, scope)]));
}

/** `renamed_from` must name a pool that no longer exists, and only one pool may name it. */
function checkRenamed(pools: Readonly<Record<string, PoolConfig>>, scope: PlanScope): void {
  const taken = new Map<string, string>();
  for (const [name, { renamed_from: old }] of Object.entries(pools)) {
    if (old === undefined) continue;
    const pointer = `/pools/${segment(name)}/renamed_from`;
    const first = taken.get(old);
    if (Object.hasOwn(pools, old))
      scope.problem(pointer, `there still is a pool ${old}`, 'a pool that is still there keeps its own state', {
        pointer: `/pools/${segment(old)}`,
        message: 'here',
      });
    else if (first !== undefined)
      scope.problem(pointer, `${old} cannot have become two pools`, undefined, {
        pointer: first,
        message: 'the other',
      });
    taken.set(old, pointer);
  }
}

/** The disabled endpoints. */
export function disabledEndpoints(pools: Readonly<Record<string, PoolConfig>>): DisabledEndpoint[] {
  return Object.entries(pools).flatMap(([pool, { endpoints }]) =>
    endpoints.flatMap(({ enabled, address, dns }) => (enabled ? [] : [{ pool, address: address ?? dns?.name ?? '' }])),
  );
}

function planPool(name: string, config: PoolConfig, names: PoolNames, scope: PlanScope): PoolPlan {
  const pointer = `/pools/${segment(name)}/endpoints`;
  const endpoints = config.endpoints.filter(({ enabled }) => enabled);
  const places = new Map<string, number>();
  config.endpoints.forEach(({ address, enabled }, i) => {
    if (address === undefined || !enabled) return;
    const first = places.get(address);
    if (first === undefined) places.set(address, i);
    else
      scope.problem(`${pointer}/${i}`, `${address} is in this pool already`, undefined, {
        pointer: `${pointer}/${first}`,
        message: 'first here',
      });
  });
  if (endpoints.length === 0) {
    const what = config.fallback === undefined ? 'requests get 503' : 'all requests go to the fallback';
    scope.warning(pointer, `every endpoint is disabled: ${what}`);
  } else if (endpoints.every(({ weight }) => weight === 0))
    scope.problem(pointer, 'every endpoint has weight 0: no request could be sent');
  const { timeouts, keepalive, health, retries } = config;
  const tls = planPoolTls(name, config, names, scope);
  return {
    name,
    renamedFrom: config.renamed_from ?? null,
    strategy: planStrategy(config.strategy, endpoints, `/pools/${segment(name)}/strategy`, scope),
    sticky:
      config.sticky === undefined
        ? null
        : planSticky(config.sticky, endpoints, `/pools/${segment(name)}/sticky`, scope),
    endpoints: endpoints.flatMap(({ address, ...endpoint }) =>
      address === undefined ? [] : planEndpoint(name, { address, ...endpoint }, config, tls !== null),
    ),
    dns: planDns(name, config, `/pools/${segment(name)}`, scope),
    timeouts: {
      connect: timeouts.connect,
      firstByte: timeouts.first_byte,
      idle: timeouts.idle,
      stream: timeouts.stream,
      tunnel: timeouts.tunnel,
      total: timeouts.total,
    },
    keepalive: {
      connections: keepalive.connections,
      idle: keepalive.idle,
      maxAge: keepalive.max_age,
      prewarm: keepalive.prewarm,
    },
    responses: planResponses(config),
    host: planHost(config.host),
    tls,
    health: planHealth(health, config.host),
    retries: planRetries(retries),
    hedge: config.hedge ?? null,
    queue: config.queue,
    fallback: planFallback(config, `/pools/${segment(name)}/fallback`, scope),
    maxConnections: config.max_connections,
    maxRequests: config.max_requests,
    claim: claimOfShape('pool', name, null),
  };
}

function planResponses({ limits, lenient }: PoolConfig): ResponsesPlan {
  return {
    headerSize: limits.header_size,
    headerCount: limits.header_count,
    bareLf: lenient.includes('bare_lf'),
    foldedLines: lenient.includes('folded_lines'),
    spaceBeforeColon: lenient.includes('space_before_colon'),
    repeatedContentLength: lenient.includes('repeated_content_length'),
    spaceAfterChunkSize: lenient.includes('space_after_chunk_size'),
    statusAbove599: lenient.includes('status_above_599'),
  };
}

function planEndpoint(
  pool: string,
  config: EndpointConfig & { readonly address: string },
  { health: { active } }: PoolConfig,
  tls: boolean,
): EndpointPlan {
  const { address, weight, max_connections: maxConnections, max_requests: maxRequests } = config;
  const place = planAddress(address);
  return {
    address: place,
    host: hostOf(place, tls),
    serverName: hostForm(place.host) ?? place.host,
    weight,
    maxConnections,
    maxRequests,
    claim: claimOf('endpoint', `${pool}/${address}`, 'endpoint', config),
    check: active === undefined ? null : claimOf('check', `${pool}/${address}`, 'active-check', active),
  };
}

/**
 * The plan of an endpoint that a DNS name found: its identity is that of an endpoint whose address is in the config.
 * `host`: the name that has the address, with its port.
 */
export function endpointFound(
  pool: string,
  text: string,
  host: string,
  name: DnsNamePlan,
  weight: number,
  tls: boolean,
): EndpointPlan {
  const { maxConnections, maxRequests, check } = name;
  const address = planAddress(text);
  return {
    address,
    host: withoutDefaultPort(host, tls),
    serverName: serverNameOf(name.host),
    weight,
    maxConnections,
    maxRequests,
    claim: claimOf('endpoint', `${pool}/${text}`, 'endpoint', { address: text }),
    check: check === null ? null : claimLike(check, `${pool}/${text}`),
  };
}

/**
 * The name that the config gives counts, not one that an answer of the DNS gives: that is not authenticated (RFC 9525
 * §6.1.2). The name of SRV records is that of a service below the domain (RFC 2782).
 */
function serverNameOf(name: string): string {
  const domain = name.replace(/^(?:_[^.]+\.)+/, '');
  return hostForm(domain) ?? domain;
}

function planHealth(
  { active, passive, backoff, panic, slow_start: slowStart }: PoolHealthConfig,
  host: string,
): HealthPlan {
  const { failures, statuses, latency, max_ejected: maxEjected, success_rate: rate } = passive;
  const { deviations, margin, interval, min_endpoints: minEndpoints, min_requests: minRequests } = rate;
  const successRate = { deviations, margin, interval, minEndpoints, minRequests };
  return {
    active: active === undefined ? null : planCheck(checked(active, host)),
    passive: { failures, statuses, latency, maxEjected, successRate },
    backoff,
    panic,
    slowStart,
  };
}

function planRetries(config: PoolRetriesConfig): RetriesPlan {
  const { attempts, statuses, backoff, budget } = config;
  const on = config.on ?? (config.per_try_timeout > 0 ? [...RETRIED, 'timeout' as const] : RETRIED);
  return {
    attempts,
    on,
    statuses,
    nonIdempotent: config.non_idempotent,
    perTryTimeout: config.per_try_timeout,
    bodySize: config.body_size,
    backoff,
    budget,
  };
}

function planCheck(config: ActiveCheckConfig): CheckPlan {
  const { host, body, port, status, ...rest } = config;
  const ranges = status.map((text) => {
    const [from = '', to = from] = text.split('-');
    return { from: Number(from), to: Number(to) };
  });
  return { ...rest, host: host ?? null, body: body ?? null, port: port ?? null, status: ranges };
}
