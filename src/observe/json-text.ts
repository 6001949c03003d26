/** Text as a JSON string, cheaply when there is nothing to escape. Hot. */

// oxlint-disable-next-line no-control-regex -- these are the characters that JSON wants escaped
const ESCAPED = /["\\\u0000-\u001f\u007f-\uffff]/;

export function jsonText(text: string): string {
  return ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`;
}
