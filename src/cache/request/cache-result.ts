/** What the cache says of an exchange in the access log and the explain field. Hot. */
import type { Exchange } from '../../http/exchange.ts';

/** The result of a request's cache lookup. */
export type CacheResult =
  /** The request did not use a cache. */
  | ''
  /** The stored response was fresh and was sent. */
  | 'hit'
  /** The stored response was stale, and the rules allowed sending it at once. */
  | 'stale'
  /** The stored response was stale and was sent because the origin could not answer. */
  | 'stale_on_error'
  /** The origin validated the stored response, which was then sent. */
  | 'revalidated'
  /** The request shared the response to another request with the same key. */
  | 'collapsed'
  /** Forwarded: the cache held no response for it. */
  | 'miss'
  /** Forwarded: the stored response was too old for this request, and has been replaced or dropped. */
  | 'expired'
  /** Forwarded without a lookup, by a rule or because of a body, an upgrade or a condition for the origin. */
  | 'bypass'
  /** Forwarded: the method is neither GET nor HEAD. */
  | 'method'
  /** Refused: the request asked for a stored response only, and the cache held none. */
  | 'only_if_cached';

export function noteResult(x: Exchange, result: CacheResult): void {
  x.note('cache', result);
}
