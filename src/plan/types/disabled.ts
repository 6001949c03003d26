/** Part of the Plan: what its config switches off (`enabled: false`). Cold. */
import type { MatchPlan } from '../types.ts';

/** Each thing here is in no other part of the Plan, so that traffic never meets it. In the order of the config. */
export interface DisabledPlan {
  readonly listeners: readonly string[];
  readonly routes: readonly DisabledRoute[];
  readonly policies: readonly DisabledPolicy[];
  readonly endpoints: readonly DisabledEndpoint[];
}

export interface DisabledRoute {
  readonly name: string;
  readonly listeners: readonly string[] | null;
  readonly match: MatchPlan;
  /** How many of the plan's routes stand before it. */
  readonly at: number;
}

export interface DisabledPolicy {
  readonly route: string;
  readonly type: string;
  /** How many of the route's policies stand before it. */
  readonly at: number;
}

export interface DisabledEndpoint {
  readonly pool: string;
  /** Or the name that stands for its addresses. */
  readonly address: string;
}
