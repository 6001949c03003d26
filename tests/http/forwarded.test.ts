import { expect, test } from 'vitest';
import { bareAddress } from '../../src/http/forwarded.ts';

test.each([
  ['10.1.1.1', '10.1.1.1'],
  ['10.1.1.1:80', '10.1.1.1'],
  ['[2001:db8::1]:80', '2001:db8::1'],
  ['::1', '::1'],
  ['::ffff:10.1.1.1', '10.1.1.1'],
  ['::FFFF:10.1.1.1', '10.1.1.1'],
  ['[::ffff:10.1.1.1]:80', '10.1.1.1'],
  ['::ffff:a01:101', '10.1.1.1'],
  ['0:0:0:0:0:ffff:0a01:0101', '10.1.1.1'],
  ['0:0::ffff:10.1.1.1', '10.1.1.1'],
  ['::ffff:0:0', '0.0.0.0'],
  ['::ffff:1', '::ffff:1'],
  ['::ffff:0:10.1.1.1', '::ffff:0:10.1.1.1'],
  ['1::ffff:10.1.1.1', '1::ffff:10.1.1.1'],
  ['::ffff:10.1.1.256', null],
  ['unknown', null],
])('%s is the address %s', (text, address) => {
  expect(bareAddress(text)).toBe(address);
});
