/**
 * A hash ring: every endpoint owns many points on a circle of 2^32 places, and a key belongs to the first point at or
 * after its own place. Cold to make, hot to query.
 *
 *     points   ascending                               ┐ sorted by counting: one bucket for each value of the
 *     owners   index of the candidate of each point    ┘ highest bits, which hold about one point each
 *     starts   where each bucket begins among the points: a lookup begins there instead of in the middle
 *
 * The points of an endpoint depend only on its name and weight, not on its place in the config.
 */
import { mix, murmur3 } from '../../kit/hash.ts';
import { Shared } from '../../kit/shared.ts';
import type { Candidate } from '../strategies/strategy.ts';

export class HashRing {
  readonly #points: Uint32Array;
  readonly #starts: Uint32Array;
  readonly #shift: number;
  /** Index of the owning candidate for each place. */
  readonly owners: Int32Array;

  /** `replicas`: number of points for a candidate of average weight. */
  constructor(candidates: readonly Candidate[], replicas: number) {
    const counts = pointsOf(candidates, replicas);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const bits = Math.min(24, Math.max(1, Math.ceil(Math.log2(total + 1))));
    this.#shift = 32 - bits;
    this.#points = new Uint32Array(total);
    this.owners = new Int32Array(total);
    this.#starts = new Uint32Array(2 ** bits + 1);
    this.#placePoints(candidates, counts);
    this.#order();
  }

  /** Puts every point into its bucket. */
  #placePoints(candidates: readonly Candidate[], counts: readonly number[]): void {
    const starts = this.#starts;
    const shift = this.#shift;
    // By name, so that the order in the config does not decide between two points at the same place.
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

  /** Sorts the few points within each bucket. */
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

  /** The place of a 32-bit hash, as an index of `owners`. */
  placeOf(hash: number): number {
    const points = this.#points;
    let at = this.#starts[hash >>> this.#shift]!;
    while (at < points.length && points[at]! < hash) at++;
    return at === points.length ? 0 : at;
  }
}

/** The number of points for each candidate: `replicas` at average weight, and at least one for any weight above 0. */
function pointsOf(candidates: readonly Candidate[], replicas: number): number[] {
  const weighty = candidates.filter(({ weight }) => weight > 0);
  const mean = weighty.reduce((sum, { weight }) => sum + weight, 0) / weighty.length;
  return candidates.map(({ weight }) => (weight === 0 ? 0 : Math.max(1, Math.round((replicas * weight) / mean))));
}

/** The candidates' indexes, sorted by name. */
export function byName(candidates: readonly Candidate[]): number[] {
  const order = candidates.map((_, i) => i);
  return order.toSorted((a, b) => (candidates[a]!.name < candidates[b]!.name ? -1 : 1));
}

/** A text that is equal for candidates that give the same ring or table. */
export function rosterOf(candidates: readonly Candidate[]): string {
  return candidates.map(({ name, weight }) => `${weight} ${name}`).join('\n');
}

const rings = new Shared<HashRing>();

/** The ring of these candidates: reloads that change none of them share it. */
export function ringOf(candidates: readonly Candidate[], replicas: number): HashRing {
  return rings.get(`${replicas}\n${rosterOf(candidates)}`, () => new HashRing(candidates, replicas));
}
