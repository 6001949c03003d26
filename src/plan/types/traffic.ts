/** Part of the Plan: destinations of requests beyond a single pool. Cold. */
import type { HashKeyPlan, PoolPlan } from './pool.ts';
import type { RespondPlan } from './respond.ts';

export interface SplitPlan {
  readonly type: 'split';
  readonly parts: readonly SplitPartPlan[];
  /** The key that keeps a request's pool stable; null: each choice is random. */
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

/** Refers to a pool by name: each pool is in the plan's list, even if only fallbacks use it. */
export type FallbackPlan = { readonly type: 'pool'; readonly pool: string } | RespondPlan;
