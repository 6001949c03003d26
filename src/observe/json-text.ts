/** Converts text to a JSON string in ASCII, cheaply when there is nothing to escape. Hot. */

// oxlint-disable-next-line no-control-regex -- these are the characters that JSON wants escaped, and all that is not ASCII
const ESCAPED = /["\\\u0000-\u001f\u007f-\uffff]/;
const NOT_ASCII = /[\u007f-\uffff]/g;

export function jsonText(text: string): string {
  if (!ESCAPED.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(NOT_ASCII, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
