/** What a request is told by, as a number that is always the same for it. Cold to make, hot to ask. */
import { murmur3 } from '../../kit/hash.ts';
import { cookieOf } from '../../http/cookies.ts';
import type { HashKeyPlan } from '../../plan/types.ts';
import type { LoadBalancerContext } from '../strategies/strategy.ts';

export const CLIENT: HashKeyPlan = { source: 'client', name: '' };

export class HashKey {
  readonly #plan: HashKeyPlan;

  constructor(plan: HashKeyPlan) {
    this.#plan = plan;
  }

  /** 32 bits, unsigned. Who lacks the key, or has it empty, is told by the client's address. */
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
