/**
 * Trims optional whitespace around a value (OWS, RFC 9110 §5.6.3): only spaces and tabs. Hot.
 *
 * It uses indexes rather than a regular expression: `/[\t ]+$/` restarts at each blank of `a     b`, so its time grows
 * with the square of the input's length.
 */

const HTAB = 0x09;
const SPACE = 0x20;

function isBlank(code: number): boolean {
  return code === SPACE || code === HTAB;
}

/** Returns the offset of the first non-blank character at or after `start`, or the text's length. */
export function skipBlanks(text: string, start: number): number {
  let at = start;
  while (isBlank(text.charCodeAt(at))) at++;
  return at;
}

/** Returns the offset after the last non-blank character, but at least `start`. */
export function endBeforeBlanks(text: string, start: number): number {
  let end = text.length;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return end;
}

export function trimBlanks(text: string): string {
  const start = skipBlanks(text, 0);
  return text.slice(start, endBeforeBlanks(text, start));
}
