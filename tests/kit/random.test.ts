import { expect, test } from 'vitest';
import { seededRandom, systemRandom } from '../../src/kit/random.ts';

const take = (random: () => number, count: number): number[] => Array.from({ length: count }, random);

test('one seed gives one sequence, another seed another', () => {
  expect(take(seededRandom(1), 5)).toEqual(take(seededRandom(1), 5));
  expect(take(seededRandom(1), 5)).not.toEqual(take(seededRandom(2), 5));
});

test.each([
  ['seeded', seededRandom(3)],
  ['system', systemRandom],
])('%s: from 0 to 1, evenly', (_, random) => {
  const tenths = Array.from({ length: 10 }, () => 0);
  for (const value of take(random, 20_000)) {
    expect(value).toBeGreaterThanOrEqual(0);
    expect(value).toBeLessThan(1);
    tenths[Math.floor(value * 10)]!++;
  }
  for (const count of tenths) expect(Math.abs(count - 2000)).toBeLessThan(300);
});
