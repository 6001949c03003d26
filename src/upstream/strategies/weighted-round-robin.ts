/**
 * Each endpoint as often as its weight says, spread evenly (the smooth algorithm that nginx made known). Hot.
 *
 * Every turn each candidate's credit grows by its weight; the one with most credit is taken and pays the sum of all.
 */
import type { Candidate, Strategy } from './strategy.ts';

export class WeightedRoundRobin implements Strategy {
  readonly #candidates: readonly Candidate[];
  readonly #credit: Float64Array;

  constructor(candidates: readonly Candidate[]) {
    this.#candidates = candidates;
    this.#credit = new Float64Array(candidates.length);
  }

  pick(tier: number): number {
    const credit = this.#credit;
    let best = -1;
    let sum = 0;
    for (let i = 0; i < credit.length; i++) {
      const candidate = this.#candidates[i]!;
      if (candidate.weight === 0 || candidate.tier() !== tier) continue;
      sum += candidate.weight;
      credit[i]! += candidate.weight;
      if (best < 0 || credit[i]! > credit[best]!) best = i;
    }
    if (best >= 0) credit[best]! -= sum;
    return best;
  }
}
