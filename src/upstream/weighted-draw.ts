/**
 * Draws candidates with probabilities by weight, each draw at the same small cost: an alias table (Walker 1974, Vose
 * 1991). Cold to make, hot to query.
 *
 * Every candidate has a column of the same size: the lower part is its own, as much as its weight fills, and the upper
 * part belongs to another candidate with weight to spare. A draw is a column and a height.
 */
import type { Random } from '../kit/random.ts';
import type { Candidate } from './strategies/strategy.ts';

export class WeightedDraw {
  readonly #random: Random;
  /** The height of the column's own part, from 0 to 1. */
  readonly #own: Float64Array;
  /** The owner of the upper part. */
  readonly #other: Int32Array;
  readonly #empty: boolean;

  constructor(candidates: readonly Candidate[], random: Random) {
    const count = candidates.length;
    const sum = candidates.reduce((all, { weight }) => all + weight, 0);
    this.#random = random;
    this.#own = new Float64Array(count).fill(1);
    this.#other = Int32Array.from(candidates, (_, i) => i);
    this.#empty = sum === 0;
    if (this.#empty) return;
    const left = Float64Array.from(candidates, ({ weight }) => (weight * count) / sum);
    const small: number[] = [];
    const large: number[] = [];
    left.forEach((part, i) => (part < 1 ? small : large).push(i));
    while (small.length > 0 && large.length > 0) {
      const short = small.pop()!;
      const long = large.at(-1)!;
      this.#own[short] = left[short]!;
      this.#other[short] = long;
      left[long]! -= 1 - left[short]!;
      if (left[long]! < 1) small.push(large.pop()!);
    }
    // Columns left over by rounding are full; a candidate without weight must not keep even that.
    const heaviest = candidates.reduce((best, { weight }, i) => (weight > candidates[best]!.weight ? i : best), 0);
    for (const i of small) {
      if (candidates[i]!.weight > 0) continue;
      this.#own[i] = 0;
      this.#other[i] = heaviest;
    }
  }

  /** An index, or -1: no candidate has weight. */
  next(): number {
    if (this.#empty) return -1;
    const drawn = this.#random() * this.#own.length;
    const column = Math.floor(drawn);
    return drawn - column < this.#own[column]! ? column : this.#other[column]!;
  }
}
