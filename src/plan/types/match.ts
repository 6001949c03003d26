/** Part of the Plan: which requests a route matches. Cold; types only. */

export interface MatchPlan {
  /** Lower case; in `*.example.com` the star stands for one or more labels. null: any host. */
  readonly hosts: readonly string[] | null;
  readonly path: PathPlan | null;
  /** null: any method. */
  readonly methods: readonly string[] | null;
  readonly headers: readonly FieldMatchPlan[];
  readonly query: readonly FieldMatchPlan[];
}

export interface PathPlan {
  readonly kind: 'exact' | 'prefix' | 'regex';
  /** A prefix matches by whole segments and has no trailing slash, except "/" itself. */
  readonly value: string;
}

/** One condition on a header (name in lower case) or query parameter. */
export interface FieldMatchPlan {
  readonly name: string;
  readonly kind: 'exact' | 'regex' | 'present';
  /** The value or pattern; 'true' or 'false' for present. */
  readonly value: string;
}
