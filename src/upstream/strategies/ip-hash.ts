/**
 * The same endpoint for the same client address, with the consistency of a hash ring. Hot.
 *
 * With `hash(address) % endpoints`, one endpoint less would move nearly every client.
 */
import { CLIENT, HashKey } from '../hashing/key.ts';
import { type HashRing, ringOf } from '../hashing/ring.ts';
import { walk } from '../hashing/walk.ts';
import type { LoadBalancerContext, Candidate, Strategy } from './strategy.ts';

const REPLICAS = 512;

export class IpHash implements Strategy {
  readonly #candidates: readonly Candidate[];
  readonly #key = new HashKey(CLIENT);
  readonly #ring: HashRing;

  constructor(candidates: readonly Candidate[]) {
    this.#candidates = candidates;
    this.#ring = ringOf(candidates, REPLICAS);
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
