/**
 * Keeps clients with the endpoint that they had first, by a cookie whose value stands for that endpoint. Hot.
 *
 * The values are made when the config is planned: here they are only looked up, and whoever sends one that is none of
 * them is a client without a cookie.
 */
import { cookieOf } from '../http/cookies.ts';
import type { StickyPlan } from '../plan/types/sticky.ts';
import type { LoadBalancerContext } from './strategies/strategy.ts';

export class Sticky {
  readonly #plan: StickyPlan;
  readonly #ids: readonly string[];
  readonly #indexes: ReadonlyMap<string, number>;

  /** `ids`: the cookie's value for each endpoint. */
  constructor(plan: StickyPlan, ids: readonly string[]) {
    this.#plan = plan;
    this.#ids = ids;
    this.#indexes = new Map(ids.map((id, index) => [id, index]));
  }

  /** The index of the endpoint that the asker's cookie stands for, or -1. */
  find({ fields }: LoadBalancerContext): number {
    if (fields === null) return -1;
    const id = cookieOf(fields, this.#plan.cookie);
    return id === null ? -1 : (this.#indexes.get(id) ?? -1);
  }

  /** What to send as Set-Cookie to an asker that the endpoint `index` has answered; null: it has that cookie. */
  mark(context: LoadBalancerContext, index: number): string | null {
    if (this.find(context) === index) return null;
    const { cookie, attributes } = this.#plan;
    return `${cookie}=${this.#ids[index]!}${attributes}`;
  }
}
