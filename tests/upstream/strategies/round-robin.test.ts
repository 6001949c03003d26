import { expect, test } from 'vitest';
import { ASKER, behavesAsStrategy, make, picks } from './strategy.suite.ts';

behavesAsStrategy('round_robin');

test('12 picks over 3 are 4, 4 and 4, each in turn', () => {
  const { strategy } = make('round_robin', [1, 1, 1]);
  expect(picks(strategy, 3, 12)).toEqual([4, 4, 4]);
  expect([0, 0, 0, 0].map(() => strategy.pick(0, ASKER))).toEqual([0, 1, 2, 0]);
});

test('weights other than 0 make no difference', () => {
  expect(picks(make('round_robin', [1, 9, 1]).strategy, 3, 12)).toEqual([4, 4, 4]);
});
