/** What every strategy must do, whatever else it does. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Fields } from '../../../src/http/fields.ts';
import { type Random, seededRandom } from '../../../src/kit/random.ts';
import type { StrategyPlan } from '../../../src/plan/types/pool.ts';
import { bindStrategy } from '../../../src/upstream/strategies/index.ts';
import {
  type LoadBalancerContext,
  type Candidate,
  DUE,
  HEALTHY,
  type Strategy,
  UNAVAILABLE,
} from '../../../src/upstream/strategies/strategy.ts';

export const ASKER: LoadBalancerContext = { clientAddress: '192.0.2.1', path: '/', fields: null };

/** One of a million clients. */
export function client(i: number): LoadBalancerContext {
  return { clientAddress: `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`, path: `/${i}`, fields: null };
}

export function askerWith(...fields: [name: string, value: string][]): LoadBalancerContext {
  return { ...ASKER, fields: Fields.of(fields) };
}

export class FakeCandidate implements Candidate {
  readonly name: string;
  readonly weight: number;
  latency = 0;
  standing = HEALTHY;
  /** Part of its weight that it has while it is started slowly. */
  part = 1;
  /** As a pool does, it tells the strategy. */
  changed = (): void => {};
  #active = 0;

  constructor(weight = 1, name = '') {
    this.name = name;
    this.weight = weight;
  }

  get share(): number {
    return this.weight * this.part;
  }

  get active(): number {
    return this.#active;
  }

  set active(count: number) {
    this.#active = count;
    this.changed();
  }

  tier(): number {
    return this.standing;
  }
}

export interface Made {
  readonly all: FakeCandidate[];
  readonly strategy: Strategy;
}

/** Begins with the first turn, where a strategy has any. */
export const FROM_THE_FIRST: Random = () => 0;

export function make(plan: StrategyPlan, weights: readonly number[], chance: number | Random = 7): Made {
  return over(
    plan,
    weights.map((weight, i) => new FakeCandidate(weight, `10.0.0.${i}:80`)),
    chance,
  );
}

/** `chance`: a source of it, or a seed. */
export function over(plan: StrategyPlan, all: FakeCandidate[], chance: number | Random = 7): Made {
  const random = typeof chance === 'number' ? seededRandom(chance) : chance;
  const strategy = bindStrategy(plan, all, { random, firstTurns: random });
  all.forEach((one, i) => (one.changed = () => strategy.changed?.(i)));
  return { all, strategy };
}

/** How often each of `of` was picked in `times` picks, each for another client. */
export function picks(strategy: Strategy, of: number, times: number, tier = HEALTHY): number[] {
  const counts = Array.from({ length: of }, () => 0);
  for (let i = 0; i < times; i++) counts[strategy.pick(tier, client(i))]!++;
  return counts;
}

/** Nanoseconds that a pick, the beginning and the end of what it was for take with so many candidates: the best of some. */
function cost(plan: StrategyPlan, count: number): number {
  const weights = Array.from({ length: count }, (_, i) => 1 + (i % 5));
  const { all, strategy } = make(plan, weights);
  const under: FakeCandidate[] = [];
  let best = Infinity;
  let asked = 0;
  for (let round = 0; round < 30; round++) {
    const started = performance.now();
    for (let i = 0; i < 500; i++) {
      const one = all[strategy.pick(HEALTHY, client(asked++))]!;
      one.active++;
      if (under.push(one) > 300) under.shift()!.active--;
    }
    best = Math.min(best, performance.now() - started);
  }
  return (best / 500) * 1e6;
}

