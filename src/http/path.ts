/**
 * Brings a path into normal form, so that what is matched is what the backend sees (RFC 3986 §6.2.2). Hot, but entered
 * only for paths that have a "%", a "\" or a "/.".
 *
 * Percent-encoded unreserved characters are decoded, other encodings get upper-case digits, dot segments are resolved.
 * `%2F`, `%5C` and empty segments stay as they are: they mean something to somebody.
 */

const UNRESERVED = /[A-Za-z0-9._~-]/;

/** null: an encoding that is none, an encoded NUL, or a backslash (not in RFC 3986, and to some backends a slash). */
export function normalizePath(path: string): string | null {
  if (path.includes('\\')) return null;
  const decoded = path.includes('%') ? decodeUnreserved(path) : path;
  if (decoded === null) return null;
  return decoded.includes('/.') ? removeDotSegments(decoded) : decoded;
}

function decodeUnreserved(path: string): string | null {
  let out = '';
  let from = 0;
  for (let at = path.indexOf('%'); at >= 0; at = path.indexOf('%', from)) {
    const digits = path.slice(at + 1, at + 3);
    if (!/^[0-9A-Fa-f]{2}$/.test(digits)) return null;
    const code = Number.parseInt(digits, 16);
    if (code === 0) return null;
    const character = String.fromCharCode(code);
    out += path.slice(from, at) + (UNRESERVED.test(character) ? character : `%${digits.toUpperCase()}`);
    from = at + 3;
  }
  return out + path.slice(from);
}

/** RFC 3986 §5.2.4, for a path that begins with "/". */
function removeDotSegments(path: string): string {
  const out: string[] = [];
  const segments = path.split('/').slice(1);
  segments.forEach((segment, index) => {
    const last = index === segments.length - 1;
    if (segment === '..') out.pop();
    else if (segment !== '.') out.push(segment);
    if (last && (segment === '.' || segment === '..')) out.push('');
  });
  return `/${out.join('/')}`;
}
