/** Previews a pool's choice without making it: for explain/ and the admin page. Cold. */
import { type LoadBalancerContext, type Candidate, DUE, HEALTHY, type Strategy } from './strategies/strategy.ts';

export interface PoolPreview {
  /**
   * `kept`: by its sticky cookie. `full`: the pool has reached its request limit. `none`: no endpoint is available.
   */
  readonly how: 'kept' | 'strategy' | 'full' | 'none';
  /** Index of the chosen endpoint; -1: none, or a random one of `possible`. */
  readonly index: number;
  /** Indexes of the endpoints that the strategy chooses among. */
  readonly possible: readonly number[];
}

/** Candidates of one priority. `from`: index of the first of them among all. */
export interface Level<C extends Candidate = Candidate> {
  readonly strategy: Strategy;
  readonly endpoints: readonly C[];
  readonly from: number;
}

/** The passes of EndpointSet.pick, with `peek` of the strategies in place of `pick`. `kept`: index by cookie, or -1. */
export function previewPool(
  levels: readonly Level[],
  kept: number,
  context: LoadBalancerContext,
  tiers: readonly number[] = [HEALTHY, DUE],
): PoolPreview {
  if (kept >= 0) return { how: 'kept', index: kept, possible: [kept] };
  for (const tier of tiers) {
    for (const { strategy, endpoints, from } of levels) {
      const of = [...endpoints.keys()].filter((i) => endpoints[i]!.weight > 0 && endpoints[i]!.tier() === tier);
      if (of.length === 0) continue;
      const index = of.length === 1 ? of[0]! : peek(strategy, tier, context);
      return { how: 'strategy', index: index < 0 ? -1 : from + index, possible: of.map((i) => from + i) };
    }
  }
  return { how: 'none', index: -1, possible: [] };
}

function peek(strategy: Strategy, tier: number, context: LoadBalancerContext): number {
  return strategy.peek?.(tier, context) ?? -1;
}
