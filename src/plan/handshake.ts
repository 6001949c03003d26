/** Plans the settings of TLS handshakes, for a listener and for server names of its own. Cold. */
import { createSecureContext, getCiphers } from 'node:tls';
import type { ClientAuth, TlsName } from '../config/schema.gen.ts';
import { segment } from '../config/walk.ts';
import type { AuthorityBundle } from '../kit/client-authorities.ts';
import { suggest } from '../kit/suggest.ts';
import { planHost } from './matches.ts';
import type { PlanScope } from './scope.ts';
import type { ClientAuthPlan, HandshakePlan, ListenerTlsPlan, TlsNamePlan } from './types/tls.ts';

/** Mozilla's recommendation "intermediate", version 5.7, without the finite-field suites. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];

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
  { client_auth: auth, min_version: minVersion, ciphers, groups: wanted }: TlsName,
  base: HandshakePlan | null,
  pointer: string,
  authorities: ReadonlyMap<string, AuthorityBundle>,
  scope: PlanScope,
): HandshakePlan {
  const known = getCiphers();
  ciphers?.forEach((name, i) => {
    if (known.includes(name.toLowerCase())) return;
    const near = suggest(
      name,
      known.map((one) => one.toUpperCase()),
    );
    const hint = near === undefined ? undefined : `did you mean ${near}?`;
    scope.problem(`${pointer}/ciphers/${i}`, `OpenSSL has no cipher suite ${name}`, hint);
  });
  wanted?.forEach((name, i) => {
    if (!isGroup(name)) scope.problem(`${pointer}/groups/${i}`, `OpenSSL has no group ${name}`);
  });
  return {
    minVersion: minVersion ?? base?.minVersion ?? '1.2',
    ciphers: ciphers?.join(':') ?? base?.ciphers ?? CIPHERS.join(':'),
    groups: wanted?.join(':') ?? base?.groups ?? '',
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

const groups = new Map<string, boolean>();

/** Only a context knows the groups of its OpenSSL. */
function isGroup(name: string): boolean {
  let known = groups.get(name);
  if (known === undefined) {
    try {
      createSecureContext({ ca: [], ecdhCurve: name });
      known = true;
    } catch {
      known = false;
    }
    groups.set(name, known);
  }
  return known;
}
