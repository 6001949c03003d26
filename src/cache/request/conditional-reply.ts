/**
 * Builds the reply from a stored response: all of it, ranges of it, or a 304. Hot.
 *
 * Conditions are evaluated before ranges (RFC 9110 §13.2.2). Clients may use both on any stored response, however it
 * was fetched (RFC 9111 §4.3.2).
 */
import { randomBytes } from 'node:crypto';
import type { Exchange } from '../../http/exchange.ts';
import { FieldList } from '../../http/field-list.ts';
import { IF_MODIFIED_SINCE, IF_NONE_MATCH, RANGE } from '../../http/known.ts';
import { CachedReply } from '../../http/cached-reply.ts';
import { evaluate, ifRangeHolds } from '../rules/conditional.ts';
import { type ByteRange, contentRange, parseRange, partHead, partsEnd, unsatisfiedRange } from '../rules/range.ts';
import type { StoredHead, StoredResponse } from '../store/stored-response.ts';
import { reasonPhrase } from '../../http/status.ts';

const NONE = Buffer.alloc(0);
const CONDITIONS = (1 << IF_NONE_MATCH) | (1 << IF_MODIFIED_SINCE);
/** Fields that request something other than the whole representation. */
export const SPECIAL = CONDITIONS | (1 << RANGE);

/**
 * The multipart boundary. Bytes can't be guaranteed not to contain it, only unlikely to: it is random for each process.
 */
const BOUNDARY = randomBytes(18).toString('base64url');

/** `now`, `wall`: monotonic and epoch ms. `told`: its Cache-Status; '': that of a hit. */
export function answerFrom(stored: StoredResponse, x: Exchange, now: number, wall: number, told = ''): CachedReply {
  const age = stored.ageAt(now);
  if ((x.fields.seen & SPECIAL) === 0) return stored.reply(age, told);
  const { head } = stored;
  if (isUnmodified(head, x, wall)) return notModified(head, stored.agedFields(age, told));
  const ranges = rangesOf(stored, x);
  if (ranges === null) return stored.reply(age, told);
  const aged = stored.agedFields(age, told);
  const complete = stored.part?.complete ?? stored.length;
  if (ranges === 'unsatisfiable') {
    const fields = head.fields
      .filter(isDateOrVia)
      .concat(FieldList.of([['Content-Range', unsatisfiedRange(complete)]]));
    return CachedReply.of(416, reasonPhrase(416), fields.concat(aged), '', null);
  }
  return partial(stored, ranges, complete, aged);
}

/** Does the client already have this representation? */
export function isUnmodified(head: StoredHead, { fields, method }: Exchange, wall: number): boolean {
  if ((fields.seen & CONDITIONS) === 0 || (method !== 'GET' && method !== 'HEAD')) return false;
  if (head.status !== 200 && head.status !== 206) return false;
  return evaluate(fields, head.etag, head.lastModified, head.date, wall) === 304;
}

/** null: the whole representation is requested. */
function rangesOf({ head, part, length }: StoredResponse, { fields, method }: Exchange) {
  if (method !== 'GET' || !fields.has(RANGE) || head.status !== (part === null ? 200 : 206)) return null;
  const { etag, lastModified, date } = head;
  if (!ifRangeHolds(fields.get('if-range'), etag, lastModified, date)) return null;
  return parseRange(fields.known(RANGE), part?.complete ?? length);
}

/** Does a stored part contain all requested ranges? */
export function covers(stored: StoredResponse, x: Exchange): boolean {
  const { part } = stored;
  const ranges = rangesOf(stored, x);
  if (part === null || ranges === null || ranges === 'unsatisfiable') return false;
  return ranges.every(({ first, last }) => first >= part.first && last <= part.last);
}

function partial(stored: StoredResponse, ranges: readonly ByteRange[], complete: number, aged: FieldList): CachedReply {
  const bytes = stored.body() ?? NONE;
  const offset = stored.part?.first ?? 0;
  const slice = ({ first, last }: ByteRange): Buffer => bytes.subarray(first - offset, last + 1 - offset);
  const { fields } = stored.head;
  if (ranges.length === 1) {
    const [range] = ranges as [ByteRange];
    const body = slice(range);
    const own = FieldList.of([['Content-Range', contentRange(range, complete)]]);
    return CachedReply.of(206, reasonPhrase(206), fields.filter(notRange).concat(own).concat(aged), '', body);
  }
  const body = multipart(ranges, complete, fields.get('content-type'), slice);
  const own = FieldList.of([['Content-Type', `multipart/byteranges; boundary=${BOUNDARY}`]]);
  return CachedReply.of(206, reasonPhrase(206), fields.filter(notTypeOrRange).concat(own).concat(aged), '', body);
}

/** RFC 9110 §14.6. */
function multipart(
  ranges: readonly ByteRange[],
  complete: number,
  contentType: string | undefined,
  slice: (range: ByteRange) => Buffer,
): Buffer {
  const pieces = ranges.flatMap((range) => [
    Buffer.from(partHead(BOUNDARY, contentType, range, complete), 'latin1'),
    slice(range),
  ]);
  return Buffer.concat([...pieces, Buffer.from(partsEnd(BOUNDARY), 'latin1')]);
}

/** RFC 9110 §15.4.5: the fields that a cache or client needs to update its copy, and none that describe content. */
export function notModified({ fields, etag }: StoredHead, aged: FieldList): CachedReply {
  const kept = fields.filter(etag === undefined ? notOfContent : notOfContentOrModified);
  return CachedReply.of(304, reasonPhrase(304), kept.concat(aged), '', null);
}

const notRange = (name: string): boolean => name !== 'content-range';
const notTypeOrRange = (name: string): boolean => name !== 'content-type' && name !== 'content-range';
/** Fields that describe content (RFC 9110 §8), except for Content-Location, which a 304 keeps. */
const OF_CONTENT = new Set(['content-type', 'content-encoding', 'content-language', 'content-length', 'content-range']);
const notOfContent = (name: string): boolean => !OF_CONTENT.has(name);
const notOfContentOrModified = (name: string): boolean => notOfContent(name) && name !== 'last-modified';
/** Every reply has them. */
const isDateOrVia = (name: string): boolean => name === 'date' || name === 'via';
