/** Any endpoint, as likely as its weight says. Hot. */
import type { Random as RandomSource } from '../../kit/random.ts';
import type { Candidate, Strategy } from './strategy.ts';

export class Random implements Strategy {
  readonly #candidates: readonly Candidate[];
  readonly #random: RandomSource;

  constructor(candidates: readonly Candidate[], random: RandomSource) {
    this.#candidates = candidates;
    this.#random = random;
  }

  pick(tier: number): number {
    let sum = 0;
    for (const candidate of this.#candidates) if (candidate.tier() === tier) sum += candidate.weight;
    if (sum === 0) return -1;
    let left = this.#random() * sum;
    let last = -1;
    for (let i = 0; i < this.#candidates.length; i++) {
      const candidate = this.#candidates[i]!;
      if (candidate.weight === 0 || candidate.tier() !== tier) continue;
      last = i;
      left -= candidate.weight;
      if (left < 0) break;
    }
    return last;
  }
}
