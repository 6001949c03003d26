/**
 * Parses how long a server keeps an idle connection: `Keep-Alive: timeout=5, max=100` (RFC 2068 §19.7.1). Hot.
 *
 * If a request crosses the server's close on the wire, it is lost, and only an idempotent request can be retried. The
 * gateway therefore closes the connection a little before the server does.
 */
import type { Fields } from '../fields.ts';
import { KEEP_ALIVE } from '../known.ts';

/** Milliseconds before the server's own timeout; half of that timeout if it is shorter than twice this. */
const MARGIN = 1000;
/** Seconds. A longer timeout is no practical limit. */
const LONGEST = 1e6;

/**
 * Returns the milliseconds for which the connection may be idle after this response. 0 means that it may carry no
 * further request, Infinity that the server does not say. Malformed values are ignored.
 */
export function idleLimit(fields: Fields): number {
  let limit = Number.POSITIVE_INFINITY;
  for (let i = fields.indexOfKnown(KEEP_ALIVE); i >= 0; i = fields.indexOfKnown(KEEP_ALIVE, i + 1)) {
    const [start, end] = [fields.table[i * 4 + 2]!, fields.table[i * 4 + 3]!];
    const timeout = parameter(fields.text, start, end, 'timeout=');
    if (timeout >= 0) limit = Math.min(limit, timeout * 1000 - Math.min(MARGIN, timeout * 500));
    // The number of further requests that the server accepts.
    if (parameter(fields.text, start, end, 'max=') === 0) limit = 0;
  }
  return limit;
}

const COMMA = 0x2c;
const SPACE = 0x20;
const TAB = 0x09;
const ZERO = 0x30;

/** Returns the number after `name` (lower case, with "=") in a list in text[start, end), or -1. Makes no strings. */
function parameter(text: string, start: number, end: number, name: string): number {
  let at = start;
  while (at < end) {
    while (at < end && isBlank(text.charCodeAt(at))) at++;
    let i = 0;
    while (i < name.length && at < end && lower(text.charCodeAt(at)) === name.charCodeAt(i)) {
      at++;
      i++;
    }
    if (i === name.length) return digits(text, at, end);
    while (at < end && text.charCodeAt(at) !== COMMA) at++;
    at++;
  }
  return -1;
}

function digits(text: string, start: number, end: number): number {
  let value = 0;
  let at = start;
  for (; at < end; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) break;
    value = Math.min(LONGEST, value * 10 + digit);
  }
  const follows = at === end ? COMMA : text.charCodeAt(at);
  return at > start && (follows === COMMA || isBlank(follows)) ? value : -1;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

function lower(code: number): number {
  return code >= 0x41 && code <= 0x5a ? code | 0x20 : code;
}
