/** An account at an authority: registered with its key, and what it asks for besides orders (RFC 8555 §7.3, §7.6). Cold. */
import type { X509Certificate } from 'node:crypto';
import { certificateIds } from '../x509/certificates.ts';
import { type AccountKey, base64url, type ExternalAccount } from './account-key.ts';
import { AcmeError, asRecord, textOf } from './acme-error.ts';
import { type Authority, locationOf, type Signer } from './authority.ts';

export interface Account {
  readonly authority: Authority;
  readonly signer: Signer;
}

export interface Registration {
  /** `mailto:` URLs. */
  readonly contact: readonly string[];
  readonly external: ExternalAccount | null;
}

/**
 * Registers the key, and returns the URL of its account. A key that has an account gets the same one again (§7.3.1).
 * The operator agrees to the terms of service with the config.
 */
export async function register(authority: Authority, key: AccountKey, registration: Registration): Promise<string> {
  const { newAccount, externalAccountRequired } = await authority.directory();
  const { contact, external } = registration;
  if (externalAccountRequired && external === null)
    throw new AcmeError('external_account_required', `${authority.url} wants an external account (\`eab\`)`);
  const answer = await authority.post({ key, kid: null }, newAccount, {
    termsOfServiceAgreed: true,
    ...(contact.length === 0 ? {} : { contact }),
    ...(external === null ? {} : { externalAccountBinding: key.bind(external, newAccount) }),
  });
  return locationOf(answer);
}

/** `reason`: of RFC 5280 §5.3.1. */
export async function revoke(account: Account, certificate: X509Certificate, reason: number): Promise<void> {
  const { authority, signer } = account;
  const { revokeCert } = await authority.directory();
  await authority.post(signer, revokeCert, { certificate: base64url(certificate.raw), reason });
}

export interface RenewalInfo {
  /** The suggested window (ms since 1970). */
  readonly start: number;
  readonly end: number;
  /** A page that says why; '' if there is none. */
  readonly explanation: string;
  /** When to ask again, in milliseconds; null: the authority does not say, which it should. */
  readonly retryAfter: number | null;
}

/** The name of a certificate in renewal information (RFC 9773 §4.1); null: the certificate can't have one. */
export function renewalId(certificate: X509Certificate): string | null {
  const { serial, authorityKey } = certificateIds(certificate);
  return authorityKey === null ? null : `${base64url(authorityKey)}.${base64url(serial)}`;
}

/** null: the authority has none (RFC 9773). */
export async function renewalInfo(authority: Authority, id: string): Promise<RenewalInfo | null> {
  const { renewalInfo: base } = await authority.directory();
  if (base === null) return null;
  const { json, retryAfter } = await authority.get(`${base.replace(/\/$/, '')}/${id}`);
  const { start, end } = asRecord(json['suggestedWindow']);
  const window = { start: Date.parse(textOf(start)), end: Date.parse(textOf(end)) };
  // §4.2: a window that ends before it begins counts as no answer.
  if (Number.isNaN(window.start) || Number.isNaN(window.end) || window.end <= window.start)
    throw new AcmeError('bad_response', 'the suggested window of renewal can not be read');
  return { ...window, explanation: textOf(json['explanationURL']), retryAfter };
}
