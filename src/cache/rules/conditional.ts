/**
 * Conditional requests: the evaluation of a client's conditions against a stored response (RFC 9110 §13, RFC 9111
 * §4.3.2), and the conditions that validate a stored response at the origin (§4.3.1). Hot.
 */
import type { Fields } from '../../http/fields.ts';
import { parseHttpDate } from './http-date.ts';

const TAB = 9;
const SPACE = 32;
const QUOTE = 34;
const COMMA = 44;

/** The end of the entity-tag that begins at `at`, or -1: `"…"` or `W/"…"` (RFC 9110 §8.8.3). */
function endOfEntityTag(text: string, at: number): number {
  let i = text.charCodeAt(at) === 87 && text.charCodeAt(at + 1) === 47 ? at + 2 : at;
  if (text.charCodeAt(i) !== QUOTE) return -1;
  for (i++; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) return i + 1;
    // etagc: visible characters and obs-text.
    if (code <= SPACE || code === 127 || code > 255) return -1;
  }
  return -1;
}

export function isEntityTag(text: string): boolean {
  return endOfEntityTag(text, 0) === text.length;
}

export function isWeak(entityTag: string): boolean {
  return entityTag.startsWith('W/');
}

/** Do they match by weak comparison (§8.8.3.2)? Both are entity-tags. */
export function weaklyEqual(one: string, other: string): boolean {
  return opaque(one) === opaque(other);
}

/** Do they match by strong comparison (§8.8.3.2)? Both are entity-tags. */
export function stronglyEqual(one: string, other: string): boolean {
  return one === other && !isWeak(one);
}

function opaque(entityTag: string): string {
  return isWeak(entityTag) ? entityTag.slice(2) : entityTag;
}

/** Does a list of entity-tags contain this one, by weak comparison? Parsing stops at the first syntax error. */
export function listMatches(list: string, entityTag: string): boolean {
  const wanted = opaque(entityTag);
  let at = 0;
  while (at < list.length) {
    const code = list.charCodeAt(at);
    if (code === COMMA || code === SPACE || code === TAB) {
      at++;
      continue;
    }
    const end = endOfEntityTag(list, at);
    if (end < 0) return false;
    let next = end;
    while (next < list.length && isBlank(list.charCodeAt(next))) next++;
    if (next < list.length && list.charCodeAt(next) !== COMMA) return false;
    if (end - at >= wanted.length && list.startsWith(wanted, end - wanted.length) && fits(list, at, end, wanted)) {
      return true;
    }
    at = next;
  }
  return false;
}

/** Is the text in front of the opaque part empty or "W/"? */
function fits(list: string, at: number, end: number, wanted: string): boolean {
  const before = end - wanted.length - at;
  return before === 0 || (before === 2 && list.charCodeAt(at) === 87);
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

/**
 * The status of a GET or HEAD that a stored 2xx may answer: 304, or 0 for the response itself (RFC 9110 §13.2.2, steps
 * 3 and 4; for other statuses conditions are ignored, §13.2.1). `lastModified` and `storedDate`: wall-clock ms, NaN if
 * there is none.
 */
export function evaluate(
  requestFields: Fields,
  etag: string | undefined,
  lastModified: number,
  storedDate: number,
  now: number,
): 0 | 304 {
  const ifNoneMatch = requestFields.get('if-none-match');
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch === '*') return 304;
    return etag !== undefined && isEntityTag(etag) && listMatches(ifNoneMatch, etag) ? 304 : 0;
  }
  const ifModifiedSince = requestFields.get('if-modified-since');
  if (ifModifiedSince === undefined) return 0;
  // RFC 9111 §4.3.2: without a Last-Modified the Date is compared. An invalid date counts as absent.
  const changed = Number.isNaN(lastModified) ? storedDate : lastModified;
  return changed <= parseHttpDate(ifModifiedSince, now) ? 304 : 0;
}

/**
 * May a Range be answered from this representation (RFC 9110 §13.1.5)? Entity-tags are compared strongly. A date counts
 * only if it equals the Last-Modified to the second, and that is at least a second older than the Date, so that there
 * can't have been two versions within it (§8.8.2.2). `lastModified` and `date`: wall-clock ms, NaN if there is none.
 */
export function ifRangeHolds(
  ifRange: string | undefined,
  etag: string | undefined,
  lastModified: number,
  date: number,
): boolean {
  if (ifRange === undefined) return true;
  if (isEntityTag(ifRange)) return etag !== undefined && stronglyEqual(ifRange, etag);
  return parseHttpDate(ifRange, date) === lastModified && date - lastModified >= 1000;
}

/**
 * The conditions for a request to the origin, so that it can respond with a 304 (RFC 9111 §4.3.1): validators as
 * received.
 */
export function validatorsFor(
  etag: string | undefined,
  lastModified: string | undefined,
): readonly (readonly [name: string, value: string])[] {
  const out: (readonly [string, string])[] = [];
  if (etag !== undefined && isEntityTag(etag)) out.push(['If-None-Match', etag]);
  if (lastModified !== undefined && !Number.isNaN(parseHttpDate(lastModified, 0))) {
    out.push(['If-Modified-Since', lastModified]);
  }
  return out;
}
