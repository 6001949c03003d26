/** Whether a failed attempt may be followed by another. Hot, and rare. */
import type { Exchange } from '../http/exchange.ts';
import type { GatewayError } from '../kit/errors.ts';

/** Methods whose request may be sent again if nothing came back (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
/** Endpoints tried for one request while none can be reached. */
const MOST_ATTEMPTS = 3;

/**
 * Only if nothing of the request can have been acted upon, or acting on it twice does no harm. `reused`: the attempt was
 * made on a connection that had served others, which its server may have been closing (RFC 9112 §9.3.1).
 */
export function mayRetry(error: GatewayError, x: Exchange, attempts: number, reused: boolean): boolean {
  if (attempts >= MOST_ATTEMPTS) return false;
  if (error.retry === 'always') return true;
  return error.retry === 'fresh' && reused && x.bodyLength === 0 && IDEMPOTENT.has(x.method);
}
