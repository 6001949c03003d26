/**
 * Where a message's body ends, decided from its head (RFC 9112 §6). Hot.
 *
 * Anything that two readers could understand differently is refused: Content-Length beside Transfer-Encoding, two
 * Content-Lengths even if they agree, a list of them, any coding but a single "chunked". A Content-Length that is valid
 * but unusual ("010", a tab before it) is sent on in canonical digits.
 */
import type { Fields } from '../fields.ts';
import { CONTENT_LENGTH, TRANSFER_ENCODING } from '../known.ts';
import type { ResponseHead } from './parser.ts';
import { CHUNKED, type Framing, LENGTH, NO_BODY, UNTIL_CLOSE } from '../message.ts';

export class BodyFraming {
  kind: Framing = NO_BODY;
  /** Bytes of the body if `kind` is LENGTH. */
  length = 0;
  /** Another reader may see another end of this response: the connection must carry no further one. */
  doubtful = false;
}

const LONGEST_LENGTH = 15;

/** The Content-Length that text[start, end) says (RFC 9110 §8.6), or -1: digits only, below 10^15. */
function parseLength(text: string, start = 0, end = text.length): number {
  if (start === end || end - start > LONGEST_LENGTH) return -1;
  let length = 0;
  for (let i = start; i < end; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}

/** The one Content-Length there is, or -1 if there are several or it is not a number. */
function onlyLength(fields: Fields): number {
  const index = fields.indexOfKnown(CONTENT_LENGTH);
  if (fields.indexOfKnown(CONTENT_LENGTH, index + 1) >= 0) return -1;
  return parseLength(fields.text, fields.table[index * 4 + 2], fields.table[index * 4 + 3]);
}

const HTAB = 0x09;
const CR = 0x0d;
const ZERO = 0x30;

/** Rewrites the only Content-Length where another reader could take its text for another number or for none. */
function canonicalizeLength(fields: Fields, length: number): void {
  const { text, table } = fields;
  const at = fields.indexOfKnown(CONTENT_LENGTH) * 4;
  if (at < 0) return;
  const nameEnd = table[at + 1]!;
  const start = table[at + 2]!;
  const end = table[at + 3]!;
  const padded = text.charCodeAt(start) === ZERO && end - start > 1;
  const spaced = start - nameEnd > 2 || text.charCodeAt(start - 1) === HTAB || text.charCodeAt(end) !== CR;
  if (!padded && !spaced) return;
  fields.removeKnown(CONTENT_LENGTH);
  fields.add('Content-Length', String(length));
}

const BLANKS = /^[\t ]+|[\t ]+$/g;
/** A coding's name, and parameters that it may have (RFC 9110 §10.1.4). */
const CODING = /^[a-z0-9!#$%&'*+.^_`|~-]+(?:[\t ]*;.*)?$/;

/** 0: exactly one Transfer-Encoding that says "chunked"; else the status to refuse with. */
function checkTransferEncoding(fields: Fields): number {
  const index = fields.indexOfKnown(TRANSFER_ENCODING);
  const only = fields.indexOfKnown(TRANSFER_ENCODING, index + 1) < 0;
  if (only && fields.valueAt(index).toLowerCase() === 'chunked') return 0;
  const codings = (fields.known(TRANSFER_ENCODING) ?? '').toLowerCase().split(',');
  // §6.3: a request's body ends nowhere unless "chunked" comes last. §7.1: it comes once, and has no parameters.
  if (codings.pop()?.replace(BLANKS, '') !== 'chunked') return 400;
  for (const coding of codings) {
    const name = coding.replace(BLANKS, '');
    if (!CODING.test(name) || /^chunked\b/.test(name)) return 400;
  }
  // §6.1: valid, and no coding but chunked is taken off here.
  return 501;
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
  canonicalizeLength(fields, framing.length);
  framing.kind = framing.length === 0 ? NO_BODY : LENGTH;
  return 0;
}

/** The Content-Length that there is, or that all of several say in the same digits (§6.3); else -1. */
function agreedLength(fields: Fields): number {
  const [first = '', ...others] = fields
    .known(CONTENT_LENGTH)!
    .split(',')
    .map((one) => one.replace(BLANKS, ''));
  if (others.length === 0) return parseLength(first);
  const length = others.every((one) => one === first) ? parseLength(first) : -1;
  if (length < 0) return -1;
  fields.removeKnown(CONTENT_LENGTH);
  fields.add('Content-Length', String(length));
  return length;
}

/**
 * false: the response's framing cannot be trusted (502). `method` is that of the request it answers (§6.3). `agreeing`:
 * several Content-Lengths that say the same are one.
 */
export function responseFraming(
  fields: Fields,
  { minor, status, rewritten }: ResponseHead,
  method: string,
  agreeing: boolean,
  framing: BodyFraming,
): boolean {
  const sized = fields.has(CONTENT_LENGTH);
  const coded = fields.has(TRANSFER_ENCODING);
  // §6.3 has a response of an unknown coding end with the connection; its content could not be sent on as it is.
  if (coded && (minor === 0 || sized || checkTransferEncoding(fields) !== 0)) return false;
  const length = sized ? (agreeing ? agreedLength(fields) : onlyLength(fields)) : 0;
  if (length < 0) return false;
  framing.length = length;
  framing.doubtful = rewritten;
  if (status < 200 || status === 204) {
    // RFC 9110 §8.6, RFC 9112 §6.1: it has no body to frame; a backend that says otherwise may send one all the same.
    if (length > 0 || coded) framing.doubtful = true;
    fields.remove('content-length');
  } else if (sized) canonicalizeLength(fields, length);
  if (method === 'HEAD' || status === 204 || status === 304 || status < 200) framing.kind = NO_BODY;
  else if (coded) framing.kind = CHUNKED;
  else if (!sized) framing.kind = UNTIL_CLOSE;
  else framing.kind = length === 0 ? NO_BODY : LENGTH;
  return true;
}
