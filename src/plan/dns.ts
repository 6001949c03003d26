/** Plans endpoints that are found by DNS name: parses the names and claims their resolutions. Cold. */
import { isIP } from 'node:net';
import { parseDnsServer } from '../config/formats.ts';
import type { DnsNameConfig, EndpointConfig, PoolConfig } from '../config/schema.gen.ts';
import { claimOf, claimOfShape } from './claims.ts';
import type { PlanScope } from './scope.ts';
import type { DnsNamePlan, DnsPlan } from './types/dns.ts';

/** Returns null if all addresses of the pool are in the config. */
export function planDns(pool: string, config: PoolConfig, pointer: string, scope: PlanScope): DnsPlan | null {
  const { servers, timeout, min_ttl: minTtl, max_ttl: maxTtl, hold, jitter } = config.dns;
  const asked = servers?.map((server) => parseDnsServer(server) ?? server) ?? null;
  if (minTtl < LEAST_TTL) scope.problem(`${pointer}/dns/min_ttl`, 'must be at least 100ms');
  if (maxTtl < minTtl) scope.problem(`${pointer}/dns/max_ttl`, 'is less than min_ttl');
  if (maxTtl > MOST_TTL) scope.problem(`${pointer}/dns/max_ttl`, 'must be at most 24h');
  if (timeout < LEAST_TTL || timeout > MOST_TIME)
    scope.problem(`${pointer}/dns/timeout`, 'must be at least 100ms and at most 1m');
  const names = new Map<string, DnsNamePlan>();
  config.endpoints.forEach((endpoint, i) => {
    if (endpoint.dns === undefined) return;
    const at = `${pointer}/endpoints/${i}/dns`;
    const plan = planName(pool, endpoint, endpoint.dns, asked, config);
    if (endpoint.enabled && names.has(plan.name)) scope.problem(at, `${plan.name} is in this pool already`);
    else checkName(plan, `${at}/name`, scope);
    if (endpoint.enabled) names.set(plan.name, plan);
  });
  if (names.size === 0) return null;
  return { servers: asked, timeout, minTtl, maxTtl, hold, jitter, names: [...names.values()] };
}

/** Milliseconds, in all of these. */
const LEAST_TTL = 100;
const MOST_TTL = 86_400_000;
const MOST_TIME = 60_000;

function planName(
  pool: string,
  { weight, max_connections: maxConnections, max_requests: maxRequests }: EndpointConfig,
  { name, type }: DnsNameConfig,
  servers: readonly string[] | null,
  { health }: PoolConfig,
): DnsNamePlan {
  const [host = '', port] = name.split(':');
  const claim = claimOfShape('dns', `${pool}/${name}`, { name, type, servers });
  const check = health.active === undefined ? null : claimOf('check', `${pool}/${name}`, 'active-check', health.active);
  return { name, host, port: Number(port ?? 0), type, weight, maxConnections, maxRequests, claim, check };
}

function checkName({ host, port, type, name }: DnsNamePlan, pointer: string, scope: PlanScope): void {
  const ported = name.includes(':');
  if (isIP(host) !== 0) scope.problem(pointer, `${host} is an address, not a name`, `write address: "${name}"`);
  else if (type === 'srv' && ported)
    scope.problem(pointer, 'has a port, which the records of type srv say', `write ${host}`);
  else if (type !== 'srv' && (!ported || port === 0 || port > 65535))
    scope.problem(pointer, 'needs a port from 1 to 65535', 'or type: srv, whose records say it');
}
