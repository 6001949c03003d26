/** The certificates of authorities that a peer's certificate must lead to, as text. Cold; types only. */

export interface CaBundle {
  /** The certificates in PEM. */
  readonly chain: string;
  /** Equal digests mean equal certificates in the same order. */
  readonly digest: string;
  readonly subjects: readonly string[];
}
