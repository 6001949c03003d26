/**
 * Parses a Cache-Control or Pragma value into its members (RFC 9111 §5.2, RFC 9110 §5.6.1). Hot.
 *
 *     cache-directive = token [ "=" ( token / quoted-string ) ]
 *
 * The parser is tolerant, because an overlooked member may be a "no-store": a malformed member is still reported with
 * the name that it begins with, marked as malformed, and an unterminated quoted string hides nothing that follows it.
 */
import { TOKEN } from '../../http/token.ts';

const TAB = 9;
const SPACE = 32;
const QUOTE = 34;
const COMMA = 44;
const EQUALS = 61;
const BACKSLASH = 92;

/** 2^31, which represents any larger value (RFC 9111 §1.2.2). */
export const MAX_SECONDS = 2_147_483_648;

export function isTokenChar(code: number): boolean {
  return code < 256 && TOKEN[code] === 1;
}

/** delta-seconds (RFC 9111 §1.2.2), or -1 if the text is not that. */
export function deltaSeconds(text: string): number {
  if (text.length === 0) return -1;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = Math.min(value * 10 + digit, MAX_SECONDS);
  }
  return value;
}

export class DirectiveReader {
  readonly #text: string;
  #at = 0;
  /** The current member's name in lower case; '' if it does not begin with a token. */
  name = '';
  /** Its argument, unquoted; null if it has none, '' also if nothing follows its "=". */
  argument: string | null = null;
  /** Is the current member malformed? */
  malformed = false;
  /** Was there an unterminated quoted string? */
  torn = false;

  constructor(text: string) {
    this.#text = text;
  }

  /** Reads the next member. Empty members are skipped (RFC 9110 §5.6.1.2). */
  next(): boolean {
    const text = this.#text;
    let at = this.#at;
    while (at < text.length && isBetween(text.charCodeAt(at))) at++;
    if (at === text.length) return false;
    const start = at;
    while (at < text.length && isTokenChar(text.charCodeAt(at))) at++;
    this.name = text.slice(start, at).toLowerCase();
    this.argument = null;
    this.malformed = at === start;
    if (text.charCodeAt(at) === EQUALS) at = this.#readArgument(at + 1);
    while (at < text.length && isBlank(text.charCodeAt(at))) at++;
    if (at < text.length && text.charCodeAt(at) !== COMMA) {
      this.malformed = true;
      at = this.#endOfMember(at);
    }
    this.#at = at;
    return true;
  }

  #readArgument(from: number): number {
    const text = this.#text;
    if (text.charCodeAt(from) === QUOTE) {
      const end = this.#endOfQuoted(from);
      if (end > 0) {
        this.argument = unquoted(text, from + 1, end - 1);
        return end;
      }
      this.torn = true;
      this.argument = '';
      return from + 1;
    }
    let at = from;
    while (at < text.length && isTokenChar(text.charCodeAt(at))) at++;
    this.argument = text.slice(from, at);
    return at;
  }

  /** The end of the quoted string that begins at `from`, or -1. */
  #endOfQuoted(from: number): number {
    const text = this.#text;
    for (let at = from + 1; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) return at + 1;
      if (code === BACKSLASH) at++;
    }
    return -1;
  }

  /** The comma behind the member, or the end of the text; commas in quoted strings don't count. */
  #endOfMember(from: number): number {
    const text = this.#text;
    let at = from;
    while (at < text.length && text.charCodeAt(at) !== COMMA) {
      const end = text.charCodeAt(at) === QUOTE && !this.torn ? this.#endOfQuoted(at) : at + 1;
      if (end < 0) this.torn = true;
      at = end < 0 ? at + 1 : end;
    }
    return at;
  }
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

function isBetween(code: number): boolean {
  return code === COMMA || isBlank(code);
}

function unquoted(text: string, start: number, end: number): string {
  const raw = text.slice(start, end);
  return raw.includes('\\') ? raw.replace(/\\(.)/gs, '$1') : raw;
}
