/**
 * Strategies are made anew at each change of their pool and in each gateway: what each of them begins with is left to chance, so
 * that not all of these send their first request to the same endpoint.
 */
import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/kit/random.ts';
import type { StrategyPlan } from '../../../src/plan/types/pool.ts';
import { ASKER, make, picks } from './strategy.suite.ts';

const TYPES = ['round_robin', 'weighted_round_robin', 'least_connections', 'random', 'p2c'] as const;

/** How often each is the first of a strategy that is made anew. */
function firsts(plan: StrategyPlan, weights: readonly number[], times: number): number[] {
  const random = seededRandom(11);
  const counts = weights.map(() => 0);
  for (let i = 0; i < times; i++) counts[make(plan, weights, random).strategy.pick(0, ASKER)]!++;
  return counts;
}

test.each(TYPES)('%s begins with any of equals about equally often', (type) => {
  for (const count of firsts({ type }, [1, 1, 1, 1], 4000)) expect(Math.abs(count - 1000)).toBeLessThan(120);
});

test('weighted_round_robin begins with each as often as its weight says, in a round of any length', () => {
  expect(firsts({ type: 'weighted_round_robin' }, [5, 1, 2], 8000).map((count) => Math.round(count / 400))).toEqual([
    13, 3, 5,
  ]);
  const [heavy = 0, light = 0] = firsts({ type: 'weighted_round_robin' }, [3000, 1000], 4000);
  expect(heavy / light).toBeGreaterThan(2.5);
  expect(heavy / light).toBeLessThan(3.6);
});

test('wherever it begins, weighted_round_robin keeps the weights exactly in each round', () => {
  const random = seededRandom(3);
  for (let i = 0; i < 200; i++) {
    const { strategy } = make({ type: 'weighted_round_robin' }, [1, 3, 0, 3, 4], random);
    for (let round = 0; round < 3; round++) expect(picks(strategy, 5, 11)).toEqual([1, 3, 0, 3, 4]);
  }
});
