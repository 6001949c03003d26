import { expect, test } from 'vitest';
import { HitForMiss } from '../../../src/cache/store/hit-for-miss.ts';

test('a key is known for a minute, and for another when it is added again', () => {
  const known = new HitForMiss();
  expect(known.isEmpty).toBe(true);
  known.add('a', 0);
  expect([known.isEmpty, known.has('a', 59_999), known.has('a', 60_000), known.has('b', 0)]).toEqual([
    false,
    true,
    false,
    false,
  ]);
  known.add('a', 50_000);
  expect([known.has('a', 109_999), known.has('a', 110_000)]).toEqual([true, false]);
});

test('a key that is deleted is not known, whichever half it is in, until it is added again', () => {
  const known = new HitForMiss();
  known.delete('a');
  known.add('a', 0);
  known.delete('a');
  expect(known.has('a', 1)).toBe(false);
  known.add('a', 0);
  for (let i = 0; i < 5000; i++) known.add(`other-${i}`, 0);
  expect(known.has('a', 1)).toBe(true);
  known.delete('a');
  expect(known.has('a', 1)).toBe(false);
  known.add('a', 0);
  expect(known.has('a', 1)).toBe(true);
  known.clear();
  expect([known.isEmpty, known.has('a', 1)]).toEqual([true, false]);
});

test('the oldest half makes room', () => {
  const known = new HitForMiss();
  for (let i = 0; i < 12_000; i++) known.add(`key-${i}`, 0);
  const count = Array.from({ length: 12_000 }, (_, i) => known.has(`key-${i}`, 1)).filter(Boolean).length;
  expect(count).toBe(7000);
  expect([known.has('key-4999', 1), known.has('key-5000', 1), known.has('key-11999', 1)]).toEqual([false, true, true]);
});
