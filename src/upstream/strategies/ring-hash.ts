/**
 * The same endpoint for the same key, by a hash ring (Karger et al. 1997). Hot.
 *
 * A change of the endpoints moves only the keys of those that come or go. An unavailable endpoint loses its keys to its
 * successors on the ring, which are many, as its points lie between those of all others.
 */
import type { HashKeyPlan } from '../../plan/types/pool.ts';
import { HashKey } from '../hashing/key.ts';
import { type HashRing, ringOf } from '../hashing/ring.ts';
import { walk } from '../hashing/walk.ts';
import type { LoadBalancerContext, Candidate, Strategy } from './strategy.ts';

export class RingHash implements Strategy {
  readonly #candidates: readonly Candidate[];
  readonly #key: HashKey;
  readonly #ring: HashRing;

  constructor(candidates: readonly Candidate[], key: HashKeyPlan, replicas: number) {
    this.#candidates = candidates;
    this.#key = new HashKey(key);
    this.#ring = ringOf(candidates, replicas);
  }

  pick(tier: number, context: LoadBalancerContext): number {
    const ring = this.#ring;
    return walk(ring.owners, ring.placeOf(this.#key.of(context)), this.#candidates, tier);
  }

  /** A pick has no side effect. */
  peek(tier: number, context: LoadBalancerContext): number {
    return this.pick(tier, context);
  }
}
