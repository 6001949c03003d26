/**
 * Splits a route's requests over several pools, by weight. Hot.
 *
 * With a key, the split computes a number for each pool from the key and the pool's name alone, and the best number for
 * its weight wins (weighted rendezvous hashing, Thaler and Ravishankar). A pool that gains weight takes keys from the
 * others, and no key moves between two pools whose weights stay the same.
 */
import type { Exchange } from '../http/exchange.ts';
import { mix, murmur3 } from '../kit/hash.ts';
import type { Random } from '../kit/random.ts';
import type { SplitPlan } from '../plan/types/traffic.ts';
import { HashKey } from '../upstream/hashing/key.ts';
import type { Pool } from '../upstream/pool.ts';

interface Named {
  readonly name: string;
}

interface Part<P> {
  readonly pool: P;
  /** More than 0. */
  readonly weight: number;
  readonly seed: number;
}

/** `P`: the pool itself, or its plan where nothing is sent. */
export class Split<P extends Named = Pool> {
  readonly #parts: readonly Part<P>[];
  readonly #sum: number;
  readonly #key: HashKey | null;
  readonly #random: Random;

  /** `pools`: those of the plan's parts, in the same order. */
  constructor(plan: SplitPlan, pools: readonly P[], random: Random) {
    this.#parts = plan.parts
      .map(({ weight }, i) => ({ pool: pools[i]!, weight, seed: murmur3(pools[i]!.name) }))
      .filter(({ weight }) => weight > 0);
    this.#sum = this.#parts.reduce((sum, { weight }) => sum + weight, 0);
    this.#key = plan.by === null ? null : new HashKey(plan.by);
    this.#random = random;
  }

  pick(x: Exchange): P {
    return this.#key === null ? this.#drawn() : this.#keyed(this.#key.of(x));
  }

  /** The pools that `pick` may return, and the probability of each. Cold. */
  chances(x: Exchange): { readonly pool: P; readonly chance: number }[] {
    if (this.#key !== null) return [{ pool: this.pick(x), chance: 1 }];
    return this.#parts.map(({ pool, weight }) => ({ pool, chance: weight / this.#sum }));
  }

  #drawn(): P {
    const parts = this.#parts;
    let left = this.#random() * this.#sum;
    let i = 0;
    while (i < parts.length - 1 && (left -= parts[i]!.weight) >= 0) i++;
    return parts[i]!.pool;
  }

  #keyed(key: number): P {
    const parts = this.#parts;
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < parts.length; i++) {
      const { seed, weight } = parts[i]!;
      // Evenly distributed between 0 and 1, both excluded: its logarithm is finite and not 0.
      const drawn = (mix(mix(key) ^ seed) + 0.5) / 2 ** 32;
      const time = -Math.log(drawn) / weight;
      if (time < least) {
        least = time;
        best = i;
      }
    }
    return parts[best]!.pool;
  }
}
