/** Plans certificates and the TLS settings of listeners. Cold. */
import { getCiphers } from 'node:tls';
import { createSecureContext } from 'node:tls';
import type { ListenerTls } from '../config/schema.gen.ts';
import type { CertificatePair } from '../kit/certificate.ts';
import { suggest } from '../kit/suggest.ts';
import type { PlanScope } from './scope.ts';
import type { CertificatePlan, ListenerTlsPlan } from './types/tls.ts';

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

export function planCertificates(pairs: ReadonlyMap<string, CertificatePair>): Map<string, CertificatePlan> {
  return new Map([...pairs].map(([name, pair]) => [name, { name, ...pair }]));
}

export function planListenerTls(
  config: ListenerTls,
  pointer: string,
  certificates: ReadonlyMap<string, CertificatePlan>,
  scope: PlanScope,
): ListenerTlsPlan {
  config.certificates.forEach((name, i) =>
    scope.find(certificates, 'certificate', name, `${pointer}/certificates/${i}`),
  );
  const known = getCiphers();
  config.ciphers?.forEach((name, i) => {
    if (known.includes(name.toLowerCase())) return;
    const near = suggest(
      name,
      known.map((one) => one.toUpperCase()),
    );
    const hint = near === undefined ? undefined : `did you mean ${near}?`;
    scope.problem(`${pointer}/ciphers/${i}`, `OpenSSL has no cipher suite ${name}`, hint);
  });
  config.groups.forEach((name, i) => {
    if (!isGroup(name)) scope.problem(`${pointer}/groups/${i}`, `OpenSSL has no group ${name}`);
  });
  return {
    certificates: config.certificates,
    unknownName: config.unknown_name,
    minVersion: config.min_version,
    ciphers: (config.ciphers ?? CIPHERS).join(':'),
    groups: config.groups.join(':'),
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
