/**
 * Where a message's body ends, decided from its head (RFC 9112 §6). Hot.
 *
 * Anything that two readers could understand differently is refused: Content-Length beside Transfer-Encoding, two
 * Content-Lengths even if they agree, a list of them, any coding but a single "chunked".
 */
import type { Fields } from '../fields.ts';
import { CONTENT_LENGTH, TRANSFER_ENCODING } from '../known.ts';
import { CHUNKED, type Framing, LENGTH, NO_BODY, UNTIL_CLOSE } from '../message.ts';

export class BodyFraming {
  kind: Framing = NO_BODY;
  /** Bytes of the body if `kind` is LENGTH. */
  length = 0;
}

const LONGEST_LENGTH = 15;

/** A Content-Length's value (RFC 9110 §8.6), or -1: digits only, below 10^15. */
function parseLength(value: string): number {
  if (value.length === 0 || value.length > LONGEST_LENGTH) return -1;
  let length = 0;
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}

/** The one Content-Length there is, or -1 if there are several or it is not a number. */
function onlyLength(fields: Fields): number {
  const index = fields.indexOfKnown(CONTENT_LENGTH);
  if (fields.indexOfKnown(CONTENT_LENGTH, index + 1) >= 0) return -1;
  return parseLength(fields.valueAt(index));
}

/** 0: exactly one Transfer-Encoding that says "chunked"; else the status to refuse with. */
function checkTransferEncoding(fields: Fields): number {
  const index = fields.indexOfKnown(TRANSFER_ENCODING);
  const only = fields.indexOfKnown(TRANSFER_ENCODING, index + 1) < 0;
  if (only && fields.valueAt(index).toLowerCase() === 'chunked') return 0;
  const codings = (fields.known(TRANSFER_ENCODING) ?? '').toLowerCase().split(',');
  // A coding we know nothing of is 501 (§6.1); "chunked" twice, not last, or with parameters has no meaning at all.
  const unknown = codings.some(
    (coding) => !/^[\t ]*chunked\b/.test(coding) && /^[\t ]*[a-z0-9!#$%&'*+.^_`|~-]+[\t ]*$/.test(coding),
  );
  return unknown ? 501 : 400;
}

/** Codings that a body can really have, and that nobody here takes off (RFC 9112 §7.2). */
const REAL = /chunked|gzip|deflate|compress|br|zstd|identity/i;

/**
 * Is a response's only Transfer-Encoding a word that is no coding? Then its body ends with the connection (RFC 9112 §6.3),
 * as it is: none was offered in a TE, so none may have been applied.
 */
function isMeaninglessCoding(fields: Fields): boolean {
  const index = fields.indexOfKnown(TRANSFER_ENCODING);
  if (fields.indexOfKnown(TRANSFER_ENCODING, index + 1) >= 0) return false;
  const value = fields.valueAt(index);
  return /^[a-z0-9-]{1,64}$/i.test(value) && !REAL.test(value);
}

/** 0, or the status that refuses the request. */
export function requestFraming(fields: Fields, minor: number, framing: BodyFraming): number {
  if (fields.has(TRANSFER_ENCODING)) {
    // Not defined for HTTP/1.0, and beside a Content-Length the sign of an attack (§6.1).
    if (minor === 0 || fields.has(CONTENT_LENGTH)) return 400;
    framing.kind = CHUNKED;
    return checkTransferEncoding(fields);
  }
  if (!fields.has(CONTENT_LENGTH)) {
    framing.kind = NO_BODY;
    return 0;
  }
  framing.length = onlyLength(fields);
  if (framing.length < 0) return 400;
  framing.kind = framing.length === 0 ? NO_BODY : LENGTH;
  return 0;
}

/** false: the response's framing cannot be trusted (502). `method` is that of the request it answers (§6.3). */
export function responseFraming(
  fields: Fields,
  minor: number,
  status: number,
  method: string,
  framing: BodyFraming,
): boolean {
  const sized = fields.has(CONTENT_LENGTH);
  const meaningless = fields.has(TRANSFER_ENCODING) && minor === 1 && !sized && isMeaninglessCoding(fields);
  const coded = fields.has(TRANSFER_ENCODING) && !meaningless;
  if (coded && (minor === 0 || sized || checkTransferEncoding(fields) !== 0)) return false;
  const length = sized ? onlyLength(fields) : 0;
  if (length < 0) return false;
  framing.length = length;
  if (method === 'HEAD' || status === 204 || status === 304 || status < 200) framing.kind = NO_BODY;
  else if (coded) framing.kind = CHUNKED;
  else if (!sized) framing.kind = UNTIL_CLOSE;
  else framing.kind = length === 0 ? NO_BODY : LENGTH;
  return true;
}
