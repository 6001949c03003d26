import { expect, test } from 'vitest';
import { Fields } from '../../src/http/fields.ts';
import { CONNECTION } from '../../src/http/known.ts';

const all = (fields: Fields): string[] => {
  const lines: string[] = [];
  fields.forEach((name, value) => lines.push(`${name}=${value}`));
  return lines;
};

test('fields that were added are found, replaced and removed like those that came', () => {
  const fields = Fields.ofLines('Host: a\r\nX-One: 1\r\n');
  expect(fields.untouched).toBe(true);
  fields.add('X-Two', '2');
  fields.addLine('Via: 1.1 prozy\r\n');
  fields.add('x-one', 'b: c');
  fields.add('X-Empty', '');
  expect(fields.untouched).toBe(false);
  expect([fields.get('x-one'), fields.get('via'), fields.get('x-empty')]).toEqual(['1, b: c', '1.1 prozy', '']);
  expect(fields.lines()).toBe('Host: a\r\nX-One: 1\r\nX-Two: 2\r\nVia: 1.1 prozy\r\nx-one: b: c\r\nX-Empty: \r\n');
  fields.remove('x-one');
  fields.set('VIA', 'other');
  expect(all(fields)).toEqual(['Host=a', 'X-Two=2', 'X-Empty=', 'VIA=other']);
  const copy = new Fields();
  copy.copy(fields);
  fields.remove('via');
  expect(all(copy)).toEqual(['Host=a', 'X-Two=2', 'X-Empty=', 'VIA=other']);
});

test('one that is used again has nothing of the message before', () => {
  const fields = Fields.ofLines('Host: a\r\n');
  fields.add('Set-Cookie', 'secret');
  fields.add('X-Two', '2');
  fields.reset();
  expect([fields.untouched, fields.lines(), fields.get('set-cookie'), all(fields)]).toEqual([true, '', undefined, []]);
  fields.add('X-New', '1');
  expect(all(fields)).toEqual(['X-New=1']);
});

test.each([
  ['Connection: keep-alive\r\n', true],
  ['connection: Keep-Alive\r\n', true],
  ['Connection: keep-alive, close\r\n', false],
  ['Connection: keep-alive\r\nConnection: close\r\n', false],
  ['Connection: keep-aliv\r\n', false],
  ['X: keep-alive\r\n', false],
])('does "%s" say keep-alive and nothing else: %s', (lines, says) => {
  expect(Fields.ofLines(lines).says(CONNECTION, 'keep-alive')).toBe(says);
});
