/** Plans the TLS of connections to a pool's endpoints. Cold. */
import type { PoolConfig, PoolTls } from '../config/schema.gen.ts';
import { segment } from '../config/walk.ts';
import type { CaBundle } from '../kit/ca-bundle.ts';
import { hostForm } from '../kit/host-name.ts';
import type { PlanScope } from './scope.ts';
import { planVersions } from './tls-versions.ts';
import type { CertificatePlan, FileCertificatePlan, PoolTlsPlan } from './types/tls.ts';

/** What the settings of a pool refer to. */
export interface PoolNames {
  readonly certificates: ReadonlyMap<string, CertificatePlan>;
  /** By the pool's name. */
  readonly caBundles: ReadonlyMap<string, CaBundle>;
}

/** null: the connections have no TLS. */
export function planPoolTls(
  name: string,
  { tls, endpoints, keepalive }: PoolConfig,
  { certificates, caBundles }: PoolNames,
  scope: PlanScope,
): PoolTlsPlan | null {
  if (tls === undefined) return null;
  const pointer = `/pools/${segment(name)}`;
  const plan: PoolTlsPlan = {
    ca: caBundles.get(name) ?? null,
    serverName: planServerName(tls.server_name),
    certificate: planClientCertificate(tls, `${pointer}/tls/certificate`, certificates, scope),
    verify: tls.verify,
    pins: tls.pins,
    alpn: tls.alpn,
    ...planVersions(tls, null, `${pointer}/tls`, scope),
  };
  if (!plan.verify && tls.ca !== undefined) scope.warning(`${pointer}/tls/ca`, 'has no effect: verify is false');
  if (!tls.enabled) return null;
  if (plan.serverName === 'from_host' && keepalive.prewarm > 0)
    scope.problem(
      `${pointer}/keepalive/prewarm`,
      'cannot be used with server_name: from_host',
      'the server name of a connection is known when a request needs it',
    );
  if (plan.serverName === null && plan.verify)
    endpoints.forEach(({ address, enabled }, i) => {
      if (enabled && address?.startsWith('unix:') === true)
        scope.problem(
          `${pointer}/endpoints/${i}`,
          'a Unix socket has no name that its certificate could have',
          'write server_name in the tls of the pool',
        );
    });
  return plan;
}

function planClientCertificate(
  { certificate }: PoolTls,
  pointer: string,
  certificates: ReadonlyMap<string, CertificatePlan>,
  scope: PlanScope,
): FileCertificatePlan | null {
  if (certificate === undefined) return null;
  const found = scope.find(certificates, 'certificate', certificate, pointer);
  if (found === null || found.type === 'file') return found;
  scope.problem(pointer, `${certificate} is obtained for servers`, 'name a certificate with cert and key');
  return null;
}

function planServerName(name: string | undefined): string | null {
  return name === undefined ? null : (hostForm(name) ?? name);
}
