/** Binds the TLS of a listener: its certificates, those of files and those that the gateway obtains. Cold. */
import { SERVER_CODECS } from '../../http/server-codecs.ts';
import type { SecureContexts } from '../../net/tls/secure-contexts.ts';
import { fixedCertificate, ServerTls } from '../../net/tls/server-tls.ts';
import type { ListenerPlan, Plan } from '../../plan/types.ts';
import type { Certificates } from '../certificates/certificates.ts';

/** null: clients connect without TLS. Throws an OpenError. */
export function bindTls(
  { name: listener, tls, protocol }: ListenerPlan,
  plan: Plan,
  obtained: Certificates,
  contexts: SecureContexts,
): ServerTls | null {
  if (tls === null) return null;
  const engine = obtained.engineFor(plan);
  const named = new Map(plan.certificates.map((one) => [one.name, one]));
  const certificates = tls.certificates.flatMap((name) => {
    const found = named.get(name);
    // A folder may have pairs that cannot be used and never could.
    if (found === undefined) return [];
    // A plan with an issued certificate has an engine.
    return found.type === 'file' ? fixedCertificate(found) : engine!.live(found, plan);
  });
  return new ServerTls(tls, {
    certificates,
    onDemand: tls.onDemand === null ? null : engine!.onDemand(listener, tls.onDemand, plan),
    challenges: engine === null ? null : obtained.challenges,
    protocols: protocol === 'http' ? SERVER_CODECS.protocols : [],
    contexts,
  });
}
