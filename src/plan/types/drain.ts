/** Part of the Plan: how the leases of an old generation end. Cold; types only. */

export type DrainAction = 'goodbye' | 'close' | 'finish';

/** Milliseconds. */
export interface DrainPlan {
  readonly deadline: number;
  readonly action: DrainAction;
  /** Before the deadline. */
  readonly spread: number;
}

/** The general rule, which also applies to a stop. */
export interface StopPlan extends DrainPlan {
  /** Milliseconds that a stop keeps accepting; null: the command decides. */
  readonly delay: number | null;
}

/** null: inherited from the more general rule. */
export type DrainOverridePlan = { readonly [K in keyof DrainPlan]: DrainPlan[K] | null };
