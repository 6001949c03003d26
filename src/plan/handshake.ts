/** Plans the settings of TLS handshakes, for a listener and for server names of its own. Cold. */
import type { ClientAuth, TlsName } from '../config/schema.gen.ts';
import { segment } from '../config/walk.ts';
import type { AuthorityBundle } from '../kit/client-authorities.ts';
import { planHost } from './matches.ts';
import type { PlanScope } from './scope.ts';
import { planVersions } from './tls-versions.ts';
import type { ClientAuthPlan, HandshakePlan, ListenerTlsPlan, TlsNamePlan } from './types/tls.ts';

/** Whether a listener asks clients for certificates, under some server name at least. */
export function asksForCertificates(tls: ListenerTlsPlan | null): boolean {
  return tls !== null && [tls, ...tls.names].some(({ clientAuth }) => clientAuth !== null);
}

/** Whether every client of a listener needs a certificate. */
export function requiresCertificates(tls: ListenerTlsPlan | null): boolean {
  return tls !== null && [tls, ...tls.names].every(({ clientAuth }) => clientAuth?.mode === 'required');
}

/** `own`: the listener's; `served`: the names of its certificates, null: any. */
export function planTlsNames(
  names: Readonly<Record<string, TlsName>>,
  own: HandshakePlan,
  served: readonly string[] | null,
  pointer: string,
  authorities: ReadonlyMap<string, AuthorityBundle>,
  scope: PlanScope,
): TlsNamePlan[] {
  return Object.entries(names).map(([written, settings]) => {
    const name = planHost(written);
    const at = `${pointer}/${segment(written)}`;
    if (served !== null && !served.some((one) => concerns(one, name)))
      scope.warning(at, 'no certificate of the listener is for this name', `they are for ${served.join(', ')}`);
    return { name, ...planHandshake(settings, own, at, authorities, scope) };
  });
}

/** Whether a name of a certificate is among those of a pattern. */
function concerns(served: string, pattern: string): boolean {
  if (pattern.startsWith('*.')) return served === pattern || served.endsWith(pattern.slice(1));
  return served === pattern || (served.startsWith('*.') && served.slice(2) === pattern.slice(pattern.indexOf('.') + 1));
}

/** `base`: the settings in place of those that are absent; null: none may be absent but those with a default. */
export function planHandshake(
  settings: TlsName,
  base: HandshakePlan | null,
  pointer: string,
  authorities: ReadonlyMap<string, AuthorityBundle>,
  scope: PlanScope,
): HandshakePlan {
  const { client_auth: auth } = settings;
  return {
    ...planVersions(settings, base, pointer, scope),
    clientAuth:
      auth === undefined
        ? (base?.clientAuth ?? null)
        : planClientAuth(auth, `${pointer}/client_auth`, authorities, scope),
  };
}

function planClientAuth(
  { mode, ca, depth }: ClientAuth,
  pointer: string,
  authorities: ReadonlyMap<string, AuthorityBundle>,
  scope: PlanScope,
): ClientAuthPlan | null {
  if (mode === 'none') {
    for (const setting of ['ca', 'crl', 'depth'])
      if (scope.isWritten(`${pointer}/${setting}`))
        scope.warning(`${pointer}/${setting}`, 'has no effect: the mode is none');
    return null;
  }
  if (ca === undefined)
    scope.problem(pointer, 'needs the authorities that issue client certificates', 'such as ca: ./tls/clients-ca.pem');
  const bundle = authorities.get(pointer);
  // What is wrong with the files has been reported.
  return bundle === undefined ? null : { mode, depth, authorities: bundle };
}
