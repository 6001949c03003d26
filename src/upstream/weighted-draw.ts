/**
 * Draws candidates as likely as their weights say, each draw at the same small cost: an alias table (Walker 1974, Vose
 * 1991). Cold to make, hot to ask.
 *
 * Every candidate has a column of the same size: its own part, as much as its weight fills, and above it that of another
 * with weight to spare. A draw is a column and a height.
 */
import type { Random } from '../kit/random.ts';
import type { Candidate } from './strategies/strategy.ts';

export class WeightedDraw {
  readonly #random: Random;
  /** How far the column's own part goes, from 0 to 1. */
  readonly #own: Float64Array;
  /** Whose the rest of the column is. */
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
    // What rounding has left over is full but for nothing; whoever has no weight may not get even that.
    const heaviest = candidates.reduce((best, { weight }, i) => (weight > candidates[best]!.weight ? i : best), 0);
    for (const i of small) {
      if (candidates[i]!.weight > 0) continue;
      this.#own[i] = 0;
      this.#other[i] = heaviest;
    }
  }

  /** An index, or -1: none has weight. */
  next(): number {
    if (this.#empty) return -1;
    const drawn = this.#random() * this.#own.length;
    const column = Math.floor(drawn);
    return drawn - column < this.#own[column]! ? column : this.#other[column]!;
  }
}
