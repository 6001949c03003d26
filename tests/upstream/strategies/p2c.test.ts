import { expect, test } from 'vitest';
import { UNAVAILABLE } from '../../../src/upstream/strategies/strategy.ts';
import { simulate } from './simulation.ts';
import { behavesAsStrategy, make, picks } from './strategy.suite.ts';

const PLAN = { type: 'p2c' } as const;
/** Of 320 picks these go to whom chance would have them, and half of those to the one that has more to do. */
const EXPLORED = 10;

behavesAsStrategy(PLAN);

test('of two, the one with less under way, for its latency and share', () => {
  const wins = (
    index: number,
    weights: number[],
    states: { active?: number; latency?: number; part?: number }[],
  ): void => {
    const { all, strategy } = make(PLAN, weights);
    states.forEach((state, i) => Object.assign(all[i]!, state));
    expect(picks(strategy, 2, 320)[index]).toBeGreaterThanOrEqual(320 - EXPLORED);
  };
  wins(1, [1, 1], [{ active: 3 }, { active: 2 }]);
  wins(
    0,
    [1, 1],
    [
      { active: 3, latency: 10 },
      { active: 1, latency: 30 },
    ],
  );
  wins(
    0,
    [4, 1],
    [
      { active: 4, latency: 10 },
      { active: 1, latency: 10 },
    ],
  );
  wins(
    1,
    [4, 1],
    [
      { active: 4, latency: 10, part: 0.1 },
      { active: 1, latency: 10 },
    ],
  );
});

test('a latency that is not known counts as the least that is', () => {
  const { all, strategy } = make(PLAN, [1, 1, 1]);
  Object.assign(all[0]!, { latency: 10, active: 5 });
  Object.assign(all[1]!, { latency: 100, active: 0 });
  Object.assign(all[2]!, { latency: 0, active: 2 });
  const counts = picks(strategy, 3, 3000);
  // 60, 100 and 30: the third wins against both, the first against the second.
  expect(counts[2]).toBeGreaterThan(1900);
  expect(counts[1]).toBeLessThan(100);
});

test('what was slow once is found to be fast again', () => {
  const { all, strategy } = make(PLAN, [1, 1]);
  Object.assign(all[0]!, { latency: 1000 });
  Object.assign(all[1]!, { latency: 10 });
  const slow = picks(strategy, 2, 6400)[0]!;
  expect(slow).toBeGreaterThan(50);
  expect(slow).toBeLessThan(200);
});

test('while nearly all are away, the choice is still among two', () => {
  const { all, strategy } = make(
    PLAN,
    Array.from({ length: 200 }, (_, i) => (i < 3 ? 1 : 9)),
  );
  for (const one of all.slice(3)) one.standing = UNAVAILABLE;
  all[0]!.active = 9;
  const counts = picks(strategy, 200, 3000);
  expect(counts[0]).toBeLessThan(100);
  for (const count of counts.slice(1, 3)) expect(Math.abs(count - 1500)).toBeLessThan(200);
  all[1]!.standing = UNAVAILABLE;
  all[2]!.standing = UNAVAILABLE;
  expect(picks(strategy, 200, 10)[0]).toBe(10);
});

test('with one of ten ten times slower, no endpoint holds much more than the mean', () => {
  const times = Array.from({ length: 10 }, (_, i) => (i === 0 ? 100 : 10));
  const { worst, means } = simulate(
    make(
      PLAN,
      times.map(() => 1),
    ),
    times,
    0.02,
  );
  expect(worst).toBeLessThan(1.5);
  expect(means[0]).toBeLessThan(Math.max(...means.slice(1)));
});
