/** The part of the Plan that says what a listener tells backends of a request, and whom it believes. Cold; types only. */

export interface IdentityPlan {
  /** Forms in which backends are told who asks, for which host and over what. */
  readonly send: 'both' | 'forwarded' | 'x_forwarded' | 'none';
  /** Of which form the word of a trusted proxy is taken. */
  readonly believe: 'either' | 'forwarded' | 'x_forwarded';
  /** Send X-Forwarded-Port. */
  readonly port: boolean;
  /** Send X-Real-IP. */
  readonly realIp: boolean;
  readonly via: 'both' | 'request' | 'response' | 'none';
  /** What becomes of identity fields of peers that are not trusted. */
  readonly untrusted: 'drop' | 'pass';
  readonly underscores: 'drop' | 'pass' | 'refuse';
}
