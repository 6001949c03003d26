/** An X.509 certificate chain with its private key, as text and as what the gateway needs to know of it. Cold. */

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
