/** A random endpoint, by share; draws again if the endpoint is unavailable. Hot. */
import type { Random as RandomSource } from '../../kit/random.ts';
import { WeightedDraw } from '../weighted-draw.ts';
import type { Candidate, Strategy } from './strategy.ts';

/** Draws before a full scan: while a quarter is available, fewer than one pick in a hundred needs the scan. */
const DRAWS = 16;

export class Random implements Strategy {
  readonly #candidates: readonly Candidate[];
  readonly #random: RandomSource;
  readonly #draw: WeightedDraw;

  constructor(candidates: readonly Candidate[], random: RandomSource) {
    this.#candidates = candidates;
    this.#random = random;
    this.#draw = new WeightedDraw(candidates, random);
  }

  pick(tier: number): number {
    for (let i = 0; i < DRAWS; i++) {
      const index = this.#draw.next();
      if (index < 0) return -1;
      const candidate = this.#candidates[index]!;
      if (candidate.tier() !== tier) continue;
      const { weight, share } = candidate;
      if (share >= weight || this.#random() * weight < share) return index;
    }
    return this.#scan(tier);
  }

  /** With the same probabilities, independent of the draws before. */
  #scan(tier: number): number {
    let sum = 0;
    for (const candidate of this.#candidates)
      if (candidate.weight > 0 && candidate.tier() === tier) sum += candidate.share;
    let left = this.#random() * sum;
    let last = -1;
    for (let i = 0; i < this.#candidates.length; i++) {
      const candidate = this.#candidates[i]!;
      if (candidate.weight === 0 || candidate.tier() !== tier) continue;
      last = i;
      left -= candidate.share;
      if (left < 0) break;
    }
    return last;
  }
}
