/**
 * Whether a stored response may answer a request without validation (RFC 9111 §4, §4.2.4; RFC 5861). Hot: once per
 * request.
 */
import type { Fields } from '../../http/fields.ts';
import { AUTHORIZATION } from '../../http/known.ts';
import { NO_REQUEST_DIRECTIVES, type RequestDirectives } from './directives.ts';

/** The properties of a stored response that decide on its reuse. */
export interface Stored {
  /** The time when its age was 0: the time of receipt less its initial age, in ms of the same clock as `now`. */
  readonly bornAt: number;
  /** Seconds. */
  readonly lifetime: number;
  /** It was stored only for validation: neither the response nor the config gives it any freshness. */
  readonly neverFresh: boolean;
  readonly noCache: boolean;
  /** must-revalidate, proxy-revalidate or s-maxage (§5.2.2.2, §5.2.2.8, §5.2.2.10): never served stale. */
  readonly mustRevalidate: boolean;
  /** Seconds; -1: none. */
  readonly staleWhileRevalidate: number;
  /** Seconds; -1: none. */
  readonly staleIfError: number;
}

/** Only after validation at the origin. */
export const VALIDATE = 0;
export const FRESH = 1;
/** Stale, and may be used during its validation. */
export const STALE_WHILE_REVALIDATE = 2;
/** Stale, and the client accepts that. */
export const STALE = 3;

export type Reuse = typeof VALIDATE | typeof FRESH | typeof STALE_WHILE_REVALIDATE | typeof STALE;

/**
 * May it answer a request with these fields, with regard to Authorization? A response stored for anonymous clients
 * answers a request with Authorization only if it permits that: §3.5 applies to reuse as well as to storing.
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

/**
 * §5.2.1: the client's directives restrict reuse; only max-stale extends it, for a response that was fresh at first.
 */
function reuseAsAsked(stored: Stored, request: RequestDirectives, age: number, left: number): Reuse {
  if (request.noCache) return VALIDATE;
  // max-age=0 requires a validation, even within the same millisecond.
  if (request.maxAge === 0 || (request.maxAge > 0 && age > request.maxAge)) return VALIDATE;
  if (request.minFresh >= 0 && left < request.minFresh) return VALIDATE;
  if (left > 0) return FRESH;
  if (stored.mustRevalidate || request.minFresh >= 0) return VALIDATE;
  const staleFor = -left;
  if (request.maxStale >= 0 && staleFor > request.maxStale) return VALIDATE;
  // A client that sends max-age without max-stale does not accept stale responses (§5.2.1.1).
  if (staleFor < stored.staleWhileRevalidate && (request.maxAge < 0 || request.maxStale >= 0)) {
    return STALE_WHILE_REVALIDATE;
  }
  // A response that never was fresh may be one user's own page: only its origin can decide whether it answers this
  // request.
  return request.maxStale >= 0 && !stored.neverFresh ? STALE : VALIDATE;
}

/**
 * May it be served stale because the origin is unreachable or sent an error (§4.2.4, RFC 5861 §4)? `window`: the
 * seconds that the config allows if neither side gives a limit; -1: none. A response that never was fresh is served
 * only if its own directives permit that: its body may depend on a cookie of the user who fetched it.
 */
export function mayServeOnError(stored: Stored, request: RequestDirectives, now: number, window: number): boolean {
  if (stored.noCache || request.noCache) return false;
  const staleFor = (now - stored.bornAt) / 1000 - stored.lifetime;
  if (staleFor < 0) return true;
  if (stored.mustRevalidate || (stored.neverFresh && stored.staleIfError < 0)) return false;
  return staleFor <= graceOnError(stored.staleIfError, request.staleIfError, window);
}

/** Either side may permit it; if both do, the shorter time counts. */
function graceOnError(origin: number, client: number, window: number): number {
  if (origin < 0 && client < 0) return window;
  if (origin < 0) return client;
  return client < 0 ? origin : Math.min(origin, client);
}