export function behavesAsStrategy(plan: StrategyPlan): void {
  describe('as every strategy', () => {
    test('it picks only candidates of the tier that it is asked for', () => {
      const { all, strategy } = make(plan, [1, 1, 1, 1]);
      all[0]!.standing = DUE;
      all[1]!.standing = UNAVAILABLE;
      all[3]!.standing = DUE;
      expect(picks(strategy, 4, 20)).toEqual([0, 0, 20, 0]);
      const due = picks(strategy, 4, 40, DUE);
      expect([due[1], due[2]]).toEqual([0, 0]);
      expect(due[0]! + due[3]!).toBe(40);
    });

    test('it says -1 if there is none in the tier', () => {
      const { all, strategy } = make(plan, [1, 1]);
      for (const one of all) one.standing = UNAVAILABLE;
      expect([strategy.pick(HEALTHY, ASKER), strategy.pick(DUE, ASKER)]).toEqual([-1, -1]);
      expect(make(plan, []).strategy.pick(HEALTHY, ASKER)).toBe(-1);
    });

    test('a weight of 0 gets nothing', () => {
      const { strategy } = make(plan, [0, 1, 0]);
      expect(picks(strategy, 3, 30)).toEqual([0, 30, 0]);
      expect(make(plan, [0, 0]).strategy.pick(HEALTHY, ASKER)).toBe(-1);
    });

    test('a candidate that is well again is picked again', () => {
      const { all, strategy } = make(plan, [1, 1, 1]);
      all[1]!.standing = UNAVAILABLE;
      expect(picks(strategy, 3, 30)[1]).toBe(0);
      all[1]!.standing = HEALTHY;
      expect(picks(strategy, 3, 300)[1]).toBeGreaterThan(60);
    });

    test('equals are picked about equally often', () => {
      const { strategy } = make(plan, [1, 1, 1]);
      for (const count of picks(strategy, 3, 3000)) expect(Math.abs(count - 1000)).toBeLessThan(150);
    });

    test('whatever there is, it picks one of the tier that has weight if and only if there is one', () => {
      const one = fc.record({
        weight: fc.constantFrom(0, 1, 1, 2, 1000),
        standing: fc.constantFrom(HEALTHY, DUE, UNAVAILABLE),
        part: fc.constantFrom(1, 1, 0.1, 0.5),
        active: fc.nat(9),
        latency: fc.nat(100),
      });
      const step = fc.record({ on: fc.nat(39), to: one, asker: fc.nat(999_999), finish: fc.boolean() });
      fc.assert(
        fc.property(
          fc.array(one, { maxLength: 40 }),
          fc.array(step, { maxLength: 30 }),
          fc.nat(),
          (given, steps, seed) => {
            const { all, strategy } = make(
              plan,
              given.map(({ weight }) => weight),
              seed,
            );
            given.forEach(({ weight: _, ...state }, i) => Object.assign(all[i]!, state));
            for (const { on, to, asker, finish } of steps) {
              for (const tier of [HEALTHY, DUE]) {
                const there = all.some(({ weight, standing }) => weight > 0 && standing === tier);
                const index = strategy.pick(tier, client(asker));
                expect(index >= 0).toBe(there);
                if (index < 0) continue;
                expect([all[index]!.standing, all[index]!.weight > 0]).toEqual([tier, true]);
                all[index]!.active++;
                if (finish) all[index]!.active--;
              }
              const { weight: _, ...state } = to;
              if (on < all.length) Object.assign(all[on]!, state);
            }
          },
        ),
        { numRuns: 100 },
      );
    });

    test('a pick among 1,000 costs about what it costs among 10', () => {
      // Some of what is paid for is memory that is far away. Looking at all of them would be a hundred times as much.
      expect(cost(plan, 1000) / cost(plan, 10)).toBeLessThan(15);
    });
  });
}

/** What strategies that always give a key to the same endpoint have in common. `uneven`: how far the fullest may be over. */
export function behavesConsistently(plan: StrategyPlan, uneven: number, movedOnRemoval: number): void {
  const KEYS = 10_000;
  const choices = (strategy: Strategy): number[] =>
    Array.from({ length: KEYS }, (_, i) => strategy.pick(HEALTHY, client(i)));
  const shares = (chosen: readonly number[], of: number): number[] => {
    const counts = Array.from({ length: of }, () => 0);
    for (const index of chosen) counts[index]!++;
    return counts;
  };

  describe.each([5, 10, 20])('as a consistent hash over %i', (count) => {
    const weights = Array.from({ length: count }, () => 1);

    test('the same key has the same endpoint', () => {
      expect(choices(make(plan, weights).strategy)).toEqual(choices(make(plan, weights, 8).strategy));
    });

    test('keys are spread evenly', () => {
      // Even a perfect spread of so few keys is not even: three standard deviations.
      const chance = 3 * Math.sqrt(count / KEYS);
      for (const own of shares(choices(make(plan, weights).strategy), count))
        expect(Math.abs((own * count) / KEYS - 1)).toBeLessThan(uneven + chance);
    });

    test('when one is away only its own keys move, they spread over the others, and they come back', () => {
      const { all, strategy } = make(plan, weights);
      const before = choices(strategy);
      for (const gone of [0, count - 1]) {
        all[gone]!.standing = UNAVAILABLE;
        const during = choices(strategy);
        const moved = before.flatMap((index, i) => (index === during[i] ? [] : [i]));
        expect(moved.every((i) => before[i] === gone)).toBe(true);
        expect(moved.length).toBe(before.filter((index) => index === gone).length);
        expect(moved.length).toBeLessThanOrEqual((1.2 * KEYS) / count);
        const heirs = shares(
          moved.map((i) => during[i]!),
          count,
        );
        for (const [i, heir] of heirs.entries())
          if (i !== gone) expect(heir).toBeLessThan((3 * moved.length) / (count - 1));
        expect(heirs.filter((heir) => heir > 0)).toHaveLength(count - 1);
        all[gone]!.standing = HEALTHY;
        expect(choices(strategy)).toEqual(before);
      }
    });

    test('when one is removed from the config, or another order is written there, few keys move', () => {
      const { all, strategy } = make(plan, weights);
      const names = choices(strategy).map((index) => all[index]!.name);
      const rest = over(plan, all.slice(1).toReversed());
      const after = choices(rest.strategy).map((index) => rest.all[index]!.name);
      const moved = names.filter((name, i) => name !== after[i]).length;
      expect(moved).toBeLessThanOrEqual((movedOnRemoval * KEYS) / count);
      const turned = over(plan, all.toReversed());
      expect(choices(turned.strategy).map((index) => turned.all[index]!.name)).toEqual(names);
    });
  });

  test('weights are honoured', () => {
    const own = shares(choices(make(plan, [1, 3, 1]).strategy), 3);
    own.forEach((count, i) => expect(Math.abs(count / KEYS / [0.2, 0.6, 0.2][i]! - 1)).toBeLessThan(uneven + 0.06));
  });
}
