/**
 * Byte ranges: those of a request (RFC 9110 §14.2), Content-Range of a response (§14.4), and the text between the parts
 * of a multipart response (§14.6). Hot.
 */

/** Both ends included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

export interface ContentRange extends ByteRange {
  /** -1: not known ("*"). */
  readonly complete: number;
}

/** A request for more ranges gets the whole representation (§14.2, §17.15). */
const MOST_RANGES = 16;
const UNIT = 'bytes=';

/**
 * The ranges to send of a representation of `length` bytes, in the requested order, without overlaps. null: the Range
 * is absent, invalid or ignored.
 */
export function parseRange(value: string | undefined, length: number): readonly ByteRange[] | null | 'unsatisfiable' {
  if (value === undefined) return null;
  // Range units are case-insensitive (§14.1).
  if (value.slice(0, UNIT.length).toLowerCase() !== UNIT) return null;
  const parts = value.slice(UNIT.length).split(',', MOST_RANGES * 2);
  const ranges: ByteRange[] = [];
  let asked = 0;
  for (const part of parts) {
    const spec = part.trim();
    if (spec === '') continue;
    if (++asked > MOST_RANGES) return null;
    const range = rangeOf(spec, length);
    if (range === null) return null;
    if (range !== UNSATISFIABLE) ranges.push(range);
  }
  if (asked === 0 || parts.length === MOST_RANGES * 2) return null;
  if (ranges.length === 0) return length === 0 && hasSuffix(parts) ? null : 'unsatisfiable';
  return ranges.length === 1 ? ranges : coalesced(ranges);
}

const UNSATISFIABLE: ByteRange = { first: 0, last: -1 };

/** null: not a range-spec (§14.1.1). */
function rangeOf(spec: string, length: number): ByteRange | null {
  const dash = spec.indexOf('-');
  if (dash < 0) return null;
  const from = dash === 0 ? -1 : position(spec.slice(0, dash));
  const to = dash === spec.length - 1 ? -1 : position(spec.slice(dash + 1));
  if (Number.isNaN(from) || Number.isNaN(to) || (from < 0 && to < 0)) return null;
  if (from < 0) return to === 0 || length === 0 ? UNSATISFIABLE : { first: Math.max(0, length - to), last: length - 1 };
  if (to >= 0 && to < from) return null;
  if (from >= length) return UNSATISFIABLE;
  return { first: from, last: to < 0 || to >= length ? length - 1 : to };
}

/**
 * A non-empty suffix of an empty representation is satisfiable (§14.1.2), but no Content-Range can express it: the
 * whole, empty representation is sent.
 */
function hasSuffix(parts: readonly string[]): boolean {
  return parts.some((part) => /^[ \t]*-0*[1-9]/.test(part));
}

/** 1*DIGIT, as far as numbers are exact; NaN if it is not that. */
function position(digits: string): number {
  if (digits === '') return Number.NaN;
  let value = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = Math.min(value * 10 + digit, Number.MAX_SAFE_INTEGER);
  }
  return value;
}

/** Joins overlapping ranges; the result takes the place of the one that was requested first (§15.3.7.2). */
function coalesced(ranges: readonly ByteRange[]): readonly ByteRange[] {
  const order = ranges.map((range, index) => ({ first: range.first, last: range.last, index }));
  order.sort((a, b) => a.first - b.first);
  const out = [order[0]!];
  for (const next of order.slice(1)) {
    const before = out[out.length - 1]!;
    if (next.first > before.last) out.push(next);
    else {
      before.last = Math.max(before.last, next.last);
      before.index = Math.min(before.index, next.index);
    }
  }
  return out.toSorted((a, b) => a.index - b.index).map(({ first, last }) => ({ first, last }));
}

/** `bytes 0-4/10` (§14.4) */
export function contentRange({ first, last }: ByteRange, complete: number): string {
  return `bytes ${first}-${last}/${complete}`;
}

/** The Content-Range of a 416: the complete length (§15.5.17). */
export function unsatisfiedRange(complete: number): string {
  return `bytes */${complete}`;
}

/** null: it is invalid, or has another unit (§14.4). */
export function parseContentRange(value: string | undefined): ContentRange | null {
  if (value === undefined || value.slice(0, 6).toLowerCase() !== 'bytes ') return null;
  const dash = value.indexOf('-', 6);
  const slash = value.indexOf('/', 6);
  if (dash < 0 || slash < dash) return null;
  const first = position(value.slice(6, dash));
  const last = position(value.slice(dash + 1, slash));
  const total = value.slice(slash + 1);
  const complete = total === '*' ? -1 : position(total);
  if (!(last >= first) || Number.isNaN(complete) || (complete >= 0 && complete <= last)) return null;
  return last < Number.MAX_SAFE_INTEGER ? { first, last, complete } : null;
}

/** The text in front of each part of multipart/byteranges (§14.6). */
export function partHead(
  boundary: string,
  contentType: string | undefined,
  range: ByteRange,
  complete: number,
): string {
  const type = contentType === undefined ? '' : `Content-Type: ${contentType}\r\n`;
  return `\r\n--${boundary}\r\n${type}Content-Range: ${contentRange(range, complete)}\r\n\r\n`;
}

/** The text behind the last part. */
export function partsEnd(boundary: string): string {
  return `\r\n--${boundary}--\r\n`;
}

/** Length of a multipart body with these parts. */
export function partsLength(
  boundary: string,
  contentType: string | undefined,
  ranges: readonly ByteRange[],
  complete: number,
): number {
  let length = partsEnd(boundary).length;
  for (const range of ranges) {
    length += partHead(boundary, contentType, range, complete).length + range.last - range.first + 1;
  }
  return length;
}
