import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UNAVAILABLE } from '../../../src/upstream/strategies/strategy.ts';
import { ASKER, behavesAsStrategy, FROM_THE_FIRST, make, picks } from './strategy.suite.ts';

const PLAN = { type: 'weighted_round_robin' } as const;

behavesAsStrategy(PLAN);

test('weights 1, 3 and 1 are kept exactly in each round', () => {
  const { strategy } = make(PLAN, [1, 3, 1]);
  for (let round = 0; round < 4; round++) expect(picks(strategy, 3, 5)).toEqual([1, 3, 1]);
});

test('picks are spread, not bunched: 5, 1, 1 as in nginx', () => {
  const { strategy } = make(PLAN, [5, 1, 1], FROM_THE_FIRST);
  expect(Array.from({ length: 7 }, () => strategy.pick(0, ASKER))).toEqual([0, 0, 1, 0, 2, 0, 0]);
});

/** The algorithm as nginx has it, which looks at all of them for every pick. */
function* smooth(weights: readonly number[]): Generator<number> {
  const credit = weights.map(() => 0);
  const sum = weights.reduce((all, one) => all + one, 0);
  for (;;) {
    weights.forEach((weight, i) => (credit[i]! += weight));
    const best = credit.indexOf(Math.max(...credit.filter((_, i) => weights[i]! > 0)));
    credit[best]! -= sum;
    yield best;
  }
}

test('whatever the weights, it picks what looking at all of them would', () => {
  const weights = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(
      weights.filter((all) => all.some((weight) => weight > 0)),
      (all) => {
        const { strategy } = make(PLAN, all, FROM_THE_FIRST);
        const expected = smooth(all);
        for (let i = 0; i < 150; i++) expect(strategy.pick(0, ASKER)).toBe(expected.next().value);
      },
    ),
  );
});

test('while one is away the others keep their weights exactly', () => {
  const { all, strategy } = make(PLAN, [1, 3, 5, 2]);
  all[2]!.standing = UNAVAILABLE;
  for (let round = 0; round < 4; round++) expect(picks(strategy, 4, 6)).toEqual([1, 3, 0, 2]);
});

test('while only those of small weight are left they keep their weights too', () => {
  const { all, strategy } = make(PLAN, [1000, 1, 3]);
  all[0]!.standing = UNAVAILABLE;
  const counts = picks(strategy, 3, 400);
  expect(counts[0]).toBe(0);
  expect(Math.abs(counts[1]! - 100)).toBeLessThanOrEqual(2);
});

test('one that is started slowly has its part', () => {
  const { all, strategy } = make(PLAN, [2, 4]);
  all[1]!.part = 0.25;
  expect(picks(strategy, 2, 90)).toEqual([60, 30]);
  all[1]!.part = 1;
  expect(picks(strategy, 2, 60)).toEqual([20, 40]);
});
