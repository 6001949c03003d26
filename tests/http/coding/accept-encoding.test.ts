import { expect, test } from 'vitest';
import { chooseCoding } from '../../../src/http/coding/accept-encoding.ts';

const ALL = ['zstd', 'br', 'gzip'] as const;

test.each([
  // RFC 9110 §12.5.3, with its examples.
  [undefined, null],
  ['', null],
  ['compress, gzip', 'gzip'],
  ['*', 'zstd'],
  ['compress;q=0.5, gzip;q=1.0', 'gzip'],
  ['gzip;q=1.0, identity; q=0.5, *;q=0', 'gzip'],
  // What browsers send.
  ['gzip, deflate', 'gzip'],
  ['gzip, deflate, br', 'br'],
  ['gzip, deflate, br, zstd', 'zstd'],
  // Weights come before the operator's order.
  ['zstd;q=0.1, gzip;q=0.9, br;q=0.8', 'gzip'],
  ['zstd;q=0.5, br;q=0.5', 'zstd'],
  ['br;q=0.001', 'br'],
  ['br ; q=0.3 , gzip ;\tq=0.4', 'gzip'],
  ['GZIP;Q=1.000', 'gzip'],
  ['x-gzip', 'gzip'],
  // 0 excludes, and "*" stands for what is not named.
  ['gzip;q=0', null],
  ['gzip;q=0.000, br', 'br'],
  ['zstd;q=0, *', 'br'],
  ['zstd;q=0, br;q=0, gzip;q=0, *', null],
  ['*;q=0', null],
  ['*;q=0, gzip', 'gzip'],
  ['identity;q=0', null],
  ['identity;q=0, *', 'zstd'],
  ['identity;q=0, gzip;q=0.1', 'gzip'],
  // No coding is preferred only if that is said.
  ['identity', null],
  ['identity, gzip;q=0.5', null],
  ['identity;q=0.5, gzip;q=0.5', 'gzip'],
  ['*;q=0.5, gzip;q=0.2', 'zstd'],
  // Members that are no choice, or a malformed one.
  [', ,gzip,', 'gzip'],
  ['gzip;q=2', null],
  ['gzip;q=0.1234', null],
  ['gzip;q=', null],
  ['gzip;level=9', null],
  ['gzip, gzip;q=0', null],
  ['br2, xgzip', null],
  ['none', null],
])('%j: %j', (acceptEncoding, coding) => {
  expect(chooseCoding(acceptEncoding, ALL)).toBe(coding);
});

test('chooses among those that are offered', () => {
  expect(chooseCoding('zstd, br, gzip', ['gzip', 'br'])).toBe('gzip');
  expect(chooseCoding('zstd, br', ['gzip'])).toBeNull();
});
