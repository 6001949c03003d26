/** Finds one cookie of a request (RFC 6265 §4.2) without parsing the others. Hot. */
import type { Fields } from './fields.ts';

const SEMICOLON = 59;
const COMMA = 44;
const SPACE = 32;
const TAB = 9;

/** Returns the value of the first cookie with that name, or null. */
export function cookieOf(fields: Fields, name: string): string | null {
  return firstFrom(fields.get('cookie') ?? '', name, 0);
}

/** Returns all cookies with that name: readers differ in which one they use. */
export function cookiesOf(fields: Fields, name: string): readonly string[] {
  const text = fields.get('cookie') ?? '';
  const values: string[] = [];
  for (let value = firstFrom(text, name, 0); value !== null; value = firstFrom(text, name, next)) values.push(value);
  return values;
}

/** The offset at which the search for the next cookie continues. */
let next = 0;

function firstFrom(text: string, name: string, from: number): string | null {
  let at = text.indexOf(name, from);
  while (at >= 0) {
    // RFC 6265 §5.2: readers strip blanks around the name.
    let equals = at + name.length;
    while (text.charCodeAt(equals) === SPACE || text.charCodeAt(equals) === TAB) equals++;
    if (text.charCodeAt(equals) === 61 && beginsAt(text, at)) {
      next = endFrom(text, equals + 1);
      return text.slice(equals + 1, next);
    }
    at = text.indexOf(name, at + name.length);
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
