/**
 * Optional whitespace around a value (OWS, RFC 9110 §5.6.3): spaces and tabs, and nothing else. Hot.
 *
 * By index and not by a regular expression: `/[\t ]+$/` starts anew at each blank of `a     b`, and takes time that grows
 * with the square of what a peer has sent.
 */

const HTAB = 0x09;
const SPACE = 0x20;

function isBlank(code: number): boolean {
  return code === SPACE || code === HTAB;
}

/** The first place from `start` on that is no blank; the text's length if there is none. */
export function skipBlanks(text: string, start: number): number {
  let at = start;
  while (isBlank(text.charCodeAt(at))) at++;
  return at;
}

/** The place after the last character that is no blank; not below `start`. */
export function endBeforeBlanks(text: string, start: number): number {
  let end = text.length;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return end;
}

export function trimBlanks(text: string): string {
  const start = skipBlanks(text, 0);
  return text.slice(start, endBeforeBlanks(text, start));
}
