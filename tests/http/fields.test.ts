import { expect, test } from 'vitest';
import { Fields } from '../../src/http/fields.ts';
import { CONNECTION, DATE, HOST, RANGE, UPGRADE } from '../../src/http/known.ts';
import { fieldsOfLines } from '../support/field-lines.ts';

const all = (fields: Fields): string[] => {
  const lines: string[] = [];
  fields.forEach((name, value) => lines.push(`${name}=${value}`));
  return lines;
};

test('fields that were added are found, replaced and removed like those that came', () => {
  const fields = fieldsOfLines('Host: a\r\nX-One: 1\r\n');
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
  const fields = fieldsOfLines('Host: a\r\n');
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
  expect(fieldsOfLines(lines).says(CONNECTION, 'keep-alive')).toBe(says);
});

test('has is true exactly where known has a value, for received, added and removed fields', () => {
  const fields = fieldsOfLines('Range: a\r\nRange: b\r\nHost: h\r\nUpgrade: x\r\n');
  const agree = (id: number): boolean => {
    expect(fields.has(id)).toBe(fields.known(id) !== undefined);
    return fields.has(id);
  };
  expect([agree(RANGE), agree(HOST), agree(DATE)]).toEqual([true, true, false]);
  fields.removeAt(0);
  expect([agree(RANGE), fields.known(RANGE)]).toEqual([true, 'b']);
  fields.add('RANGE', 'c');
  expect(fields.known(RANGE)).toBe('b, c');
  fields.removeKnown(RANGE);
  expect([agree(RANGE), fields.get('range')]).toEqual([false, undefined]);
  fields.addLine('Date: now\r\n');
  expect([agree(DATE), fields.known(DATE)]).toEqual([true, 'now']);
  fields.set('date', 'later');
  expect([agree(DATE), fields.known(DATE)]).toEqual([true, 'later']);
  fields.remove('date');
  expect(agree(DATE)).toBe(false);
  fields.add('Upgrade', 'y');
  fields.removeAll((1 << UPGRADE) | (1 << HOST));
  expect([agree(UPGRADE), fields.known(UPGRADE), agree(HOST)]).toEqual([true, 'y', false]);
});

test('known ids need not fit into one 32-bit mask', () => {
  const fields = new Fields();
  fields.text = 'A: 1\r\nB: 2\r\n';
  fields.end = fields.text.length;
  fields.push(HOST, 0, 1, 3, 4);
  fields.push(HOST + 32, 6, 7, 9, 10);
  expect([fields.known(HOST), fields.known(HOST + 32)]).toEqual(['1', '2']);
  fields.removeAll(1 << HOST);
  expect([fields.has(HOST), fields.has(HOST + 32)]).toEqual([false, true]);
  fields.removeKnown(HOST + 32);
  expect([fields.has(HOST + 32), fields.seen]).toEqual([false, 0]);
});
