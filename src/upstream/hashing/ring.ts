/**
 * A hash ring: every endpoint owns many points on a circle of 2^32 places, and a key belongs to the first point from its
 * own place on. Cold to make, hot to ask.
 *
 *     points   ascending                               ┐ sorted by counting: one bucket for each value of the
 *     owners   index of the candidate of each point    ┘ highest bits, which hold about one point each
 *     starts   where each bucket begins among the points: a lookup begins there instead of in the middle
 *
 * What an endpoint owns depends on its name and weight alone, not on its place in the config.
 */
import { mix, murmur3 } from '../../kit/hash.ts';
import { Shared } from '../../kit/shared.ts';
import type { Candidate } from '../strategies/strategy.ts';

export class HashRing {
  readonly #points: Uint32Array;
  readonly #starts: Uint32Array;
  readonly #shift: number;
  /** Index of the candidate that owns each place. */
  readonly owners: Int32Array;

  /** `replicas`: points of a candidate of average weight. */
  constructor(candidates: readonly Candidate[], replicas: number) {
    const counts = pointsOf(candidates, replicas);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const bits = Math.min(24, Math.max(1, Math.ceil(Math.log2(total + 1))));
    this.#shift = 32 - bits;
    this.#points = new Uint32Array(total);
    this.owners = new Int32Array(total);
    this.#starts = new Uint32Array(2 ** bits + 1);
    this.#fill(candidates, counts);
    this.#order();
  }

  /** Puts every point into its bucket. */
  #fill(candidates: readonly Candidate[], counts: readonly number[]): void {
    const starts = this.#starts;
    const shift = this.#shift;
    // By name, so that whose point comes first where two coincide does not depend on the order in the config either.
    const owners = byName(candidates);
    const unordered = new Uint32Array(this.#points.length);
    let made = 0;
    for (const owner of owners) {
      const { name } = candidates[owner]!;
      const step = murmur3(name, 1) | 1;
      for (let i = 0, seed = murmur3(name); i < counts[owner]!; i++, seed = (seed + step) | 0) {
        const point = mix(seed);
        unordered[made++] = point;
        starts[(point >>> shift) + 1]!++;
      }
    }
    for (let i = 1; i < starts.length; i++) starts[i]! += starts[i - 1]!;
    const next = starts.slice();
    made = 0;
    for (const owner of owners) {
      for (let i = 0; i < counts[owner]!; i++) {
        const point = unordered[made++]!;
        const at = next[point >>> shift]!++;
        this.#points[at] = point;
        this.owners[at] = owner;
      }
    }
  }

  /** Orders the few points within each bucket. */
  #order(): void {
    const points = this.#points;
    const { owners } = this;
    for (let i = 1; i < points.length; i++) {
      const point = points[i]!;
      const owner = owners[i]!;
      let at = i;
      for (; at > 0 && points[at - 1]! > point; at--) {
        points[at] = points[at - 1]!;
        owners[at] = owners[at - 1]!;
      }
      points[at] = point;
      owners[at] = owner;
    }
  }

  /** The place, as an index of `owners`, that a hash of 32 bits belongs to. */
  placeOf(hash: number): number {
    const points = this.#points;
    let at = this.#starts[hash >>> this.#shift]!;
    while (at < points.length && points[at]! < hash) at++;
    return at === points.length ? 0 : at;
  }
}

/** Points for each candidate: those of average weight have `replicas`, and whoever has weight has one at least. */
function pointsOf(candidates: readonly Candidate[], replicas: number): number[] {
  const weighty = candidates.filter(({ weight }) => weight > 0);
  const mean = weighty.reduce((sum, { weight }) => sum + weight, 0) / weighty.length;
  return candidates.map(({ weight }) => (weight === 0 ? 0 : Math.max(1, Math.round((replicas * weight) / mean))));
}

/** The candidates' indexes in the order of their names. */
export function byName(candidates: readonly Candidate[]): number[] {
  const order = candidates.map((_, i) => i);
  return order.toSorted((a, b) => (candidates[a]!.name < candidates[b]!.name ? -1 : 1));
}

/** A text that is the same for candidates that a ring or table can't tell apart. */
export function rosterOf(candidates: readonly Candidate[]): string {
  return candidates.map(({ name, weight }) => `${weight} ${name}`).join('\n');
}

const rings = new Shared<HashRing>();

/** The ring of these candidates: reloads that change none of them share it. */
export function ringOf(candidates: readonly Candidate[], replicas: number): HashRing {
  return rings.get(`${replicas}\n${rosterOf(candidates)}`, () => new HashRing(candidates, replicas));
}
