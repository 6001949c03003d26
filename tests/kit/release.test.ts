import { expect, test } from 'vitest';
import { release } from '../../src/kit/release.ts';

test('bytes with memory of their own are gone', () => {
  const bytes = Buffer.allocUnsafeSlow(100_000);
  release(bytes);
  expect(bytes.length).toBe(0);
});

test('bytes that are a part of something larger stay', () => {
  const small = Buffer.from('small');
  const part = Buffer.allocUnsafeSlow(100_000).subarray(1);
  const none = Buffer.alloc(0);
  for (const bytes of [small, part, none]) release(bytes);
  expect([small.toString(), part.length, none.length]).toEqual(['small', 99_999, 0]);
});
