/** Whom a pool would choose, without choosing: for explain/ and the admin page. Cold. */
import { type Asker, type Candidate, DUE, HEALTHY, type Strategy } from './strategies/strategy.ts';

export interface Foresight {
  /** `kept`: by its sticky cookie. `full`: the pool has as many requests as it may. `nobody`: none may be asked now. */
  readonly how: 'kept' | 'strategy' | 'full' | 'nobody';
  /** Index of the one; -1: none, or it is left to chance which of the possible ones. */
  readonly index: number;
  /** Indexes of those that the strategy chooses among. */
  readonly possible: readonly number[];
}

/** The two passes of Pool.pick over a strategy that is only asked what it would do. `kept`: index by cookie, or -1. */
export function foresee(strategy: Strategy, candidates: readonly Candidate[], kept: number, asker: Asker): Foresight {
  if (kept >= 0) return { how: 'kept', index: kept, possible: [kept] };
  for (const tier of [HEALTHY, DUE]) {
    const possible = [...candidates.keys()].filter((i) => candidates[i]!.weight > 0 && candidates[i]!.tier() === tier);
    if (possible.length === 0) continue;
    return { how: 'strategy', index: possible.length === 1 ? possible[0]! : peek(strategy, tier, asker), possible };
  }
  return { how: 'nobody', index: -1, possible: [] };
}

function peek(strategy: Strategy, tier: number, asker: Asker): number {
  return strategy.peek?.(tier, asker) ?? -1;
}
