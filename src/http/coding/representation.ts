/**
 * What changes in the fields of a message whose content gets or loses a coding. Hot.
 *
 * A coded and a plain representation are different representations of one resource (RFC 9110 §8.4): they share neither
 * a strong entity tag (§8.8.3.3), nor a length, nor byte ranges, nor digests.
 */
import type { Fields } from '../fields.ts';
import { DIGEST, OTHER } from '../known.ts';

/** A digest that does not match the content is worse than none. */
export function removeDigests(fields: Fields): void {
  fields.removeKnown(DIGEST);
}

/** Makes a strong entity tag weak: equivalent, not byte for byte the same (RFC 9110 §8.8.1). */
export function weakenEntityTag(fields: Fields): void {
  const tag = fields.get('etag');
  if (tag?.startsWith('"') !== true) return;
  fields.remove('etag');
  fields.addLine(`ETag: W/${tag}\r\n`, OTHER);
}

/** Reports whether a list of entity tags (If-None-Match) has the weak form of this strong tag, and not the strong one. */
export function knowsWeakly(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  let weak = false;
  for (let at = ifNoneMatch.indexOf(tag); at >= 0; at = ifNoneMatch.indexOf(tag, at + tag.length)) {
    if (!ifNoneMatch.startsWith('W/', at - 2)) return false;
    weak = true;
  }
  return weak;
}
