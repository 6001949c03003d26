import { expect, test } from 'vitest';
import { idleLimit } from '../../../src/http/h1/keep-alive.ts';
import { fieldsOfLines } from '../../support/field-lines.ts';

const limitOf = (...values: readonly string[]): number =>
  idleLimit(fieldsOfLines(values.map((value) => `Keep-Alive: ${value}\r\n`).join('')));

test.each([
  [4000, 'timeout=5'],
  [4000, 'timeout=5, max=100'],
  [4000, 'MAX=3 , Timeout=5 '],
  [1000, 'timeout=2'],
  [500, 'timeout=1'],
  [0, 'timeout=0'],
  [0, 'timeout=5, max=0'],
  [0, 'max=0'],
  [Infinity, 'max=1'],
  [Infinity, ''],
  [Infinity, 'timeout'],
  [Infinity, 'timeout='],
  [Infinity, 'timeout=5s'],
  [Infinity, 'timeout="5"'],
  [Infinity, 'timeout=-5'],
  [Infinity, 'x-timeout=5'],
  [Infinity, 'xtimeout=5, maxx=0'],
  [4000, ',, ,timeout=5'],
  [999_999_000, `timeout=${'9'.repeat(40)}`],
])('%i ms are safe after %j', (ms, value) => expect(limitOf(value)).toBe(ms));

test('of several the least counts', () => {
  expect(limitOf('timeout=9', 'timeout=5')).toBe(4000);
  expect(limitOf('timeout=9', 'max=0')).toBe(0);
  expect(idleLimit(fieldsOfLines('A: timeout=5\r\n'))).toBe(Infinity);
});
