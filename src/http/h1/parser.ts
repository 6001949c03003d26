/**
 * Parses message heads, byte by byte (RFC 9112 §2 to §5). Hot.
 *
 * server.ts and client.ts call it with the bytes that have arrived. The result is the offset at which the head ends,
 * INCOMPLETE, or the status that refuses the head. The parser is stricter than the RFC requires where leniency enables
 * request smuggling: no bare CR or LF anywhere, no line folding, no white space before a colon, no control characters.
 *
 * The head's text is created once, as one Latin-1 string; all offsets point into it (http/fields.ts).
 */
import type { Fields } from '../fields.ts';
import type { ResponsesPlan } from '../../plan/types/responses.ts';
import { knownIdOfBytes, UNDERSCORED } from '../known.ts';
import { TOKEN } from '../token.ts';
import { NAME, RAW, SUSPECT, TARGET, MARK_IN_NAME, VALUE } from './charset.ts';

/** More bytes are needed. A negative result is a negated status; a positive one is the offset after the head. */
export const INCOMPLETE = 0;

export interface HeadLimits {
  /** Bytes of a whole head; 431 beyond. */
  readonly headerSize: number;
  /** Fields in a head; 431 beyond. */
  readonly headerCount: number;
  /** Bytes of a request target; 414 beyond. */
  readonly uriSize: number;
}

export class RequestHead {
  method = '';
  target = '';
  /** The x in HTTP/1.x. */
  minor = 1;
  /** The target's path contains "%", "\", ";", "//" or "/.", so that it may not be in normal form. */
  abnormal = false;
  /** The target has bytes above 0x7f. */
  raw = false;
}

export class ReceivedHead {
  status = 0;
  reason = '';
  minor = 1;
  /** The head had a fault that was forgiven (lenient-head.ts). */
  rewritten = false;
}

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const HTAB = 0x09;
const COLON = 0x3a;
const DOT = 0x2e;
const QUESTION_MARK = 0x3f;
const SLASH = 0x2f;
const ZERO = 0x30;

const BAD_REQUEST = -400;
const NOT_IMPLEMENTED = -501;
const URI_TOO_LONG = -414;
export const FIELDS_TOO_LARGE = -431;
const VERSION_NOT_SUPPORTED = -505;
const BAD_GATEWAY = -502;
const LONGEST_METHOD = 32;

