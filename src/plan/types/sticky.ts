/** Part of the Plan: how clients stay with their endpoints. Cold; types only. */

/** Contains no secret: the identifiers signed with it are precomputed. */
export interface StickyPlan {
  readonly cookie: string;
  /** The text after the value in Set-Cookie. */
  readonly attributes: string;
  /** The cookie's value for each of the pool's endpoints whose address is in the config, in their order. */
  readonly ids: readonly string[];
  /**
   * The key for the identifiers of all other endpoints: derived from the secret, and useless for anything else; '' if
   * there is no secret.
   */
  readonly addressKey: string;
}
