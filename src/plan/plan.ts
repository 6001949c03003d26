/**
 * GatewayConfig to Plan: resolves every name, checks every value, and freezes the result. Cold, pure and synchronous.
 *
 * It reports the problems that a schema cannot express, in the same form. Throws a ConfigError with every problem found
 * if one of them is an error; if there are only warnings, they stay in the scope. After planning, only the operating
 * system can refuse the config.
 */
import { createHash } from 'node:crypto';
import type { LoadedConfig } from '../config/load.ts';
import { configError, inOrder, isError } from '../config/problem.ts';
import type { AclConfig, AdminConfig, ExplainConfig, GatewayConfig } from '../config/schema.gen.ts';
import { freeze } from '../kit/freeze.ts';
import { isOurs } from '../kit/own-fields.ts';
import { Issuers } from './acme.ts';
import { warnOfCertificates } from './certificate-warnings.ts';
import { planCaches } from './caches.ts';
import { planHost } from './matches.ts';
import { checkAddresses, planListeners, socketClaim } from './listeners.ts';
import { planPaths } from './paths.ts';
import { disabledPolicies } from './policies.ts';
import { disabledEndpoints, planAddress, planPools } from './pools.ts';
import { planRoutes } from './routes.ts';
import { PlanScope } from './scope.ts';
import { asksForCertificates } from './handshake.ts';
import { planCertificates } from './tls.ts';
import { segment } from '../config/walk.ts';
import type { AclPlan, ExplainPlan, ListenerPlan, Plan } from './types.ts';
import type { AdminPlan } from './types/admin.ts';

export function planGateway(loaded: LoadedConfig, scope = new PlanScope(loaded)): Plan {
  const { config } = loaded;
  const acls = new Map<string, AclPlan>(Object.entries(config.acls).map(([name, acl]) => [name, planAcl(name, acl)]));
  const caches = planCaches(config.caches, scope);
  const issuers = new Issuers(config, loaded, scope);
  const certificates = planCertificates(loaded, issuers, scope);
  const pools = planPools(config.pools, { certificates: certificates.byName, caBundles: loaded.caBundles }, scope);
  const entrances = new Map(
    Object.entries(config.listeners).map(([name, { protocol, paths }]) => [
      name,
      { protocol, rules: planPaths(paths) },
    ]),
  );
  const { routes, disabled } = planRoutes(
    config.routes,
    { acls, caches, modules: loaded.modules, pools, listeners: entrances },
    scope,
  );
  const { modules, authorities, ticketKeys } = loaded;
  const names = { acls, caches, certificates, issuers, authorities, modules, pools, routes, ticketKeys };
  const { listeners, disabled: closed } = planListeners(config.listeners, names, scope);
  if (listeners.length === 0 && !loaded.problems.some(({ pointer }) => pointer.startsWith('/listeners')))
    tellNoListener(config, scope);
  tellUnasked(config, listeners, scope);
  const admin = config.admin === undefined ? null : planAdmin(config.admin, loaded, scope);
  const places = listeners.map(({ name, address }) => ({ pointer: `/listeners/${segment(name)}/address`, address }));
  if (admin !== null) places.push({ pointer: '/admin/address', address: admin.address });
  checkAddresses(places, scope);
  const explain = config.explain === undefined ? null : planExplain(config.explain, scope);
  if (scope.problems.some(isError)) throw configError(inOrder(scope.problems), loaded.texts);
  warnOfCertificates(config, listeners, certificates, scope);
  return freeze<Plan>({
    admin,
    logging: { level: config.logging.level, access: config.logging.access ?? null },
    reload: {
      drain: { ...config.reload.drain, delay: config.reload.drain.delay ?? null },
      maxGenerations: config.reload.max_generations,
      watch: config.reload.watch,
      settle: config.reload.settle,
      tightened: config.reload.tightened,
      stateDir: config.reload.state_dir ?? null,
      history: config.reload.history,
      startFromLastGood: config.reload.start_from_last_good,
    },
    limits: {
      connections: config.limits.connections,
      bufferMemory: config.limits.buffer_memory,
      compressionMemory: config.limits.compression_memory,
      overload: { loopDelay: config.limits.overload.loop_delay, memory: config.limits.overload.memory },
    },
    explain,
    issuers: issuers.plans,
    certificates: [...certificates.byName.values()],
    brokenCertificates: certificates.broken,
    caches: [...caches.values()],
    modules: [...loaded.modules.values()].map(({ path, digest, files }) => ({ path, digest, files })),
    listeners,
    pools: [...pools.values()],
    routes,
    disabled: {
      listeners: closed,
      routes: disabled,
      policies: disabledPolicies(config),
      endpoints: disabledEndpoints(config.pools),
    },
  });
}

function planAcl(name: string, { certificates, ...addresses }: AclConfig): AclPlan {
  const rules = certificates.map(({ dns, fingerprint, ...rest }) => ({
    ...rest,
    ...(dns === undefined ? {} : { dns: planHost(dns) }),
    ...(fingerprint === undefined ? {} : { fingerprint: fingerprint.replaceAll(':', '').toLowerCase() }),
  }));
  return { name, ...addresses, certificates: rules };
}

/** No client passes an ACL with certificates if none is asked for one. */
function tellUnasked(
  { acls }: Pick<GatewayConfig, 'acls'>,
  listeners: readonly ListenerPlan[],
  scope: PlanScope,
): void {
  if (listeners.some(({ tls }) => asksForCertificates(tls))) return;
  for (const [name, { certificates }] of Object.entries(acls))
    if (certificates.length > 0)
      scope.warning(
        `/acls/${segment(name)}/certificates`,
        'no client passes: no listener asks for certificates',
        'set client_auth in the tls of a listener',
      );
}

/** A gateway without a listener does nothing. Most configs without one are half-written files. */
function tellNoListener({ listeners }: Pick<GatewayConfig, 'listeners'>, scope: PlanScope): void {
  if (Object.keys(listeners).length > 0)
    scope.problem('/listeners', 'every listener is disabled: no client could connect', 'enable one of them');
  else
    scope.problem(
      '/listeners',
      'there is no listener: no client could connect',
      'add one, such as listeners: { web: { address: "0.0.0.0:8080" } }',
    );
}

function planAdmin(
  { address: text, hosts, token, push }: AdminConfig,
  { openSecrets }: LoadedConfig,
  scope: PlanScope,
): AdminPlan {
  const address = planAddress(text);
  for (const pointer of ['/admin/token', '/admin/push/token']) {
    if (openSecrets.includes(pointer))
      scope.problem(
        pointer,
        'must be a reference: clients with the token can read the config',
        'such as ${file:token}',
      );
  }
  const pushed =
    push === undefined ? null : { token: digestOf(push.token), maxSize: push.max_size, modules: push.modules };
  return {
    address,
    hosts: hosts.map((host) => host.toLowerCase()),
    token: token === undefined ? (pushed?.token ?? null) : digestOf(token),
    push: pushed,
    claim: socketClaim('the admin listener', address),
  };
}

function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function planExplain({ header, allow }: ExplainConfig, scope: PlanScope): ExplainPlan {
  if (isOurs(header)) scope.problem('/explain/header', `${header} is the gateway's own to write`);
  return { header: header.toLowerCase(), allow };
}
