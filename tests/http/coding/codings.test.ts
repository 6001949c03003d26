import { expect, test } from 'vitest';
import { codingsIn } from '../../../src/http/coding/codings.ts';

const KNOWN = ['gzip', 'br', 'zstd', 'deflate'] as const;

test.each([
  ['gzip', ['gzip']],
  ['X-GZip', ['gzip']],
  ['br, gzip', ['br', 'gzip']],
  [' zstd ,\tdeflate ', ['zstd', 'deflate']],
  ['identity', []],
  [', gzip, identity,', ['gzip']],
  ['', []],
  ['compress', null],
  ['gzip, aes128gcm', null],
  ['gzip;q=1', null],
  ['gzip, gzip, gzip', ['gzip', 'gzip', 'gzip']],
  ['gzip, gzip, gzip, gzip', null],
])('%j: %j', (value, codings) => {
  expect(codingsIn(value, KNOWN, 3)).toEqual(codings);
});

test('a coding that is not among the known ones', () => {
  expect(codingsIn('br', ['gzip'], 3)).toBeNull();
});
