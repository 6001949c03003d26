/**
 * Power of two choices: draws two candidates by weight, and picks the one with the lower cost (Mitzenmacher 1996; with
 * the average latency, as in Finagle and Linkerd). Hot.
 *
 * The cost is `(in progress + 1) × average latency / share`. Each gateway draws differently, so they do not all send to
 * the endpoint that was the least loaded a moment ago.
 */
import type { Random } from '../../kit/random.ts';
import { WeightedDraw } from '../weighted-draw.ts';
import type { Candidate, Strategy } from './strategy.ts';

/** Draws for each of the two before a full scan. */
const DRAWS = 16;

/**
 * One pick in so many takes the first of the two: otherwise an endpoint that was slow once would never be measured
 * again.
 */
const EXPLORE = 32;

export class P2c implements Strategy {
  readonly #candidates: readonly Candidate[];
  readonly #random: Random;
  readonly #draw: WeightedDraw;
  readonly #found: Int32Array;
  #picks = 0;
  /** The lowest latency known; searched again once in as many picks as there are candidates. */
  #least = Infinity;
  #leastFor = 0;

  constructor(candidates: readonly Candidate[], random: Random) {
    this.#candidates = candidates;
    this.#random = random;
    this.#draw = new WeightedDraw(candidates, random);
    this.#found = new Int32Array(candidates.length);
  }

  pick(tier: number): number {
    let first = this.#drawn(tier, -1);
    let second = first < 0 ? -1 : this.#drawn(tier, first);
    if (second < 0) {
      const found = this.#find(tier);
      if (found < 2) return found === 0 ? -1 : this.#found[0]!;
      const place = Math.floor(this.#random() * found);
      const step = 1 + Math.floor(this.#random() * (found - 1));
      first = this.#found[place]!;
      second = this.#found[(place + step) % found]!;
    }
    if (++this.#picks % EXPLORE === 0) return first;
    if (--this.#leastFor < 0) this.#learn();
    this.#note(first);
    this.#note(second);
    return this.#cost(second) < this.#cost(first) ? second : first;
  }

  /** A candidate of that tier other than `not`; -1: no draw found one. */
  #drawn(tier: number, not: number): number {
    for (let i = 0; i < DRAWS; i++) {
      const index = this.#draw.next();
      if (index < 0) return -1;
      if (index !== not && this.#candidates[index]!.tier() === tier) return index;
    }
    return -1;
  }

  /** Collects all available candidates; returns their number. */
  #find(tier: number): number {
    let found = 0;
    for (let i = 0; i < this.#candidates.length; i++) {
      const candidate = this.#candidates[i]!;
      if (candidate.weight > 0 && candidate.tier() === tier) this.#found[found++] = i;
    }
    return found;
  }

  /** A candidate of unknown latency counts as fast as the fastest, so that it gets measured. */
  #cost(index: number): number {
    const { active, latency, share } = this.#candidates[index]!;
    const expected = latency > 0 ? latency : this.#least;
    return ((active + 1) * (expected === Infinity ? 1 : expected)) / share;
  }

  #learn(): void {
    this.#leastFor = this.#candidates.length;
    this.#least = Infinity;
    for (let i = 0; i < this.#candidates.length; i++) this.#note(i);
  }

  #note(index: number): void {
    const { latency } = this.#candidates[index]!;
    if (latency > 0 && latency < this.#least) this.#least = latency;
  }
}
