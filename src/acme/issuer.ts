/** What makes certificates: an authority with ACME, or the gateway's own. */
import type { X509Certificate } from 'node:crypto';
import type { RenewalInfo } from './client/account.ts';
import type { StoredCertificate } from './store.ts';
import type { KeyType } from './x509/keys.ts';

export interface IssueRequest {
  readonly names: readonly string[];
  readonly keyType: KeyType;
  /** The certificate of the same issuer that the new one replaces. */
  readonly previous: StoredCertificate | null;
  /** Attempts in a row that have failed before this one. */
  readonly failures: number;
  readonly stop: AbortSignal;
}

/** PEM texts. */
export interface IssuedPair {
  readonly cert: string;
  readonly key: string;
}

/** Its promises reject with an AcmeError. */
export interface Issuer {
  readonly name: string;
  /** Equal for issuers whose certificates are interchangeable, over restarts and gateways. */
  readonly identity: string;
  issue(request: IssueRequest): Promise<IssuedPair>;
  /** When the issuer wants a certificate to be renewed; null: it does not say. */
  advice(certificate: X509Certificate): Promise<RenewalInfo | null>;
  /** `reason`: of RFC 5280 §5.3.1. */
  revoke(certificate: X509Certificate, reason: number): Promise<void>;
}
