/** The certificates that a client gets, chosen as net/tls/server-tls.ts chooses them. Cold. */
import type { ListenerPlan, Plan } from '../plan/types.ts';
import type { CertificatePlan } from '../plan/types/tls.ts';

/**
 * The names of the certificates that OpenSSL chooses among by the type of their key; empty: the handshake is refused, or
 * the certificate is yet to be obtained. null: the listener has no TLS.
 */
export function certificatesFor({ tls }: ListenerPlan, plan: Plan, serverName: string): readonly string[] | null {
  if (tls === null) return null;
  const byName = new Map(plan.certificates.map((one) => [one.name, one]));
  const all = tls.certificates.flatMap((name) => byName.get(name) ?? []);
  const [first] = all;
  const found = withName(all, serverName) ?? withName(all, `*${serverName.slice(serverName.indexOf('.'))}`);
  if (found !== null) return found;
  const unknown = serverName !== '' && (tls.unknownName === 'refuse' || tls.onDemand !== null);
  if (unknown || first === undefined) return [];
  return withName(all, first.names[0] ?? '') ?? [first.name];
}

function withName(all: readonly CertificatePlan[], name: string): string[] | null {
  const found = new Map<string, string>();
  for (const one of all) {
    const key = kindOf(one);
    if (one.names.includes(name) && !found.has(key)) found.set(key, one.name);
  }
  return found.size === 0 ? null : [...found.values()];
}

function kindOf({ keyType }: CertificatePlan): string {
  return keyType === 'p256' || keyType === 'p384' ? 'ec' : keyType.slice(0, 3);
}
