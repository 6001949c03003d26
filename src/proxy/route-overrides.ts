/** The settings of a route that override its listener's and its pools', ready to run. Cold to make, hot to read. */
import type { Exchange } from '../http/exchange.ts';
import type { ClientOverrides, HttpLimits, ServerStream } from '../http/server-stream.ts';
import { limitOf } from '../net/deadlines.ts';
import type { OverridesPlan } from '../plan/types/overrides.ts';
import type { Pool } from '../upstream/pool.ts';
import { type Terms, termsOf } from '../upstream/terms.ts';

export class RouteOverrides {
  /** null: the listener's settings apply downstream. */
  readonly client: ClientOverrides | null;
  readonly #plan: OverridesPlan;
  /** One for each pool that the route has sent to: its own pools, and their fallbacks. */
  readonly #terms: { readonly pool: Pool; readonly terms: Terms }[] = [];

  private constructor(plan: OverridesPlan) {
    const { timeouts, limits } = plan;
    const limit = (ms: number | undefined): number | null => (ms === undefined ? null : limitOf(ms));
    const client = { body: limit(timeouts?.body), send: limit(timeouts?.send), bodySize: limits?.bodySize ?? null };
    this.client = client.body === null && client.send === null && client.bodySize === null ? null : client;
    this.#plan = plan;
  }

  /** null: the route overrides nothing. */
  static of(plan: OverridesPlan): RouteOverrides | null {
    return plan.timeouts === null && plan.limits === null && plan.retries === null ? null : new RouteOverrides(plan);
  }

  /** The terms of this route's exchanges at that pool. */
  termsAt(pool: Pool): Terms {
    for (const one of this.#terms) if (one.pool === pool) return one.terms;
    const { timeouts, retries } = this.#plan;
    const { on } = pool.plan.retries;
    // As for a pool: a per-try timeout implies a retry on timeout.
    const bounded = (retries?.perTryTimeout ?? 0) > 0 && !on.includes('timeout');
    const merged = { ...pool.plan.retries, on: bounded ? [...on, 'timeout' as const] : on, ...retries };
    const terms = termsOf({ ...pool.plan.timeouts, ...timeouts }, merged);
    this.#terms.push({ pool, terms });
    return terms;
  }
}

/** The terms of an exchange at that pool. `overrides`: its route's. */
export function termsAt(pool: Pool, overrides: RouteOverrides | null): Terms {
  return overrides === null ? pool.terms : overrides.termsAt(pool);
}

/** Puts the route's limits in place of the listener's. Returns whether the body that the request announces is within them. */
export function limitClient(
  x: Exchange,
  stream: ServerStream,
  limits: HttpLimits,
  overrides: RouteOverrides | null,
): boolean {
  const client = overrides === null ? null : overrides.client;
  if (client !== null) stream.override(client);
  const most = client?.bodySize ?? limits.bodySize;
  return most === 0 || x.bodyLength <= most;
}
