/** Partial responses, and their combination (RFC 9111 §3.3, §3.4). Hot, once per fetch. */
import type { Fields } from '../../http/fields.ts';
import { isWeak } from './conditional.ts';
import { parseContentRange } from './range.ts';
import { type Part, StoredResponse } from '../store/stored-response.ts';

/**
 * The part in a 206 with `length` bytes; null: it is unknown, or there are several. If a part claims to reach the end
 * but is shorter than its range, only its actual bytes count, and it ends with them.
 */
export function partOf(fields: Fields, length: number): Part | null {
  const range = parseContentRange(fields.get('content-range'));
  if (range === null || range.complete < 0 || length <= 0) return null;
  const { first, last, complete } = range;
  const missing = last - first + 1 - length;
  if (missing === 0) return { first, last, complete, sound: true };
  if (missing < 0 || last + 1 !== complete) return null;
  return { first, last: last - missing, complete: complete - missing, sound: false };
}

/** The part, combined with a stored one if both are of the same representation and adjoin. */
export function combined(one: StoredResponse, all: readonly StoredResponse[], statusHeader: boolean): StoredResponse {
  const other = all.find((stored) => fits(one, stored));
  if (other === undefined) return wholeIfAll(one, statusHeader);
  const [a, b] = [one.part!, other.part!];
  const first = Math.min(a.first, b.first);
  const last = Math.max(a.last, b.last);
  const bytes = Buffer.allocUnsafeSlow(last - first + 1);
  other.body()!.copy(bytes, b.first - first);
  one.body()!.copy(bytes, a.first - first);
  const part = { first, last, complete: a.complete, sound: true };
  return wholeIfAll(new StoredResponse(one.head, bytes, part, bytes.length, statusHeader), statusHeader);
}

/** RFC 9111 §3.4: the same strong validator. Two parts must overlap or touch. */
function fits({ head, part }: StoredResponse, other: StoredResponse): boolean {
  const { etag } = head;
  if (part === null || other.part === null || etag === undefined || isWeak(etag) || other.head.etag !== etag)
    return false;
  if (other.head.scope !== head.scope || other.head.variant !== head.variant) return false;
  if (other.part.complete !== part.complete || !part.sound || !other.part.sound) return false;
  return other.part.first <= part.last + 1 && part.first <= other.part.last + 1;
}

/** A part with all bytes becomes a complete response. */
function wholeIfAll(one: StoredResponse, statusHeader: boolean): StoredResponse {
  const { head, part } = one;
  if (part === null || part.first > 0 || part.last + 1 < part.complete) return one;
  return new StoredResponse({ ...head, status: 200, reason: 'OK' }, one.body(), null, one.length, statusHeader);
}
