/** Each endpoint in turn; one in slow start skips some of its turns. Hot. */
import type { Random } from '../../kit/random.ts';
import type { Candidate, Strategy } from './strategy.ts';

export class RoundRobin implements Strategy {
  readonly #candidates: readonly Candidate[];
  /** The part of a turn that each candidate has saved up by skipping. */
  readonly #saved: Float64Array;
  #next: number;

  constructor(candidates: readonly Candidate[], random: Random) {
    this.#candidates = candidates;
    this.#saved = new Float64Array(candidates.length);
    this.#next = Math.floor(random() * candidates.length);
  }

  pick(tier: number): number {
    const count = this.#candidates.length;
    let index = this.#next;
    let passed = -1;
    for (let tried = 0; tried < count; tried++) {
      if (index >= count) index = 0;
      const candidate = this.#candidates[index]!;
      if (candidate.weight > 0 && candidate.tier() === tier) {
        if (this.#takes(index, candidate)) {
          this.#next = index + 1;
          return index;
        }
        if (passed < 0) passed = index;
      }
      index++;
    }
    // All of them skipped: the first of them gets the turn.
    if (passed >= 0) this.#next = passed + 1;
    return passed;
  }

  /** A pick, undone afterwards. */
  peek(tier: number): number {
    const saved = this.#saved.slice();
    const next = this.#next;
    const index = this.pick(tier);
    this.#saved.set(saved);
    this.#next = next;
    return index;
  }

  #takes(index: number, { share, weight }: Candidate): boolean {
    if (share >= weight) return true;
    const saved = this.#saved[index]! + share / weight;
    this.#saved[index] = saved >= 1 ? saved - 1 : saved;
    return saved >= 1;
  }
}
