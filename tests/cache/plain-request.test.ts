import { expect, test } from 'vitest';
import { isPlainRequest } from '../../src/cache/plain-request.ts';
import { Fields } from '../../src/http/fields.ts';
import { knownId } from '../../src/http/known.ts';

/** As the parser leaves it: in the table, not added. */
function parsed(...lines: readonly (readonly [string, string])[]): Fields {
  const fields = new Fields();
  fields.text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  let at = 0;
  for (const [name, value] of lines) {
    const valueAt = at + name.length + 2;
    fields.push(knownId(name.toLowerCase()), at, at + name.length, valueAt, valueAt + value.length);
    at = valueAt + value.length + 2;
  }
  fields.end = at;
  return fields;
}

test.each([
  'Cache-Control',
  'Pragma',
  'Range',
  'If-Match',
  'If-None-Match',
  'If-Modified-Since',
  'If-Unmodified-Since',
])('one with %s is not plain', (name) => {
  expect(isPlainRequest(parsed(['Host', 'h'], [name, 'x']))).toBe(false);
});

test('others are, but what a policy has added may be anything', () => {
  const fields = parsed(['Host', 'h'], ['Accept', '*/*'], ['Cookie', 'a'], ['If-Range', '"a"']);
  expect(isPlainRequest(fields)).toBe(true);
  fields.add('x-forwarded-for', '::1');
  expect(isPlainRequest(fields)).toBe(false);
});
