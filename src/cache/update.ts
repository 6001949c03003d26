/**
 * A stored response made fresh by a newer one without its body: by a 304 (RFC 9111 §4.3.4), a HEAD (§4.3.5) or a further
 * part (§3.4), and which of its fields come anew (§3.2). Hot, once per validation.
 */
import type { Fields } from '../http/fields.ts';
import { isEntityTag, isWeak, stronglyEqual, weaklyEqual } from './conditional.ts';

export type FieldLine = readonly [name: string, value: string];

/** These describe the stored bytes, which the newer response did not bring. */
const OF_THE_BODY = new Set(['content-encoding', 'content-length', 'content-range', 'transfer-encoding']);

/**
 * The stored lines with the newer ones in their place: all lines of a name are replaced together. `unstorable`: names
 * that are neither taken nor kept (storable.ts). A stored Age goes, since age begins anew. The newer response must have
 * its Date (RFC 9110 §6.6.1): without, the stored one stays, and with it the age.
 */
export function freshened(
  stored: readonly FieldLine[],
  news: Fields,
  unstorable: readonly string[],
): [name: string, value: string][] {
  const replaced = new Set<string>(unstorable);
  replaced.add('age');
  const added: [string, string][] = [];
  news.forEach((name, value) => {
    const lower = name.toLowerCase();
    if (OF_THE_BODY.has(lower) || unstorable.includes(lower)) return;
    replaced.add(lower);
    added.push([name, value]);
  });
  const out: [string, string][] = [];
  for (const [name, value] of stored) {
    const lower = name.toLowerCase();
    if (OF_THE_BODY.has(lower) || !replaced.has(lower)) out.push([name, value]);
  }
  return out.concat(added);
}

/**
 * Is a 304 about this stored response (§4.3.4)? A strong validator must be the same, a weak one must correspond. One
 * without validators is about the only response that it was asked about.
 */
export function identifies(etag: string | undefined, lastModified: string | undefined, news: Fields): boolean {
  const newTag = news.get('etag');
  if (newTag !== undefined && isEntityTag(newTag)) {
    if (etag !== undefined) return isWeak(newTag) ? weaklyEqual(newTag, etag) : stronglyEqual(newTag, etag);
    // The stored one has none to compare, and its date may do as well.
    if (!isWeak(newTag) && lastModified === undefined) return false;
  }
  const newModified = news.get('last-modified');
  if (newModified === undefined) return newTag === undefined || etag === undefined;
  if (lastModified === undefined) return etag !== undefined;
  return newModified === lastModified;
}

/**
 * Does a 200 to a HEAD describe this stored response (§4.3.5)? If not, that is stale. `length`: of its body.
 */
export function headFreshens(
  etag: string | undefined,
  lastModified: string | undefined,
  length: number,
  head: Fields,
): boolean {
  const newTag = head.get('etag');
  if (newTag !== undefined && newTag !== etag) return false;
  const newModified = head.get('last-modified');
  if (newModified !== undefined && newModified !== lastModified) return false;
  const newLength = head.get('content-length');
  return newLength === undefined || newLength === String(length);
}