const METHODS = ['GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'PATCH', 'CONNECT', 'TRACE'];
const METHOD_BYTES = METHODS.map((name) => Buffer.from(name));

function methodOf(bytes: Buffer, start: number, end: number): string {
  for (let m = 0; m < METHOD_BYTES.length; m++) {
    const name = METHOD_BYTES[m]!;
    if (name.length !== end - start) continue;
    let i = 0;
    while (i < name.length && name[i] === bytes[start + i]) i++;
    if (i === name.length) return METHODS[m]!;
  }
  return bytes.toString('latin1', start, end);
}

/** Parses one request head from bytes[start, end). `fields` must be empty. */
export function parseRequestHead(
  bytes: Buffer,
  start: number,
  end: number,
  limits: HeadLimits,
  head: RequestHead,
  fields: Fields,
): number {
  const last = Math.min(end, start + limits.headerSize);
  const tooLong = end > last;
  let at = start;

  // Empty lines before the request line are ignored (RFC 9112 §2.2); they count towards the size of the head.
  while (at < last && bytes[at] === CR) {
    if (at + 1 === last) return tooLong ? FIELDS_TOO_LARGE : INCOMPLETE;
    if (bytes[at + 1] !== LF) return BAD_REQUEST;
    at += 2;
  }

  const methodStart = at;
  while (at < last && TOKEN[bytes[at]!] === 1) at++;
  // RFC 9112 §3: the method is longer than any known one.
  if (at - methodStart > LONGEST_METHOD) return NOT_IMPLEMENTED;
  if (at === last) return tooLong ? FIELDS_TOO_LARGE : INCOMPLETE;
  if (at === methodStart || bytes[at] !== SP) return BAD_REQUEST;
  const methodEnd = at++;

  const targetStart = at;
  let abnormal = false;
  let raw = false;
  let inPath = true;
  while (at < last) {
    const byte = bytes[at]!;
    const kind = TARGET[byte]!;
    if (kind === 0) break;
    if (kind >= SUSPECT) {
      if (kind === RAW) raw = true;
      else if (byte === QUESTION_MARK) inPath = false;
      else if (inPath && ((byte !== DOT && byte !== SLASH) || bytes[at - 1] === SLASH)) abnormal = true;
    }
    at++;
  }
  if (at - targetStart > limits.uriSize) return URI_TOO_LONG;
  if (at === last) return tooLong ? URI_TOO_LONG : INCOMPLETE;
  if (at === targetStart || bytes[at] !== SP) return BAD_REQUEST;
  const targetEnd = at++;

  const version = parseVersion(bytes, at, last);
  if (version < 0) return version;
  if (version === INCOMPLETE_VERSION || at + 10 > last) return tooLong ? FIELDS_TOO_LARGE : INCOMPLETE;
  at += 8;
  if (bytes[at] !== CR || bytes[at + 1] !== LF) return BAD_REQUEST;

  const result = parseFields(bytes, start, at + 2, last, limits.headerCount, fields);
  if (result <= 0) return result === INCOMPLETE && tooLong ? FIELDS_TOO_LARGE : result;
  const text = bytes.toString('latin1', start, result);
  fields.text = text;
  head.method = methodOf(bytes, methodStart, methodEnd);
  head.target = text.slice(targetStart - start, targetEnd - start);
  head.minor = version;
  head.abnormal = abnormal;
  head.raw = raw;
  return result;
}

/**
 * May bytes[start, end) complete a head of now `length` bytes? One that arrives in small parts is parsed again only when a
 * line has ended or the head is too long.
 */
export function worthParsing(
  bytes: Buffer,
  start: number,
  end: number,
  length: number,
  limits: HeadLimits | undefined,
): boolean {
  if (limits === undefined || length > limits.headerSize || length > limits.uriSize) return true;
  for (let i = start; i < end; i++) if (bytes[i] === LF || bytes[i] === 0) return true;
  return false;
}

const INCOMPLETE_VERSION = 99;
const VERSION_PREFIX = Buffer.from('HTTP/');

/**
 * Parses "HTTP/1.x" at `at`. Returns x, INCOMPLETE_VERSION or a negated status. A minor version above 1 counts as 1,
 * since higher minor versions are compatible (RFC 9110 §2.5).
 */
function parseVersion(bytes: Buffer, at: number, last: number): number {
  for (let i = 0; i < 5; i++) {
    if (at + i === last) return INCOMPLETE_VERSION;
    if (bytes[at + i] !== VERSION_PREFIX[i]) return BAD_REQUEST;
  }
  if (at + 8 > last) return INCOMPLETE_VERSION;
  const major = bytes[at + 5]! - ZERO;
  const minor = bytes[at + 7]! - ZERO;
  if (major < 0 || major > 9 || bytes[at + 6] !== DOT || minor < 0 || minor > 9) return BAD_REQUEST;
  if (major !== 1) return VERSION_NOT_SUPPORTED;
  return minor === 0 ? 0 : 1;
}

/** Parses one response head from bytes[start, end). A malformed head gives a negated 502 or FIELDS_TOO_LARGE. */
export function parseResponseHead(
  bytes: Buffer,
  start: number,
  end: number,
  rules: ResponsesPlan,
  head: ReceivedHead,
  fields: Fields,
): number {
  const last = Math.min(end, start + rules.headerSize);
  const short = end > last ? FIELDS_TOO_LARGE : INCOMPLETE;
  const version = parseVersion(bytes, start, last);
  if (version < 0) return BAD_GATEWAY;
  if (version === INCOMPLETE_VERSION) return short;
  let at = start + 8;
  if (at + 4 > last) return bytes[at] !== undefined && at < last && bytes[at] !== SP ? BAD_GATEWAY : short;
  if (bytes[at] !== SP) return BAD_GATEWAY;
  const a = bytes[at + 1]! - ZERO;
  const b = bytes[at + 2]! - ZERO;
  const c = bytes[at + 3]! - ZERO;
  // RFC 9110 §15: statuses above 599 are undefined.
  if (a < 1 || a > (rules.statusAbove599 ? 9 : 5) || b < 0 || b > 9 || c < 0 || c > 9) return BAD_GATEWAY;
  at += 4;
  if (at === last) return short;
  // Servers often omit the space before an empty reason, which RFC 9112 §4 requires.
  let reasonStart = at;
  if (bytes[at] === SP) {
    reasonStart = ++at;
    while (at < last && VALUE[bytes[at]!] === 1) at++;
  }
  const reasonEnd = at;
  if (at + 2 > last) return at < last && bytes[at] !== CR ? BAD_GATEWAY : short;
  if (bytes[at] !== CR || bytes[at + 1] !== LF) return BAD_GATEWAY;

  const result = parseFields(bytes, start, at + 2, last, rules.headerCount, fields);
  if (result < 0) return result === FIELDS_TOO_LARGE ? result : BAD_GATEWAY;
  if (result === INCOMPLETE) return short;
  const text = bytes.toString('latin1', start, result);
  fields.text = text;
  head.status = a * 100 + b * 10 + c;
  head.reason = text.slice(reasonStart - start, reasonEnd - start);
  head.minor = version;
  head.rewritten = false;
  return result;
}

/**
 * Parses field lines up to and including the empty line that ends them (RFC 9112 §5). Recorded offsets are relative to
 * `base`. Returns INCOMPLETE, a negated status, or the offset at which the empty line ends.
 */
export function parseFields(
  bytes: Buffer,
  base: number,
  start: number,
  last: number,
  most: number,
  fields: Fields,
): number {
  let at = start;
  for (;;) {
    if (at === last) return INCOMPLETE;
    if (bytes[at] === CR) {
      if (at + 1 === last) return INCOMPLETE;
      if (bytes[at + 1] !== LF) return BAD_REQUEST;
      fields.end = at - base;
      return at + 2;
    }
    const lineStart = at;
    let kinds = 0;
    while (at < last) {
      const kind = NAME[bytes[at]!]!;
      if (kind === 0) break;
      kinds |= kind;
      at++;
    }
    if (at === last) return INCOMPLETE;
    // This also refuses a line that begins with white space (obs-fold, §5.2) and white space before the colon (§5.1).
    if (at === lineStart || bytes[at] !== COLON) return BAD_REQUEST;
    const nameEnd = at++;
    while (at < last && (bytes[at] === SP || bytes[at] === HTAB)) at++;
    const valueStart = at;
    while (at < last && VALUE[bytes[at]!] === 1) at++;
    let valueEnd = at;
    if (at + 2 > last) return at < last && bytes[at] !== CR ? BAD_REQUEST : INCOMPLETE;
    if (bytes[at] !== CR || bytes[at + 1] !== LF) return BAD_REQUEST;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === HTAB)) valueEnd--;
    if (fields.count === most) return FIELDS_TOO_LARGE;
    fields.push(
      (kinds & MARK_IN_NAME) !== 0 ? UNDERSCORED : knownIdOfBytes(bytes, lineStart, nameEnd),
      lineStart - base,
      nameEnd - base,
      valueStart - base,
      valueEnd - base,
    );
    at += 2;
  }
}
