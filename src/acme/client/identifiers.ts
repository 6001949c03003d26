/** The names of a certificate as an authority knows them (RFC 8555 §7.1.4, RFC 8738). Cold. */
import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

export interface Identifier {
  readonly type: 'dns' | 'ip';
  /** Of a wildcard: with its `*.` in an order, without it in an authorization. */
  readonly value: string;
}

export function identifierOf(name: string): Identifier {
  return { type: isIP(name) === 0 ? 'dns' : 'ip', value: name };
}

function isWildcard(name: string): boolean {
  return name.startsWith('*.');
}

/** The name without the `*.` of a wildcard. */
export function baseName(name: string): string {
  return isWildcard(name) ? name.slice(2) : name;
}

/** Whether a certificate is good for a name; a wildcard name needs a wildcard. */
export function covers(certificate: X509Certificate, name: string): boolean {
  if (isIP(name) !== 0) return certificate.checkIP(name) !== undefined;
  // No certificate names this label, so only a wildcard matches it.
  const asked = isWildcard(name) ? `any-label-of-a-wildcard.${baseName(name)}` : name;
  return certificate.checkHost(asked, { subject: 'never' }) !== undefined;
}
