/**
 * Whether a shared cache may store a response (RFC 9111 §3), and which of its fields (§3.1). Hot, once per fetch.
 */
import type { Fields } from '../../http/fields.ts';
import { RANGE } from '../../http/known.ts';
import type { RequestDirectives, ResponseDirectives } from './directives.ts';
import { isHeuristicallyCacheable } from './freshness.ts';
import { varyOf } from './vary.ts';

export type WhyNotStored =
  /** Responses to this method are not reusable. */
  | 'method'
  /** Not final, a 304, a status that is never stored, or unknown with must-understand. */
  | 'status'
  | 'request_no_store'
  | 'no_store'
  | 'private'
  | 'authorization'
  | 'vary'
  | 'set_cookie'
  /** It requires credentials, which the next request may have. */
  | 'unauthorized'
  /** It has no explicit freshness, and heuristic freshness is not permitted. */
  | 'no_freshness';

/**
 * Final statuses that this gateway understands (RFC 9110 §15), for must-understand (RFC 9111 §5.2.2.3). A 206 is stored
 * as a part.
 */
const UNDERSTOOD = new Set([
  200, 201, 202, 203, 204, 205, 206, 300, 301, 302, 303, 305, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408,
  409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 426, 451, 500, 501, 502, 503, 504, 505,
]);

/** RFC 6585 §3, §4, §5 and §6: "MUST NOT be stored by a cache". 407 and 426 concern a single connection. */
const NEVER_STORED = new Set([407, 426, 428, 429, 431, 511]);

/** Permitted by RFC 9111, but not done by careful caches unless configured. */
export interface Allowed {
  /** Responses with Set-Cookie that are explicitly fresh or public (§7.3 leaves that to the origin). */
  readonly setCookie: boolean;
  /** 401 responses that are explicitly fresh. */
  readonly unauthorized: boolean;
}

/**
 * '': it may be stored.
 *
 * `targeted`: the directives come from CDN-Cache-Control, so Expires does not count. `allowed`: responses that the
 * config permits to store although most caches don't. `ownContentLocation`: the response to a POST is also that to a
 * GET of the same URI (RFC 9110 §9.3.3).
 */
export function whyNotStored(
  method: string,
  requestFields: Fields,
  request: RequestDirectives,
  status: number,
  fields: Fields,
  directives: ResponseDirectives,
  targeted: boolean,
  allowed: Allowed,
  ownContentLocation = false,
): '' | WhyNotStored {
  if (method !== 'GET' && method !== 'HEAD' && !(method === 'POST' && ownContentLocation)) return 'method';
  if (status < 200 || status === 304 || status > 599 || NEVER_STORED.has(status)) return 'status';
  // It concerns the requested range (RFC 9110 §15.5.17), and answers no other request.
  if (status === 416 && requestFields.has(RANGE)) return 'status';
  if (status === 401 && !allowed.unauthorized) return 'unauthorized';
  if (request.noStore) return 'request_no_store';
  if (directives.mustUnderstand) {
    // With must-understand, a cache that understands the status ignores no-store.
    if (!UNDERSTOOD.has(status)) return 'status';
  } else if (directives.noStore) return 'no_store';
  if (directives.private) return 'private';
  // §3.5
  if (requestFields.get('authorization') !== undefined && !sharedByAuthority(directives)) return 'authorization';
  const explicit = isExplicit(fields, directives, targeted);
  if (!explicit) {
    if (method === 'POST') return 'no_freshness';
    if (!directives.public && !isHeuristicallyCacheable(status)) return 'no_freshness';
  }
  if (fields.get('set-cookie') !== undefined && !(allowed.setCookie && (explicit || directives.public)))
    return 'set_cookie';
  // §4.1: "*" never matches, so such a response is never reused.
  return varyOf(fields) === null ? 'vary' : '';
}

/** §3.5: it permits sharing with requests with credentials. */
export function sharedByAuthority(directives: ResponseDirectives): boolean {
  return directives.public || directives.mustRevalidate || directives.sMaxage >= 0;
}

function isExplicit(fields: Fields, directives: ResponseDirectives, targeted: boolean): boolean {
  if (directives.maxAge >= 0 || directives.sMaxage >= 0) return true;
  return !targeted && fields.get('expires') !== undefined;
}

/** Fields for one connection only (RFC 9110 §7.6.1), or about this proxy's authentication (RFC 9111 §3.1). */
const NEVER: readonly string[] = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
];

/** Fields that a Connection field can't remove, since the stored response would change its meaning. */
const NEEDED = new Set([
  'age',
  'cache-control',
  'cdn-cache-control',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'date',
  'etag',
  'expires',
  'last-modified',
  'set-cookie',
  'vary',
]);

/**
 * Names, in lower case, of fields that are not stored: those for one connection, and those that "private" withholds
 * from a shared cache. Fields that "no-cache" names may be stored, but not sent before validation (§5.2.2.4).
 */
export function unstorableFields(fields: Fields, directives: ResponseDirectives): readonly string[] {
  const connection = fields.get('connection');
  if (connection === undefined && directives.privateFields.length === 0) return NEVER;
  const names = [...NEVER, ...directives.privateFields];
  for (const option of connection?.split(',') ?? []) {
    const name = option.trim().toLowerCase();
    if (name !== '' && !NEEDED.has(name)) names.push(name);
  }
  return names;
}
