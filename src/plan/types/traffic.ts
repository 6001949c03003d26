/** Part of the Plan: where requests go besides to one pool. Cold. */
import type { HashKeyPlan, PoolPlan, RespondPlan } from '../types.ts';

export interface SplitPlan {
  readonly type: 'split';
  readonly parts: readonly SplitPartPlan[];
  /** What the same pool is kept for; null: chance decides each time. */
  readonly by: HashKeyPlan | null;
}

export interface SplitPartPlan {
  readonly pool: PoolPlan;
  readonly weight: number;
}

export interface MirrorPlan {
  readonly pool: PoolPlan;
  /** Percent of the requests. */
  readonly share: number;
  readonly concurrency: number;
  /** Bytes. */
  readonly bodySize: number;
}

/** A pool is named: each pool is in the plan's list, whoever falls back on it. */
export type FallbackPlan = { readonly type: 'pool'; readonly pool: string } | RespondPlan;
