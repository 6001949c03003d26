import { expect, test } from 'vitest';
import { UNAVAILABLE } from '../../../src/upstream/strategies/strategy.ts';
import { behavesAsStrategy, make, picks } from './strategy.suite.ts';

const PLAN = { type: 'random' } as const;

behavesAsStrategy(PLAN);

const quarters = (counts: readonly number[], unit: number): number[] =>
  counts.map((count) => Math.round((count / unit) * 4) / 4);

test('each as likely as its weight says', () => {
  expect(quarters(picks(make(PLAN, [1, 3, 1]).strategy, 3, 10_000), 2000)).toEqual([1, 3, 1]);
});

test('the others as likely as their weights say while one is away, or nearly all are', () => {
  const { all, strategy } = make(PLAN, [1, 3, 1, 2]);
  all[1]!.standing = UNAVAILABLE;
  expect(quarters(picks(strategy, 4, 10_000), 2500)).toEqual([1, 0, 1, 2]);
  const many = make(PLAN, [1, 2, ...Array.from({ length: 100 }, () => 7)]);
  for (const one of many.all.slice(2)) one.standing = UNAVAILABLE;
  expect(quarters(picks(many.strategy, 102, 9000), 3000).slice(0, 3)).toEqual([1, 2, 0]);
});

test('one that is started slowly is as likely as its share says', () => {
  const { all, strategy } = make(PLAN, [2, 4]);
  all[1]!.part = 0.25;
  expect(quarters(picks(strategy, 2, 9000), 3000)).toEqual([2, 1]);
});
