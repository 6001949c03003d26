/** The fields that must not be in trailers (RFC 9110 §6.5.1). Hot. */
import type { IdentityPlan } from '../plan/types/identity.ts';
import { alike, idOfAlike, UNDERSCORED } from './known.ts';

type Underscores = IdentityPlan['underscores'];

/**
 * Fields that must not be in trailers, besides all that the gateway knows by name (RFC 9110 §6.5.1): authentication,
 * request modifiers, response controls, and fields that say how to read the content.
 */
const NOT_IN_TRAILERS = new Set(
  (
    'authorization www-authenticate authentication-info proxy-authentication-info cookie set-cookie ' +
    'content-encoding content-type content-range content-location range if-match if-none-match if-modified-since ' +
    'if-unmodified-since if-range cache-control pragma age expires location retry-after vary warning'
  ).split(' '),
);

/** Reports whether a field must not be in trailers. Includes names that frameworks may read as a barred one. */
export function isBarredTrailer(id: number, name: string, underscores: Underscores): boolean {
  if (id !== UNDERSCORED && id !== 0) return true;
  if (id === UNDERSCORED && (underscores !== 'pass' || idOfAlike(name) !== 0)) return true;
  return NOT_IN_TRAILERS.has(alike(name));
}
