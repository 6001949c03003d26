/**
 * The certificate authorities whose clients a listener lets in, and whom they have revoked. Cold: asked when OpenSSL
 * does not verify, for connections that a reload finds open and for hypothetical clients.
 */
import { X509Certificate } from 'node:crypto';
import { type ClientCertificate, fingerprintOf } from './client-certificate.ts';
import { namesInDer, readRevocationList, type RevocationList } from './revocation-list.ts';

/** As in a plan: plain data. */
export interface AuthorityBundle {
  /** Covers all of it. */
  readonly digest: string;
  /** Certificates in PEM. */
  readonly ca: string;
  /** Revocation lists in PEM, or '': none. */
  readonly crl: string;
  /** The subjects of the authorities, in the form of RFC 4514. */
  readonly subjects: readonly string[];
}

export const CERTIFICATE_BLOCK =
  /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED )?CERTIFICATE-----/g;
export const CRL_BLOCK = /-----BEGIN X509 CRL-----[\s\S]*?-----END X509 CRL-----/g;

/** The way from a client's certificate to an authority. */
interface Path {
  /** The client's certificate and the intermediate ones. */
  readonly below: readonly X509Certificate[];
  readonly authority: X509Certificate;
}

export class ClientAuthorities {
  readonly #anchors: readonly X509Certificate[];
  readonly #fingerprints: ReadonlySet<string>;
  readonly #crl: string;
  #read: readonly RevocationList[] | null = null;

  constructor({ ca, crl }: Pick<AuthorityBundle, 'ca' | 'crl'>) {
    this.#anchors = (ca.match(CERTIFICATE_BLOCK) ?? []).map((block) => new X509Certificate(block));
    this.#fingerprints = new Set(this.#anchors.map(fingerprintOf));
    this.#crl = crl;
  }

  get #lists(): readonly RevocationList[] {
    return (this.#read ??= (this.#crl.match(CRL_BLOCK) ?? []).map(readRevocationList));
  }

  /**
   * Why a certificate is refused, in the words of OpenSSL (X509_V_ERR_…) in lower case; '': it is accepted. `depth`: the
   * most intermediate certificates; `now`: Unix ms; `verified`: OpenSSL has verified the signatures up to one of these
   * authorities.
   */
  refusal(client: ClientCertificate, depth: number, now: number, verified = false): string {
    const path = this.#pathOf(client, !verified);
    if (path === null) return 'unable_to_get_issuer_cert_locally';
    if (path.below.length - 1 > depth) return 'cert_chain_too_long';
    for (const one of [...path.below, path.authority]) {
      if (one.validFromDate.getTime() > now) return 'cert_not_yet_valid';
      if (one.validToDate.getTime() < now) return 'cert_has_expired';
    }
    const usages = client.x509.keyUsage as readonly string[] | undefined;
    if (usages !== undefined && usages.length > 0 && !usages.some((usage) => CLIENT_USAGES.has(usage)))
      return 'invalid_purpose';
    return this.#lists.length === 0 ? '' : this.#revocation(path, now);
  }

  /** How many intermediate certificates are between a client that OpenSSL has verified and an authority; -1: unknown. */
  depthOf(client: ClientCertificate): number {
    const path = this.#pathOf(client, false);
    return path === null ? -1 : Math.max(0, path.below.length - 1);
  }

  /** Whether a list has the certificate, or one of those that the client has sent with it. */
  revokes({ x509, issuers }: ClientCertificate): boolean {
    if (this.#lists.length === 0) return false;
    return [x509, ...issuers].some((one) => {
      const { issuer, serial } = namesInDer(one);
      return this.#lists.some((list) => list.issuer === issuer && list.serials.has(serial));
    });
  }

  /** `verify`: check signatures too. */
  #pathOf({ x509, issuers }: ClientCertificate, verify: boolean): Path | null {
    const issued = (by: X509Certificate, one: X509Certificate): boolean =>
      one.checkIssued(by) && (!verify || (by.ca && one.verify(by.publicKey)));
    const below: X509Certificate[] = [];
    for (let one = x509; below.length <= issuers.length; ) {
      if (this.#fingerprints.has(fingerprintOf(one))) return { below, authority: one };
      below.push(one);
      const current = one;
      const authority = this.#anchors.find((anchor) => issued(anchor, current));
      if (authority !== undefined) return { below, authority };
      const next = issuers.find((issuer) => issued(issuer, current));
      if (next === undefined) return null;
      one = next;
    }
    return null;
  }

  /** As OpenSSL, it wants a list of every authority that has issued a certificate of the path. */
  #revocation({ below, authority }: Path, now: number): string {
    for (const one of [...below, authority]) {
      const { issuer, serial } = namesInDer(one);
      const lists = this.#lists.filter((list) => list.issuer === issuer);
      if (lists.length === 0) return 'unable_to_get_crl';
      if (lists.some(({ serials }) => serials.has(serial))) return 'cert_revoked';
      if (lists.every(({ nextUpdate }) => nextUpdate < now)) return 'crl_has_expired';
    }
    return '';
  }
}

/** clientAuth, anyExtendedKeyUsage (RFC 5280 §4.2.1.12). */
const CLIENT_USAGES = new Set(['1.3.6.1.5.5.7.3.2', '2.5.29.37.0']);
