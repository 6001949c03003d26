/**
 * The hash key of a request: a stable number for the same client, path, header or cookie. Cold to make, hot to compute.
 */
import { murmur3 } from '../../kit/hash.ts';
import { cookieOf } from '../../http/cookies.ts';
import type { HashKeyPlan } from '../../plan/types/pool.ts';
import type { LoadBalancerContext } from '../strategies/strategy.ts';

export const CLIENT: HashKeyPlan = { source: 'client', name: '' };

export class HashKey {
  readonly #plan: HashKeyPlan;

  constructor(plan: HashKeyPlan) {
    this.#plan = plan;
  }

  /** 32 bits, unsigned. If the key is absent or empty, the client's address is used. */
  of(context: LoadBalancerContext): number {
    const text = this.#textOf(context);
    return murmur3(text === null || text === undefined || text === '' ? context.clientAddress : text);
  }

  #textOf({ clientAddress, path, fields }: LoadBalancerContext): string | null | undefined {
    const { source, name } = this.#plan;
    if (source === 'client') return clientAddress;
    if (source === 'path') return path;
    if (fields === null) return null;
    return source === 'header' ? fields.get(name) : cookieOf(fields, name);
  }
}
