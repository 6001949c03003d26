/** The part of the Plan that says how what is left on an old generation ends. Cold; types only. */

export type DrainAction = 'goodbye' | 'close' | 'finish';

/** Milliseconds. */
export interface DrainPlan {
  readonly deadline: number;
  readonly action: DrainAction;
  /** Before the deadline. */
  readonly spread: number;
}

/** null: as the more general rule has it. */
export type DrainOverridePlan = { readonly [K in keyof DrainPlan]: DrainPlan[K] | null };
