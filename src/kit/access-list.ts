/** An ACL: who is allowed, by address and by certificate. Cold to build, hot to query. */
import { AddressAcl, type AclRules, decidingRule, keepsStrangersOut } from './address-set.ts';
import type { ClientCertificate } from './client-certificate.ts';

/** Conditions on a certificate; those that are absent hold. */
export interface CertificateRule {
  /** With a star at its end: any text follows. */
  readonly uri?: string;
  /** In lower case: exact, or `*.example.com` for all names below. */
  readonly dns?: string;
  readonly email?: string;
  readonly subject?: string;
  readonly issuer?: string;
  /** Hex in lower case. */
  readonly fingerprint?: string;
}

export interface AccessRules extends AclRules {
  /** Clients need a certificate that meets one of these; empty: they need none. */
  readonly certificates: readonly CertificateRule[];
}

export class AccessList {
  readonly #addresses: AddressAcl;
  readonly #certificates: readonly CertificateRule[];
  /** One client often sends many requests. */
  #last: ClientCertificate | null = null;
  #lastAnswer = false;

  constructor(rules: AccessRules) {
    this.#addresses = new AddressAcl(rules);
    this.#certificates = rules.certificates;
  }

  /** `client`: its certificate, or null. */
  allows(address: string, client: ClientCertificate | null): boolean {
    return this.#addresses.allows(address) && this.allowsCertificate(client);
  }

  /** For decisions before the handshake. */
  allowsAddress(address: string): boolean {
    return this.#addresses.allows(address);
  }

  allowsCertificate(client: ClientCertificate | null): boolean {
    if (this.#certificates.length === 0) return true;
    if (client === null) return false;
    if (client !== this.#last) {
      this.#last = client;
      this.#lastAnswer = this.#certificates.some((rule) => meets(client, rule));
    }
    return this.#lastAnswer;
  }

  get keepsStrangersOut(): boolean {
    return this.#certificates.length > 0 || keepsStrangersOut(this.#addresses);
  }
}

function meets(client: ClientCertificate, { uri, dns, email, subject, issuer, fingerprint }: CertificateRule): boolean {
  const { names } = client;
  return (
    (uri === undefined || names.uri.some((one) => isWithin(one, uri))) &&
    (dns === undefined || names.dns.some((one) => one === dns || (dns.startsWith('*.') && isBelow(one, dns)))) &&
    (email === undefined || names.email.includes(email)) &&
    (subject === undefined || client.subject === subject) &&
    (issuer === undefined || client.issuer === issuer) &&
    (fingerprint === undefined || client.fingerprint === fingerprint)
  );
}

function isWithin(uri: string, pattern: string): boolean {
  return pattern.endsWith('*') ? uri.startsWith(pattern.slice(0, -1)) : uri === pattern;
}

function isBelow(name: string, pattern: string): boolean {
  return name.length >= pattern.length && name.endsWith(pattern.slice(1));
}

/** Describes which rule of an ACL decides. Cold. */
export function decidingAccessRule(rules: AccessRules, address: string, client: ClientCertificate | null): string {
  const byAddress = decidingRule(rules, address);
  if (rules.certificates.length === 0 || !new AddressAcl(rules).allows(address)) return byAddress;
  if (client === null) return 'the client has no certificate';
  const subject = client.spiffe || client.subject || client.fingerprint;
  const met = new AccessList(rules).allowsCertificate(client);
  return `${byAddress}, and its certificate ${subject} is ${met ? '' : 'not '}on the list`;
}
