/** Fields as a codec reads them from HTTP/1.1. */
import { Fields } from '../../src/http/fields.ts';
import { LINES } from '../../src/http/h1/field-lines.ts';

/** `lines`: `name: value`, each with a CRLF at its end. */
export function fieldsOfLines(lines: string): Fields {
  const fields = new Fields();
  LINES.copyTo(lines, lines.length, fields);
  return fields;
}
