/** Each endpoint in turn. Hot. */
import type { Candidate, Strategy } from './strategy.ts';

export class RoundRobin implements Strategy {
  readonly #candidates: readonly Candidate[];
  #next = 0;

  constructor(candidates: readonly Candidate[]) {
    this.#candidates = candidates;
  }

  pick(tier: number): number {
    const count = this.#candidates.length;
    let index = this.#next;
    for (let tried = 0; tried < count; tried++) {
      if (index >= count) index = 0;
      const candidate = this.#candidates[index]!;
      if (candidate.weight > 0 && candidate.tier() === tier) {
        this.#next = index + 1;
        return index;
      }
      index++;
    }
    return -1;
  }
}
