/** Part of the Plan: a response from the config. Cold; types only. */

export interface RespondPlan {
  readonly type: 'respond';
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}
