/**
 * Part of the Plan: the identity fields that a listener sends to backends, and the peers it trusts. Cold; types only.
 */

export interface IdentityPlan {
  /** The forms in which backends receive the client, the host and the protocol. */
  readonly send: 'both' | 'forwarded' | 'x_forwarded' | 'none';
  /** The forms that are accepted from a trusted proxy. */
  readonly believe: 'either' | 'forwarded' | 'x_forwarded';
  /** Send X-Forwarded-Port. */
  readonly port: boolean;
  /** Send X-Real-IP. */
  readonly realIp: boolean;
  /** Send Client-Cert, and Client-Cert-Chain. */
  readonly clientCert: 'none' | 'leaf' | 'chain';
  readonly via: 'both' | 'request' | 'response' | 'none';
  /** The treatment of identity fields from untrusted peers. */
  readonly untrusted: 'drop' | 'pass';
  readonly underscores: 'drop' | 'pass' | 'refuse';
}
