/**
 * Whether a shared cache may store a response (RFC 9111 §3), and which of its fields (§3.1). Hot, once per fill.
 */
import type { Fields } from '../../http/fields.ts';
import { RANGE } from '../../http/known.ts';
import type { RequestDirectives, ResponseDirectives } from './directives.ts';
import { isHeuristicallyCacheable } from './freshness.ts';
import { varyOf } from './vary.ts';

export type WhyNotStored =
  /** The method's responses are not for others. */
  | 'method'
  /** Not final, 304, one that is never stored, or not understood while it has to be. */
  | 'status'
  | 'request_no_store'
  | 'no_store'
  | 'private'
  | 'authorization'
  | 'vary'
  | 'set_cookie'
  /** It asks for credentials, which the next request may have. */
  | 'unauthorized'
  /** Nothing says for how long, and nothing says that one may guess. */
  | 'no_freshness';

/**
 * Final statuses whose definition this gateway knows and keeps (RFC 9110 §15), for must-understand (RFC 9111 §5.2.2.3).
 * A 206 is stored as the part that it is.
 */
const UNDERSTOOD = new Set([
  200, 201, 202, 203, 204, 205, 206, 300, 301, 302, 303, 305, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408,
  409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 426, 451, 500, 501, 502, 503, 504, 505,
]);

/** RFC 6585 §3, §4, §5 and §6: "MUST NOT be stored by a cache". 407 and 426 are about one connection. */
const NEVER_STORED = new Set([407, 426, 428, 429, 431, 511]);

/** What RFC 9111 permits and careful caches do not do unless told. */
export interface Allowed {
  /** Responses with Set-Cookie that are explicitly fresh or public (§7.3 leaves that to the origin). */
  readonly setCookie: boolean;
  /** 401 responses that are explicitly fresh. */
  readonly unauthorized: boolean;
}

/**
 * '': it may be stored.
 *
 * `targeted`: the directives are those of CDN-Cache-Control, so Expires does not count. `allowed`: which responses the
 * config lets be stored although most caches don't. `ownContentLocation`: the answer to a POST says that it is what a
 * GET of the same URI would get (RFC 9110 §9.3.3).
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
  // It is about the range that was asked for (RFC 9110 §15.5.17), and no answer to any other request.
  if (status === 416 && requestFields.has(RANGE)) return 'status';
  if (status === 401 && !allowed.unauthorized) return 'unauthorized';
  if (request.noStore) return 'request_no_store';
  if (directives.mustUnderstand) {
    // Who understands the status keeps its rules, and no-store is for those who don't.
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
  // §4.1: a "*" never matches, so what has it is never reused.
  return varyOf(fields) === null ? 'vary' : '';
}

/** §3.5: it says that requests with credentials may share it. */
export function sharedByAuthority(directives: ResponseDirectives): boolean {
  return directives.public || directives.mustRevalidate || directives.sMaxage >= 0;
}

function isExplicit(fields: Fields, directives: ResponseDirectives, targeted: boolean): boolean {
  if (directives.maxAge >= 0 || directives.sMaxage >= 0) return true;
  return !targeted && fields.get('expires') !== undefined;
}

/** For one connection only (RFC 9110 §7.6.1), or about a client's way through this proxy (RFC 9111 §3.1). */
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

/** What a Connection field can't take away, since the stored response would be another without it. */
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
 * Names, in lower case, of fields that are not to be stored: those of one connection, and those that "private" keeps
 * from a shared cache. What "no-cache" names may be stored, but not sent before it is validated (§5.2.2.4).
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
