/** The part of the Plan that says how clients are kept with their endpoints. Cold; types only. */

/** Holds no secret: what was signed with it is here. */
export interface StickyPlan {
  readonly cookie: string;
  /** What follows the value in Set-Cookie. */
  readonly attributes: string;
  /** The cookie's value for each of the pool's endpoints whose address is in the config, in their order. */
  readonly ids: readonly string[];
  /** With what those of others are made: derived from the secret, and good for nothing else; '' if there is none. */
  readonly addressKey: string;
}
