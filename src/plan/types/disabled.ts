/** Part of the Plan: the parts that its config disables (`enabled: false`). Cold. */
import type { MatchPlan } from './match.ts';

/** No other part of the Plan contains these, so traffic never reaches them. In the order of the config. */
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
  /** The number of the plan's routes before it. */
  readonly at: number;
}

export interface DisabledPolicy {
  readonly kind: 'listener' | 'route';
  /** The name of the listener or the route. */
  readonly name: string;
  readonly type: string;
  /** The number of its policies before this one. */
  readonly at: number;
}

export interface DisabledEndpoint {
  readonly pool: string;
  /** The address, or the DNS name of its addresses. */
  readonly address: string;
}
