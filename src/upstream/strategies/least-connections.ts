/** The endpoint with least under way for its weight; among equals each in turn. Hot. */
import type { Candidate, Strategy } from './strategy.ts';

export class LeastConnections implements Strategy {
  readonly #candidates: readonly Candidate[];
  #from = 0;

  constructor(candidates: readonly Candidate[]) {
    this.#candidates = candidates;
  }

  pick(tier: number): number {
    const candidates = this.#candidates;
    const count = candidates.length;
    let best = -1;
    let bestLoad = 0;
    for (let step = 0; step < count; step++) {
      const index = (this.#from + step) % count;
      const { weight, active } = candidates[index]!;
      if (weight === 0) continue;
      const load = active / weight;
      if (best >= 0 && load >= bestLoad) continue;
      if (candidates[index]!.tier() !== tier) continue;
      best = index;
      bestLoad = load;
    }
    if (best >= 0) this.#from = best + 1;
    return best;
  }
}
