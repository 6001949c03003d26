import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HEALTHY, UNAVAILABLE } from '../../../src/upstream/strategies/strategy.ts';
import { simulate } from './simulation.ts';
import { ASKER, behavesAsStrategy, FROM_THE_FIRST, make, over, FakeCandidate, picks } from './strategy.suite.ts';

const PLAN = { type: 'least_connections' } as const;

behavesAsStrategy(PLAN);

test('12 picks over 3 idle ones are 4, 4 and 4, each in turn', () => {
  const { strategy } = make(PLAN, [1, 1, 1], FROM_THE_FIRST);
  expect([0, 0, 0, 0].map(() => strategy.pick(0, ASKER))).toEqual([0, 1, 2, 0]);
  expect(picks(strategy, 3, 12)).toEqual([4, 4, 4]);
});

test('the one with least under way is picked', () => {
  const { all, strategy } = make(PLAN, [1, 1, 1]);
  all[0]!.active = 4;
  all[1]!.active = 1;
  all[2]!.active = 3;
  expect(strategy.pick(0, ASKER)).toBe(1);
});

test('what was under way before the strategy was made counts', () => {
  const all = [new FakeCandidate(1, 'a'), new FakeCandidate(1, 'b')];
  all[0]!.active = 1;
  expect(over(PLAN, all).strategy.pick(0, ASKER)).toBe(1);
});

test('load is weighed: 4 under way at weight 4 is less than 2 at weight 1', () => {
  const { all, strategy } = make(PLAN, [4, 1]);
  all[0]!.active = 4;
  all[1]!.active = 2;
  expect(strategy.pick(0, ASKER)).toBe(0);
});

test('among idle ones each is picked as often as its weight says', () => {
  expect(picks(make(PLAN, [1, 3, 1]).strategy, 3, 5000).map((count) => Math.round(count / 100))).toEqual([10, 30, 10]);
});

test('one that was away does not make up for it', () => {
  const { all, strategy } = make(PLAN, [1, 1, 1]);
  all[1]!.standing = UNAVAILABLE;
  picks(strategy, 3, 300);
  all[1]!.standing = HEALTHY;
  expect(picks(strategy, 3, 12)[1]).toBeLessThanOrEqual(5);
});

test('one that is started slowly holds its part, and more as its share grows without a word', () => {
  const { all, strategy } = make(PLAN, [1, 1]);
  const fill = (times: number): void => {
    for (let i = 0; i < times; i++) all[strategy.pick(0, ASKER)]!.active++;
  };
  all[1]!.part = 0.25;
  fill(10);
  expect(all.map(({ active }) => active)).toEqual([8, 2]);
  all[1]!.part = 0.5;
  fill(2);
  expect(all.map(({ active }) => active)).toEqual([8, 4]);
  all[1]!.part = 1;
  fill(4);
  expect(all.map(({ active }) => active)).toEqual([8, 8]);
});

test('whatever happens, no endpoint of that tier has less to do than the one that is picked', () => {
  const one = fc.record({
    weight: fc.integer({ min: 1, max: 4 }),
    active: fc.nat(6),
    standing: fc.constantFrom(0, 0, 0, 2),
  });
  const step = fc.record({
    on: fc.nat(19),
    active: fc.nat(6),
    standing: fc.constantFrom(0, 0, 0, 2),
    part: fc.constantFrom(1, 1, 0.3),
  });
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 20 }), fc.array(step, { maxLength: 60 }), (given, steps) => {
      const { all, strategy } = make(
        PLAN,
        given.map(({ weight }) => weight),
      );
      given.forEach(({ active, standing }, i) => Object.assign(all[i]!, { active, standing }));
      for (const { on, ...state } of steps) {
        Object.assign(all[on % all.length]!, state);
        const index = strategy.pick(0, ASKER);
        const loads = all.flatMap(({ active, share, standing }) => (standing === 0 ? [active / share] : []));
        if (index < 0) expect(loads).toEqual([]);
        else expect(all[index]!.active / all[index]!.share).toBe(Math.min(...loads));
      }
    }),
  );
});

test('with one ten times slower, no endpoint holds much more than the mean', () => {
  const times = [100, 10, 10];
  expect(simulate(make(PLAN, [1, 1, 1]), times, 0.05).worst).toBeLessThan(1.5);
  expect(simulate(make({ type: 'round_robin' }, [1, 1, 1]), times, 0.05).worst).toBeGreaterThan(2);
});
