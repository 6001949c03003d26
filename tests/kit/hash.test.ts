import { expect, test } from 'vitest';
import { mix, murmur3, sipHash } from '../../src/kit/hash.ts';

test.each([
  ['', 0, 0],
  ['', 1, 0x514e28b7],
  ['', 0xffffffff, 0x81f16f39],
  ['a', 0x9747b28c, 0x7fa09ea6],
  ['aa', 0x9747b28c, 0x5d211726],
  ['aaa', 0x9747b28c, 0x283e0130],
  ['aaaa', 0x9747b28c, 0x5a97808a],
  ['abc', 0, 0xb3dd93fa],
  ['test', 0, 0xba6bd213],
  ['Hello, world!', 0, 0xc0363e43],
  ['Hello, world!', 0x9747b28c, 0x24884cba],
  ['The quick brown fox jumps over the lazy dog', 0, 0x2e4ff723],
  ['\xff\xff\xff\xff', 0, 0x76293b50],
])('MurmurHash3 of "%s" with seed %i is the published one', (text, seed, hash) => {
  expect(murmur3(text, seed).toString(16)).toBe(hash.toString(16));
});

test('keys that differ little are spread over all of the range', () => {
  const counts = Array.from({ length: 16 }, () => 0);
  for (let i = 0; i < 16_000; i++) counts[murmur3(`user-${i}`) >>> 28]!++;
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
});

test('numbers in a row are mixed into different ones all over the range', () => {
  const mixed = Array.from({ length: 16_000 }, (_, i) => mix(i));
  expect(new Set(mixed).size).toBe(16_000);
  const counts = Array.from({ length: 16 }, () => 0);
  for (const one of mixed) counts[one >>> 28]!++;
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
});

test('HalfSipHash-1-3 gives the published values, and others with another secret', () => {
  const bytes = (length: number): string => String.fromCharCode(...Array.from({ length }, (_, i) => i));
  const hashes = Array.from({ length: 8 }, (_, i) => sipHash(bytes(i), 0x03020100, 0x07060504).toString(16));
  expect(hashes).toEqual([
    '5814c896',
    'e7e864ca',
    'bc4b0e30',
    '1539939',
    '7e059ea6',
    '88e3d89b',
    'a0080b65',
    '9d38d9d6',
  ]);
  expect(sipHash('abc', 1, 2)).not.toBe(sipHash('abc', 1, 3));
  expect(sipHash('abc', 1, 2)).not.toBe(sipHash('abc', 2, 2));
});
