/** Pools: addresses taken apart, lasting state claimed. Cold. */
import { parseAddress } from '../config/formats.ts';
import type { ActiveCheckConfig, PoolConfig, PoolHealthConfig, PoolRetriesConfig } from '../config/schema.gen.ts';
import { claimOf, claimOfShape } from './claims.ts';
import { checkFallbacks, planFallback } from './fallbacks.ts';
import { type PlanScope, segment } from './scope.ts';
import { planSticky } from './sticky.ts';
import { planStrategy } from './strategies.ts';
import type { AddressPlan, CheckPlan, HealthPlan, PoolPlan, RetriesPlan } from './types.ts';

/** The text is well-formed: validation has seen to that. */
export function planAddress(text: string): AddressPlan {
  return { text, ...(parseAddress(text) ?? { host: '', port: 0, path: null }) };
}

export function planPools(pools: Readonly<Record<string, PoolConfig>>, scope: PlanScope): Map<string, PoolPlan> {
  checkFallbacks(pools, scope);
  return new Map(Object.entries(pools).map(([name, config]) => [name, planPool(name, config, scope)]));
}

function planPool(name: string, config: PoolConfig, scope: PlanScope): PoolPlan {
  const pointer = `/pools/${segment(name)}/endpoints`;
  const places = new Map<string, number>();
  config.endpoints.forEach(({ address }, i) => {
    const first = places.get(address);
    if (first === undefined) places.set(address, i);
    else
      scope.problem(`${pointer}/${i}`, `${address} is in this pool already`, undefined, {
        pointer: `${pointer}/${first}`,
        message: 'first here',
      });
  });
  if (config.endpoints.every(({ weight }) => weight === 0))
    scope.problem(pointer, 'every endpoint has weight 0: no request could be sent');
  const { timeouts, keepalive, health, retries } = config;
  return {
    name,
    strategy: planStrategy(config.strategy, config.endpoints.length, `/pools/${segment(name)}/strategy`, scope),
    sticky:
      config.sticky === undefined ? null : planSticky(config.sticky, config, `/pools/${segment(name)}/sticky`, scope),
    endpoints: config.endpoints.map((endpoint) => ({
      address: planAddress(endpoint.address),
      weight: endpoint.weight,
      maxConnections: endpoint.max_connections,
      maxRequests: endpoint.max_requests,
      claim: claimOf('endpoint', `${name}/${endpoint.address}`, 'endpoint', endpoint),
      check:
        health.active === undefined
          ? null
          : claimOf('check', `${name}/${endpoint.address}`, 'active-check', health.active),
    })),
    timeouts: {
      connect: timeouts.connect,
      firstByte: timeouts.first_byte,
      idle: timeouts.idle,
      tunnel: timeouts.tunnel,
      total: timeouts.total,
    },
    keepalive: {
      connections: keepalive.connections,
      idle: keepalive.idle,
      maxAge: keepalive.max_age,
      prewarm: keepalive.prewarm,
    },
    health: planHealth(health),
    retries: planRetries(retries),
    hedge: config.hedge ?? null,
    queue: config.queue,
    fallback: planFallback(config, `/pools/${segment(name)}/fallback`, scope),
    maxConnections: config.max_connections,
    maxRequests: config.max_requests,
    claim: claimOfShape('pool', name, null),
  };
}

function planHealth({ active, passive, backoff, panic, slow_start: slowStart }: PoolHealthConfig): HealthPlan {
  const { failures, statuses, latency, max_ejected: maxEjected } = passive;
  return {
    active: active === undefined ? null : planCheck(active),
    passive: { failures, statuses, latency, maxEjected },
    backoff,
    panic,
    slowStart,
  };
}

function planRetries(config: PoolRetriesConfig): RetriesPlan {
  const { attempts, on, statuses, backoff, budget } = config;
  return { attempts, on, statuses, perTryTimeout: config.per_try_timeout, bodySize: config.body_size, backoff, budget };
}

function planCheck(config: ActiveCheckConfig): CheckPlan {
  const { host, body, port, status, ...rest } = config;
  const ranges = status.map((text) => {
    const [from = '', to = from] = text.split('-');
    return { from: Number(from), to: Number(to) };
  });
  return { ...rest, host: host ?? null, body: body ?? null, port: port ?? null, status: ranges };
}
