import { expect, test } from 'vitest';
import { parseDuration, parseSize } from '../../src/kit/units.ts';

test.each([
  ['250ms', 250],
  ['30s', 30_000],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['2d', 172_800_000],
  ['1.5s', 1500],
  ['0.1ms', 0],
  ['10 s', 10_000],
  ['0', 0],
  ['0s', 0],
])('%s is a duration', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(['', '30', 's', '-1s', '1w', '1S', '1e3s', '1s 2m', ' 1s', '1s ', '.5s', '1.s', 'Infinitys', '1constructor'])(
  '"%s" is none',
  (text) => {
    expect(parseDuration(text)).toBeNull();
  },
);

test.each([
  ['0', 0],
  ['512', 512],
  ['512B', 512],
  ['16KiB', 16_384],
  ['8MiB', 8_388_608],
  ['1GiB', 1_073_741_824],
  ['1KB', 1000],
  ['1.5MB', 1_500_000],
  ['2GB', 2_000_000_000],
])('%s is a size', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each(['', '-1', '16kib', '16K', '1TiB', '0x10', '1_000', 'toString'])('"%s" is none', (text) => {
  expect(parseSize(text)).toBeNull();
});
