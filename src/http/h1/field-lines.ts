/** Fields as HTTP/1.1 writes them, each on a line of its own (RFC 9112 §5), and what follows them (§2.1, §6.2). Hot. */
import type { FieldCoding } from '../field-list.ts';
import { knownId } from '../known.ts';

export const LINES: FieldCoding = {
  encode: (name, value) => `${name}: ${value}\r\n`,
  between: (length) => (length < 0 ? '\r\n' : `Content-Length: ${length}\r\n\r\n`),
  forEach(text, end, visit) {
    for (let at = 0; at < end; ) {
      const last = text.indexOf('\r\n', at);
      const colon = text.indexOf(':', at);
      visit(text.slice(at, colon), text.slice(colon + 2, last), at, last + 2);
      at = last + 2;
    }
  },
  copyTo(text, end, fields) {
    fields.text = text;
    fields.end = end;
    for (let at = 0; at < end; ) {
      const last = text.indexOf('\r\n', at);
      const colon = text.indexOf(':', at);
      fields.push(knownId(text.slice(at, colon).toLowerCase()), at, colon, Math.min(colon + 2, last), last);
      at = last + 2;
    }
  },
};
