import { expect, test } from 'vitest';
import { ASKER, behavesAsStrategy, make, picks } from './strategy.suite.ts';

behavesAsStrategy('weighted_round_robin');

test('weights 1, 3 and 1 are kept exactly in each round', () => {
  const { strategy } = make('weighted_round_robin', [1, 3, 1]);
  for (let round = 0; round < 4; round++) expect(picks(strategy, 3, 5)).toEqual([1, 3, 1]);
});

test('picks are spread, not bunched: 5, 1, 1 as in nginx', () => {
  const { strategy } = make('weighted_round_robin', [5, 1, 1]);
  expect(Array.from({ length: 7 }, () => strategy.pick(0, ASKER))).toEqual([0, 0, 1, 0, 2, 0, 0]);
});
