/** Finds one cookie of a request (RFC 6265 §4.2) without parsing the others. Hot. */
import type { Fields } from './fields.ts';

const SEMICOLON = 59;
const COMMA = 44;
const SPACE = 32;
const TAB = 9;

/** Returns the value of the first cookie with that name, or null. */
export function cookieOf(fields: Fields, name: string): string | null {
  const text = fields.get('cookie');
  if (text === undefined) return null;
  let at = text.indexOf(name);
  while (at >= 0) {
    const equals = at + name.length;
    if (text.charCodeAt(equals) === 61 && beginsAt(text, at)) return text.slice(equals + 1, endFrom(text, equals + 1));
    at = text.indexOf(name, equals);
  }
  return null;
}

/** Reports whether only white space lies between this offset and the end of the previous cookie. */
function beginsAt(text: string, at: number): boolean {
  let i = at - 1;
  while (i >= 0 && (text.charCodeAt(i) === SPACE || text.charCodeAt(i) === TAB)) i--;
  if (i < 0) return true;
  const before = text.charCodeAt(i);
  // Several Cookie fields are joined by a comma and a space; a cookie value can contain neither.
  return before === SEMICOLON || (before === COMMA && i < at - 1);
}

function endFrom(text: string, from: number): number {
  let end = from;
  for (; end < text.length; end++) {
    const c = text.charCodeAt(end);
    if (c === SEMICOLON || (c === COMMA && text.charCodeAt(end + 1) === SPACE)) break;
  }
  while (end > from && (text.charCodeAt(end - 1) === SPACE || text.charCodeAt(end - 1) === TAB)) end--;
  return end;
}
