/** The part of the Plan that says how what is left on an old generation ends. Cold; types only. */

export type DrainAction = 'goodbye' | 'close' | 'finish';

/** Milliseconds. */
export interface DrainPlan {
  readonly deadline: number;
  readonly action: DrainAction;
  /** Before the deadline. */
  readonly spread: number;
}

/** The general rule, which is that of a stop too. */
export interface StopPlan extends DrainPlan {
  /** Milliseconds that a stop goes on accepting; null: the command decides. */
  readonly delay: number | null;
}

/** null: as the more general rule has it. */
export type DrainOverridePlan = { readonly [K in keyof DrainPlan]: DrainPlan[K] | null };
