/** Part of the Plan: certificates, and the TLS settings of a listener. Cold; types only. */
import type { CertificatePair } from '../../kit/certificate.ts';

export interface CertificatePlan extends CertificatePair {
  readonly name: string;
}

export interface ListenerTlsPlan {
  /** The names of the certificates, in the plan's `certificates`; the first is the default. */
  readonly certificates: readonly string[];
  readonly unknownName: 'default' | 'refuse';
  readonly minVersion: '1.2' | '1.3';
  /** In the form of OpenSSL: names with colons between them. */
  readonly ciphers: string;
  readonly groups: string;
}
