/** What a route says over its listener and its pools, ready to run. Cold to make, hot to read. */
import type { ClientOverrides } from '../http/server-stream.ts';
import { limitOf } from '../net/deadlines.ts';
import type { ListenerPlan } from '../plan/types.ts';
import type { OverridesPlan } from '../plan/types/overrides.ts';
import type { Pool } from '../upstream/pool.ts';
import { type Terms, termsOf } from '../upstream/terms.ts';

export class RouteOverrides {
  /** null: towards clients it is as its listener says. */
  readonly client: ClientOverrides | null;
  readonly #plan: OverridesPlan;
  /** One for each pool that it has sent to: its own, and what they fall back on. */
  readonly #terms: { readonly pool: Pool; readonly terms: Terms }[] = [];

  private constructor(plan: OverridesPlan) {
    const { timeouts, limits } = plan;
    const limit = (ms: number | undefined): number | null => (ms === undefined ? null : limitOf(ms));
    const client = { body: limit(timeouts?.body), send: limit(timeouts?.send), bodySize: limits?.bodySize ?? null };
    this.client = client.body === null && client.send === null && client.bodySize === null ? null : client;
    this.#plan = plan;
  }

  /** null: it says nothing. */
  static of(plan: OverridesPlan): RouteOverrides | null {
    return plan.timeouts === null && plan.limits === null && plan.retries === null ? null : new RouteOverrides(plan);
  }

  /** How an exchange of this route is tried at that pool. */
  termsAt(pool: Pool): Terms {
    for (const one of this.#terms) if (one.pool === pool) return one.terms;
    const { timeouts, retries } = this.#plan;
    const { on } = pool.plan.retries;
    // As at a pool: who bounds an attempt wants another to follow.
    const bounded = (retries?.perTryTimeout ?? 0) > 0 && !on.includes('timeout');
    const merged = { ...pool.plan.retries, on: bounded ? [...on, 'timeout' as const] : on, ...retries };
    const terms = termsOf({ ...pool.plan.timeouts, ...timeouts }, merged);
    this.#terms.push({ pool, terms });
    return terms;
  }
}

/** How an exchange is tried at that pool. `overrides`: of its route. */
export function termsAt(pool: Pool, overrides: RouteOverrides | null): Terms {
  return overrides === null ? pool.terms : overrides.termsAt(pool);
}

/** What a head may announce before it is known which route takes the request; 0: any size. */
export function largestBody({ limits, routes }: ListenerPlan): number {
  let largest = limits.bodySize;
  for (const { limits: own } of routes) {
    if (largest === 0) return 0;
    if (own?.bodySize !== undefined) largest = own.bodySize === 0 ? 0 : Math.max(largest, own.bodySize);
  }
  return largest;
}
