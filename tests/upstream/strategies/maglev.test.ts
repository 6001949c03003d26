import { expect, test } from 'vitest';
import { askerWith, behavesAsStrategy, behavesConsistently, make } from './strategy.suite.ts';

const plan = (tableSize: number) => ({ type: 'maglev', key: { source: 'client', name: '' }, tableSize }) as const;

// A table for a few endpoints, as its making is no part of what is tried again and again.
behavesAsStrategy(plan(5003));
behavesConsistently(plan(65_537), 0.05, 1.2);

test('12 places among 3 are 4, 4 and 4 but for the one that a prime has over', () => {
  const { strategy } = make(plan(13), [1, 1, 1]);
  const counts = [0, 0, 0];
  // The places themselves are not to be seen: a great many keys fall on each of them.
  for (let i = 0; i < 130_000; i++) counts[strategy.pick(0, askerWithAddress(i))]!++;
  expect(counts.map((count) => Math.round(count / 10_000)).toSorted((a, b) => a - b)).toEqual([4, 4, 5]);
});

function askerWithAddress(i: number) {
  return { ...askerWith(), clientAddress: `client ${i}` };
}

test('requests with the same cookie get the same endpoint', () => {
  const { strategy } = make({ ...plan(5003), key: { source: 'cookie', name: 'sid' } }, [1, 1, 1, 1, 1]);
  const chosen = (sid: string, other: string): number =>
    strategy.pick(0, { ...askerWith(['Cookie', `a=${other}; sid=${sid}`]), clientAddress: other });
  const sids = Array.from({ length: 50 }, (_, i) => `s${i}`);
  for (const sid of sids) expect(chosen(sid, '1')).toBe(chosen(sid, '2'));
  expect(new Set(sids.map((sid) => chosen(sid, '1'))).size).toBe(5);
});
