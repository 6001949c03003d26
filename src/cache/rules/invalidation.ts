/**
 * Invalidation (RFC 9111 §4.4): an unsafe request makes its target URI invalid, and the URIs in its response's Location
 * and Content-Location, on the same origin only. Hot, but only for unsafe methods.
 */
import { parseAuthority } from '../../http/authority.ts';
import type { Fields } from '../../http/fields.ts';
import { encodeRawUtf8, normalizePath, sentForms } from '../../http/path.ts';

/** A URI in the gateway's form: path and query as in Exchange. */
export interface Target {
  readonly scheme: 'http' | 'https';
  /** The Host, or the authority of an absolute target, as received. */
  readonly authority: string;
  readonly path: string;
  /** From the question mark on, or ''. */
  readonly query: string;
}

/** Safe methods (RFC 9110 §9.2.1; RFC 3253 §3.6, RFC 4918 §9.1, RFC 5323 §2.2, and QUERY). */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'REPORT', 'SEARCH', 'QUERY']);

/** An unknown method counts as unsafe (§4.4). */
export function invalidates(method: string, status: number): boolean {
  return status >= 200 && status < 400 && !SAFE.has(method);
}

/** The URIs to invalidate: the target first, then those in the response, each once. */
export function invalidatedTargets(target: Target, fields: Fields): readonly Target[] {
  const out = [target];
  for (const name of ['location', 'content-location']) {
    const reference = fields.get(name);
    const other = reference === undefined ? null : resolve(reference, target);
    if (other === null || !sameOrigin(other, target)) continue;
    // The listener's settings decide which of its forms is stored.
    for (const path of sentForms(other.path)) {
      if (out.some((one) => one.path === path && one.query === other.query)) continue;
      out.push({ ...other, path, authority: target.authority });
    }
  }
  return out;
}

/**
 * Is the response the representation of its own target URI, according to its Content-Location (RFC 9110 §8.7, §9.3.3)?
 */
export function hasOwnContentLocation(target: Target, fields: Fields): boolean {
  const reference = fields.get('content-location');
  const other = reference === undefined ? null : resolve(reference, target);
  return other !== null && other.path === target.path && other.query === target.query && sameOrigin(other, target);
}

function sameOrigin(one: Target, other: Target): boolean {
  if (one.scheme !== other.scheme) return false;
  const a = parseAuthority(one.authority);
  const b = parseAuthority(other.authority);
  return a !== null && b !== null && a.host === b.host && portOf(one.scheme, a.port) === portOf(other.scheme, b.port);
}

function portOf(scheme: string, port: number): number {
  if (port >= 0) return port;
  return scheme === 'https' ? 443 : 80;
}

/** The characters of a request target (RFC 9112 §3.2); a URI with any other names nothing stored. */
const VISIBLE = /^[\x21-\x7e]*$/;
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):/;

/** RFC 3986 §5.2, for http and https; null: it is not an http URI, or no request could have it. */
export function resolve(reference: string, base: Target): Target | null {
  const hash = reference.indexOf('#');
  let rest = hash < 0 ? reference : reference.slice(0, hash);
  // Encodes it like a client that follows it.
  if (/[\x80-\xff]/.test(rest)) rest = encodeRawUtf8(rest) ?? rest;
  if (!VISIBLE.test(rest)) return null;
  let { scheme, authority } = base;
  const named = SCHEME.exec(rest)?.[1];
  if (named !== undefined) {
    const lower = named.toLowerCase();
    if (lower !== 'http' && lower !== 'https') return null;
    scheme = lower;
    rest = rest.slice(named.length + 1);
    if (!rest.startsWith('//')) return null;
  }
  if (rest.startsWith('//')) {
    const end = endOfAuthority(rest);
    authority = rest.slice(2, end);
    rest = rest.slice(end);
    if (!rest.startsWith('/')) rest = `/${rest}`;
  }
  const mark = rest.indexOf('?');
  const query = mark < 0 ? '' : rest.slice(mark);
  const path = mark < 0 ? rest : rest.slice(0, mark);
  if (path === '') return { scheme, authority, path: base.path, query: mark < 0 ? base.query : query };
  const whole = path.startsWith('/') ? path : base.path.slice(0, base.path.lastIndexOf('/') + 1) + path;
  const normal = normalizePath(whole);
  return normal?.startsWith('/') ? { scheme, authority, path: normal, query } : null;
}

/** The end of the authority in a text that begins with "//". */
function endOfAuthority(text: string): number {
  for (let i = 2; i < text.length; i++) if (text[i] === '/' || text[i] === '?') return i;
  return text.length;
}
