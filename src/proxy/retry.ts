/** Whether a failed attempt may be followed by another, and when. Hot, and rare. */
import type { Exchange } from '../http/exchange.ts';
import { type GatewayError, UPSTREAM_CLOSED, UPSTREAM_RESET } from '../kit/errors.ts';
import type { Random } from '../kit/random.ts';
import type { RetriesPlan } from '../plan/types.ts';

/** Methods whose request may be sent again without more effect than once (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

export function isIdempotent(x: Exchange): boolean {
  return IDEMPOTENT.has(x.method);
}

/**
 * Did a pooled connection break before anything came? Its server may just have been closing it (RFC 9112 §9.3.1), which is
 * nobody's failure.
 */
export function wasStale(error: GatewayError, reused: boolean): boolean {
  return reused && (error.code === UPSTREAM_CLOSED.code || error.code === UPSTREAM_RESET.code);
}

/**
 * Only if nothing of the request can have been acted upon, or acting on it twice does no harm. `attempts`: made so far.
 * `repeatable`: the request is idempotent, and its body, if it has one, can be sent again.
 */
export function mayRetry(
  error: GatewayError,
  plan: RetriesPlan,
  attempts: number,
  repeatable: boolean,
  stale: boolean,
): boolean {
  if (error.retry === null || (error.retry !== 'connect' && !repeatable)) return false;
  // One more for the server that was closing the connection: the request has not had its first attempt yet.
  if (stale && attempts === 1) return true;
  return attempts <= plan.attempts && plan.on.includes(error.retry);
}

/** After such a failure, may the same endpoint be asked again if there is no other? One that took too long or answered nonsense will do so again. */
export function mayRetryThere(failure: GatewayError | null): boolean {
  return failure === null || failure.retry === 'reset';
}

/** Milliseconds before the next attempt, when `attempts` have been made. The first further one follows at once. */
export function pauseBefore(attempts: number, { backoff }: RetriesPlan, random: Random): number {
  if (attempts < 2) return 0;
  return random() * Math.min(backoff.max, backoff.first * 2 ** (attempts - 2));
}
