/** Whether a failed attempt may be retried, and when. Hot, and rare. */
import type { Exchange } from '../http/exchange.ts';
import { type GatewayError, UPSTREAM_CLOSED, UPSTREAM_RESET } from '../kit/errors.ts';
import type { Random } from '../kit/random.ts';
import type { RetriesPlan } from '../plan/types/pool.ts';

/** Idempotent methods: a repeated request has the same effect as one (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

export function isIdempotent(x: Exchange): boolean {
  return IDEMPOTENT.has(x.method);
}

/** May the request be sent again after a server has received it, as far as its method says? */
export function mayRepeat(x: Exchange, { nonIdempotent }: RetriesPlan): boolean {
  return nonIdempotent || isIdempotent(x);
}

/**
 * Did a pooled connection break before any response? Its server may have been closing it at that moment (RFC 9112
 * §9.3.1), which does not count as a failure.
 */
export function wasStale(error: GatewayError, reused: boolean): boolean {
  return reused && (error.code === UPSTREAM_CLOSED.code || error.code === UPSTREAM_RESET.code);
}

/**
 * True only if no server can have processed the request, or processing it twice does no harm. `attempts`: made so far.
 * `repeatable`: its method (`mayRepeat`) permits it, and its body, if any, can be replayed.
 */
export function mayRetry(
  error: GatewayError,
  plan: RetriesPlan,
  attempts: number,
  repeatable: boolean,
  stale: boolean,
): boolean {
  if (error.retry === null || (error.retry !== 'connect' && !repeatable)) return false;
  // A stale connection allows one extra attempt: the request has not really had its first one.
  if (stale && attempts === 1) return true;
  return attempts <= plan.attempts && plan.on.includes(error.retry);
}

/**
 * May the same endpoint be tried again after this failure, if there is no other? An endpoint that timed out or sent an
 * invalid response would do so again.
 */
export function mayRetryThere(failure: GatewayError | null): boolean {
  return failure === null || failure.retry === 'reset';
}

/** Milliseconds before the next attempt, when `attempts` have been made. The first retry follows at once. */
export function pauseBefore(attempts: number, { backoff }: RetriesPlan, random: Random): number {
  if (attempts < 2) return 0;
  return random() * Math.min(backoff.max, backoff.first * 2 ** (attempts - 2));
}
