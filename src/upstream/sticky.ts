/**
 * Sticky sessions: a cookie whose value stands for an endpoint keeps a client at it. Hot.
 *
 * The planner makes the values; here they are only looked up. A client with an unknown value counts as one without a
 * cookie.
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

  /** The index of the endpoint of the client's cookie, or -1. */
  find({ fields }: LoadBalancerContext): number {
    if (fields === null) return -1;
    const id = cookieOf(fields, this.#plan.cookie);
    return id === null ? -1 : (this.#indexes.get(id) ?? -1);
  }

  /** The Set-Cookie value for a client that endpoint `index` has served; null: the client has that cookie. */
  mark(context: LoadBalancerContext, index: number): string | null {
    if (this.find(context) === index) return null;
    const { cookie, attributes } = this.#plan;
    return `${cookie}=${this.#ids[index]!}${attributes}`;
  }
}
