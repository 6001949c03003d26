/** The plan of a cors policy. */

export interface CorsPolicyPlan {
  readonly type: 'cors';
  /** The only entry is `*`, or: exact origins in the form that browsers send, and `null`. */
  readonly origins: readonly string[];
  /** Regular expressions, anchored at both ends, for the origins that wildcards and patterns allow. */
  readonly patterns: readonly string[];
  /** null: any. */
  readonly methods: readonly string[] | null;
  /** null: any. */
  readonly headers: readonly string[] | null;
  readonly exposeHeaders: readonly string[];
  readonly credentials: boolean;
  /** In ms, whole seconds; null: the browser decides. */
  readonly maxAge: number | null;
  readonly privateNetwork: boolean;
}
