/** Plans the versions, suites and groups of TLS, of listeners and pools alike. Cold. */
import { createSecureContext, getCiphers } from 'node:tls';
import type { TlsName } from '../config/schema.gen.ts';
import { suggest } from '../kit/suggest.ts';
import type { PlanScope } from './scope.ts';
import type { TlsVersionsPlan } from './types/tls.ts';

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

/** `base`: the settings in place of those that are absent; null: none may be absent but those with a default. */
export function planVersions(
  { min_version: minVersion, ciphers, groups: wanted }: Pick<TlsName, 'min_version' | 'ciphers' | 'groups'>,
  base: TlsVersionsPlan | null,
  pointer: string,
  scope: PlanScope,
): TlsVersionsPlan {
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
  };
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
