import { expect, test } from 'vitest';
import { ASKER, behavesAsStrategy, make } from './strategy.suite.ts';

behavesAsStrategy('least_connections');

test('the one with least under way is picked', () => {
  const { all, strategy } = make('least_connections', [1, 1, 1]);
  all[0]!.active = 4;
  all[1]!.active = 1;
  all[2]!.active = 3;
  expect(strategy.pick(0, ASKER)).toBe(1);
});

test('load is weighed: 4 under way at weight 4 is less than 2 at weight 1', () => {
  const { all, strategy } = make('least_connections', [4, 1]);
  all[0]!.active = 4;
  all[1]!.active = 2;
  expect(strategy.pick(0, ASKER)).toBe(0);
});

test('with one ten times slower, nobody holds much more than the mean', () => {
  const { all, strategy } = make('least_connections', [1, 1, 1]);
  const ends: { at: number; index: number }[] = [];
  let worst = 0;
  for (let now = 0; now < 3000; now++) {
    for (let i = ends.length - 1; i >= 0; i--) if (ends[i]!.at <= now) all[ends.splice(i, 1)[0]!.index]!.active--;
    const index = strategy.pick(0, ASKER);
    all[index]!.active++;
    ends.push({ at: now + (index === 0 ? 100 : 10), index });
    if (now < 500) continue;
    const mean = all.reduce((sum, { active }) => sum + active, 0) / 3;
    worst = Math.max(worst, Math.max(...all.map(({ active }) => active)) / mean);
  }
  expect(worst).toBeLessThan(1.5);
});
