import { expect, test } from 'vitest';
import { UNAVAILABLE } from '../../../src/upstream/strategies/strategy.ts';
import { ASKER, behavesAsStrategy, FROM_THE_FIRST, make, picks } from './strategy.suite.ts';

const PLAN = { type: 'round_robin' } as const;

behavesAsStrategy(PLAN);

test('12 picks over 3 are 4, 4 and 4, each in turn', () => {
  const { strategy } = make(PLAN, [1, 1, 1], FROM_THE_FIRST);
  expect(picks(strategy, 3, 12)).toEqual([4, 4, 4]);
  expect([0, 0, 0, 0].map(() => strategy.pick(0, ASKER))).toEqual([0, 1, 2, 0]);
});

test('weights other than 0 make no difference', () => {
  expect(picks(make(PLAN, [1, 9, 1]).strategy, 3, 12)).toEqual([4, 4, 4]);
});

test('an unavailable endpoint is left out, and the order stays', () => {
  const { all, strategy } = make(PLAN, [1, 1, 1, 1], FROM_THE_FIRST);
  all[2]!.standing = UNAVAILABLE;
  expect([0, 0, 0, 0].map(() => strategy.pick(0, ASKER))).toEqual([0, 1, 3, 0]);
});

test('one that is started slowly has its part of the turns', () => {
  const { all, strategy } = make(PLAN, [1, 1]);
  all[1]!.part = 0.25;
  expect(picks(strategy, 2, 50)).toEqual([40, 10]);
  all[0]!.part = 0.25;
  expect(picks(strategy, 2, 50).toSorted((a, b) => a - b)).toEqual([25, 25]);
});
