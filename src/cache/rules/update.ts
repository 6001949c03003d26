/**
 * A stored response made fresh by a newer one without its body: by a 304 (RFC 9111 §4.3.4), a HEAD (§4.3.5) or a further
 * part (§3.4), and which of its fields come anew (§3.2). Hot, once per validation.
 */
import type { Fields } from '../../http/fields.ts';
import { isWeak, weaklyEqual } from './conditional.ts';

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
 * Is a 304 about this stored response (§4.3.4)? By its entity-tag where both have one, else by its date. One that has no
 * validator at all answers the only question there was.
 */
export function identifies(etag: string | undefined, lastModified: string | undefined, news: Fields): boolean {
  const newTag = news.get('etag');
  if (newTag !== undefined) {
    if (etag !== undefined) return isWeak(newTag) ? weaklyEqual(newTag, etag) : newTag === etag;
    // "If none of the stored responses contain at least one of the same strong validators …"
    if (!isWeak(newTag)) return false;
  }
  const newModified = news.get('last-modified');
  return newModified === undefined ? newTag === undefined : newModified === lastModified;
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
