/**
 * Whether a stored response may answer a request as it is (RFC 9111 §4, §4.2.4; RFC 5861). Hot: once per request.
 */
import type { Fields } from '../../http/fields.ts';
import { AUTHORIZATION } from '../../http/known.ts';
import { NO_REQUEST_DIRECTIVES, type RequestDirectives } from './directives.ts';

/** What is kept of a stored response to decide on its reuse. */
export interface Stored {
  /** When its age was 0: the ms at which it was received, less its initial age, on the clock that `now` is of. */
  readonly bornAt: number;
  /** Seconds. */
  readonly lifetime: number;
  /** It was stored only to be validated: neither it nor the config said that it is fresh for any time. */
  readonly neverFresh: boolean;
  readonly noCache: boolean;
  /** must-revalidate, proxy-revalidate or s-maxage (§5.2.2.2, §5.2.2.8, §5.2.2.10): never stale. */
  readonly mustRevalidate: boolean;
  /** Seconds; -1: none. */
  readonly staleWhileRevalidate: number;
  /** Seconds; -1: none. */
  readonly staleIfError: number;
}

/** Only after the origin has been asked. */
export const VALIDATE = 0;
export const FRESH = 1;
/** Stale, and it may be used while it is validated. */
export const STALE_WHILE_REVALIDATE = 2;
/** Stale, and the client says that it does not mind. */
export const STALE = 3;

export type Reuse = typeof VALIDATE | typeof FRESH | typeof STALE_WHILE_REVALIDATE | typeof STALE;

/**
 * May it answer a request with these fields, as far as credentials go? What is stored for anonymous clients answers a
 * request with Authorization only if it says so: §3.5, read for answering as well as for storing.
 */
export function permitsCredentials(stored: { readonly forAuthorized: boolean }, request: Fields): boolean {
  return stored.forAuthorized || !request.has(AUTHORIZATION);
}

/** `now`: ms. */
export function reuse(stored: Stored, request: RequestDirectives, now: number): Reuse {
  if (stored.noCache) return VALIDATE;
  const age = (now - stored.bornAt) / 1000;
  const left = stored.lifetime - age;
  if (request === NO_REQUEST_DIRECTIVES) {
    if (left > 0) return FRESH;
    return !stored.mustRevalidate && -left < stored.staleWhileRevalidate ? STALE_WHILE_REVALIDATE : VALIDATE;
  }
  return reuseAsAsked(stored, request, age, left);
}

/** §5.2.1: the client's directives narrow it, and max-stale alone widens it, for a response that has once been fresh. */
function reuseAsAsked(stored: Stored, request: RequestDirectives, age: number, left: number): Reuse {
  if (request.noCache) return VALIDATE;
  // max-age=0 asks for a validation, also within the same millisecond.
  if (request.maxAge === 0 || (request.maxAge > 0 && age > request.maxAge)) return VALIDATE;
  if (request.minFresh >= 0 && left < request.minFresh) return VALIDATE;
  if (left > 0) return FRESH;
  if (stored.mustRevalidate || request.minFresh >= 0) return VALIDATE;
  const staleFor = -left;
  if (request.maxStale >= 0 && staleFor > request.maxStale) return VALIDATE;
  // With a max-age and no max-stale the client does not want what is stale (§5.2.1.1).
  if (staleFor < stored.staleWhileRevalidate && (request.maxAge < 0 || request.maxStale >= 0)) {
    return STALE_WHILE_REVALIDATE;
  }
  // One that never was fresh may be one user's own page: only its origin can tell whether it answers this request.
  return request.maxStale >= 0 && !stored.neverFresh ? STALE : VALIDATE;
}

/**
 * May it be used because the origin could not be asked, or answered with an error (§4.2.4, RFC 5861 §4)? `window`: the
 * seconds that the config allows where neither side has said anything; -1: none. A response that never was fresh is
 * used only if it permits that itself: its body may depend on a cookie of the user who fetched it.
 */
export function mayServeOnError(stored: Stored, request: RequestDirectives, now: number, window: number): boolean {
  if (stored.noCache || request.noCache) return false;
  const staleFor = (now - stored.bornAt) / 1000 - stored.lifetime;
  if (staleFor < 0) return true;
  if (stored.mustRevalidate || (stored.neverFresh && stored.staleIfError < 0)) return false;
  return staleFor <= graceOnError(stored.staleIfError, request.staleIfError, window);
}

/** Either side may permit it; where both do, the shorter time counts. */
function graceOnError(origin: number, client: number, window: number): number {
  if (origin < 0 && client < 0) return window;
  if (origin < 0) return client;
  return client < 0 ? origin : Math.min(origin, client);
}
