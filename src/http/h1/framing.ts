/**
 * Decides from a message's head where its body ends (RFC 9112 §6). Hot.
 *
 * Heads that two readers could understand differently are refused: Content-Length beside Transfer-Encoding, two
 * Content-Lengths even if they agree, a list of them, any coding but a single "chunked". A Content-Length that is valid
 * but unusual ("010", a tab before it) is sent on in canonical digits.
 */
import { trimBlanks } from '../blanks.ts';
import type { Fields } from '../fields.ts';
import { CONTENT_LENGTH, TRANSFER_ENCODING } from '../known.ts';
import type { ReceivedHead } from './parser.ts';
import { UNKNOWN_LENGTH } from '../message.ts';
import { isEmptyBody } from '../status.ts';

/** How the end of a body is determined. */
export const NO_BODY = 0;
export const LENGTH = 1;
export const CHUNKED = 2;
export const UNTIL_CLOSE = 3;
export type Framing = typeof NO_BODY | typeof LENGTH | typeof CHUNKED | typeof UNTIL_CLOSE;

export class BodyFraming {
  kind: Framing = NO_BODY;
  /** Length of the body in bytes if `kind` is LENGTH. */
  length = 0;
  /** Bytes of content that follow, or UNKNOWN_LENGTH. */
  get contentLength(): number {
    return this.kind === LENGTH ? this.length : this.kind === NO_BODY ? 0 : UNKNOWN_LENGTH;
  }

  /** Another reader may find a different end of this response: the connection must not be used again. */
  doubtful = false;
}

const LONGEST_LENGTH = 15;

/** Parses the Content-Length in text[start, end) (RFC 9110 §8.6), or returns -1. Accepts digits only, below 10^15. */
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

/** Returns the only Content-Length, or -1 if there are several or it is not a number. */
function onlyLength(fields: Fields): number {
  const index = fields.indexOfKnown(CONTENT_LENGTH);
  if (fields.indexOfKnown(CONTENT_LENGTH, index + 1) >= 0) return -1;
  return parseLength(fields.text, fields.table[index * 4 + 2], fields.table[index * 4 + 3]);
}

const HTAB = 0x09;
const CR = 0x0d;
const ZERO = 0x30;

/** Rewrites the only Content-Length if another reader could take its text for another number or for none. */
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

/** The name of a coding, with optional parameters (RFC 9110 §10.1.4). */
const CODING = /^[a-z0-9!#$%&'*+.^_`|~-]+(?:[\t ]*;.*)?$/;

/** Returns 0 for exactly one Transfer-Encoding with the value "chunked", else the status to refuse with. */
function checkTransferEncoding(fields: Fields): number {
  const index = fields.indexOfKnown(TRANSFER_ENCODING);
  const only = fields.indexOfKnown(TRANSFER_ENCODING, index + 1) < 0;
  if (only && fields.valueAt(index).toLowerCase() === 'chunked') return 0;
  const codings = (fields.known(TRANSFER_ENCODING) ?? '').toLowerCase().split(',');
  // §6.3: a request's body has no end unless "chunked" is the last coding. §7.1: it appears once and has no parameters.
  if (trimBlanks(codings.pop()!) !== 'chunked') return 400;
  for (const coding of codings) {
    const name = trimBlanks(coding);
    if (!CODING.test(name) || /^chunked\b/.test(name)) return 400;
  }
  // §6.1: valid, but the gateway decodes no coding other than chunked.
  return 501;
}

/** Returns 0, or the status that refuses the request. */
export function requestFraming(fields: Fields, minor: number, framing: BodyFraming): number {
  if (fields.has(TRANSFER_ENCODING)) {
    // Not defined for HTTP/1.0; beside a Content-Length it indicates an attack (§6.1).
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

/** Returns the only Content-Length, or the common value of several with the same digits (§6.3); else -1. */
function agreedLength(fields: Fields): number {
  const [first = '', ...others] = fields.known(CONTENT_LENGTH)!.split(',').map(trimBlanks);
  if (others.length === 0) return parseLength(first);
  const length = others.every((one) => one === first) ? parseLength(first) : -1;
  if (length < 0) return -1;
  fields.removeKnown(CONTENT_LENGTH);
  fields.add('Content-Length', String(length));
  return length;
}

/**
 * Returns false if the response's framing cannot be trusted (502). `method` is the request's method (§6.3). With
 * `agreeing`, several Content-Lengths with the same value count as one.
 */
export function responseFraming(
  fields: Fields,
  { minor, status, rewritten }: ReceivedHead,
  method: string,
  agreeing: boolean,
  framing: BodyFraming,
): boolean {
  const sized = fields.has(CONTENT_LENGTH);
  const coded = fields.has(TRANSFER_ENCODING);
  // §6.3: a response with an unknown coding ends with the connection. Its content could not be sent on as it is.
  if (coded && (minor === 0 || sized || checkTransferEncoding(fields) !== 0)) return false;
  const length = sized ? (agreeing ? agreedLength(fields) : onlyLength(fields)) : 0;
  if (length < 0) return false;
  framing.length = length;
  framing.doubtful = rewritten;
  if (status < 200 || status === 204) {
    // RFC 9110 §8.6, RFC 9112 §6.1: this response has no body. A backend that declares one may send it anyway.
    if (length > 0 || coded) framing.doubtful = true;
    fields.remove('content-length');
  } else if (sized) canonicalizeLength(fields, length);
  if (status < 200 || isEmptyBody(method, status)) framing.kind = NO_BODY;
  else if (coded) framing.kind = CHUNKED;
  else if (!sized) framing.kind = UNTIL_CLOSE;
  else framing.kind = length === 0 ? NO_BODY : LENGTH;
  return true;
}
