/**
 * Updates a stored response from a newer one without its body: a 304 (RFC 9111 §4.3.4) or a HEAD (§4.3.5) or a further
 * part (§3.4), and selects the fields to update (§3.2). Hot, once per validation.
 */
import type { FieldPair } from '../../http/field-list.ts';
import type { Fields } from '../../http/fields.ts';
import { isWeak, weaklyEqual } from './conditional.ts';

/** These describe the stored bytes, which the newer response does not contain. */
const OF_THE_BODY = new Set(['content-encoding', 'content-length', 'content-range', 'transfer-encoding']);

/**
 * The stored fields, updated: all fields of a name are replaced together. `unstorable`: names that are neither taken nor
 * kept (storable.ts). A stored Age is removed, since the age starts anew. The newer response must have a Date (RFC 9110
 * §6.6.1): otherwise the stored Date stays, and with it the age.
 */
export function freshened(
  stored: readonly FieldPair[],
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
 * Does a 304 refer to this stored response (§4.3.4)? Decided by the entity-tag if both have one, else by the date. A
 * 304 without any validator refers to it, as there was only one candidate.
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

/** Does a 200 to a HEAD match this stored response (§4.3.5)? If not, the stored one is stale. `length`: of its body. */
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
