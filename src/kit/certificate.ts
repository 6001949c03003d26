/** An X.509 certificate chain with its private key, as text and as what the gateway needs to know of it. Cold. */
import { isIP } from 'node:net';
import { ipv6Form } from './host-name.ts';
import type { KeyObject, X509Certificate } from 'node:crypto';

export type KeyType = 'ec' | 'rsa' | 'ed25519';

export interface CertificatePair {
  /** The certificate and those of its issuers, in PEM, the certificate itself first. */
  readonly chain: string;
  /** The private key, in PEM. */
  readonly key: string;
  readonly keyType: KeyType;
  /** Hex SHA-256 of the certificate itself: another text of the same certificate has the same. */
  readonly fingerprint: string;
  /** Covers chain and key: equal digests mean equal pairs. */
  readonly digest: string;
  /** The DNS names, in lower case, `*.example.com` among them, and the IP addresses of the subjectAltName. */
  readonly names: readonly string[];
  readonly subject: string;
  readonly issuer: string;
  /** Unix ms. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** A certificate that changes while it is in use: one that the gateway obtains and renews. */
export interface LiveCertificate {
  readonly names: readonly string[];
  readonly keyType: KeyType;
  /** The same object until it changes; null: there is none yet. */
  readonly pair: CertificatePair | null;
}

const KEY_TYPES: Readonly<Record<string, KeyType>> = { ec: 'ec', rsa: 'rsa', ed25519: 'ed25519' };

/** undefined: no such key can be used. */
export function keyTypeOf({ asymmetricKeyType }: KeyObject): KeyType | undefined {
  return KEY_TYPES[asymmetricKeyType ?? ''];
}

/** Describes a chain, the certificate itself first, and its key. */
export function certificatePair(
  chain: readonly X509Certificate[],
  key: KeyObject,
  keyType: KeyType,
  digest: string,
): CertificatePair {
  const leaf = chain[0]!;
  return {
    chain: `${chain.map((one) => one.toString().trim()).join('\n')}\n`,
    key: key.export({ type: 'pkcs8', format: 'pem' }),
    keyType,
    fingerprint: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
    digest,
    names: namesOf(leaf),
    subject: oneLine(leaf.subject),
    issuer: oneLine(leaf.issuer),
    notBefore: leaf.validFromDate.getTime(),
    notAfter: leaf.validToDate.getTime(),
  };
}

/** The names of a certificate without a subjectAltName don't count (RFC 9525 §6.3). */
function namesOf({ subjectAltName = '' }: X509Certificate): string[] {
  // Node quotes what could be mistaken for a separator; such a text is no name.
  return subjectAltName
    .split(', ')
    .map((text) => /^(?:DNS|IP Address):([^"]+)$/.exec(text)?.[1]?.toLowerCase())
    .filter((name) => name !== undefined)
    .map((name) => (isIP(name) === 6 ? (ipv6Form(name)?.slice(1, -1) ?? name) : name));
}

/** The name of a subject or issuer; a certificate may have no subject. */
export function oneLine(name: string | undefined): string {
  return (name ?? '').split('\n').join(', ');
}

/** What an operator should know of the validity of a certificate. */
export interface Expiry {
  readonly state: 'not_yet_valid' | 'expiring' | 'expired';
  /** To follow the name of the certificate. */
  readonly message: string;
}

const DAY = 24 * 3600 * 1000;

/** How long before its end a certificate should have been renewed (ms): short-lived ones are renewed late. */
const SOON = 14 * DAY;

/** `now`: Unix ms. null: there is nothing to tell. */
export function expiry(
  { notBefore, notAfter }: Pick<CertificatePair, 'notBefore' | 'notAfter'>,
  now: number,
): Expiry | null {
  const on = (ms: number): string => new Date(ms).toISOString();
  if (now > notAfter) return { state: 'expired', message: `has expired on ${on(notAfter)}` };
  if (now < notBefore) return { state: 'not_yet_valid', message: `is not valid before ${on(notBefore)}` };
  const soon = Math.min(SOON, (notAfter - notBefore) / 3);
  return notAfter - now <= soon ? { state: 'expiring', message: `expires on ${on(notAfter)}` } : null;
}

/** Whether clients accept it at this time. */
export function isValidAt(
  { notBefore, notAfter }: Pick<CertificatePair, 'notBefore' | 'notAfter'>,
  now: number,
): boolean {
  return notBefore <= now && now <= notAfter;
}
