/** What every strategy must do, whatever else it does. */
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/kit/random.ts';
import { strategies } from '../../../src/upstream/strategies/index.ts';
import {
  type Asker,
  type Candidate,
  DUE,
  HEALTHY,
  type Strategy,
  UNAVAILABLE,
} from '../../../src/upstream/strategies/strategy.ts';
import type { StrategyName } from '../../../src/plan/types.ts';

export const ASKER: Asker = { clientAddress: '192.0.2.1', path: '/', fields: null };

export class FakeCandidate implements Candidate {
  readonly name: string;
  readonly weight: number;
  active = 0;
  latency = 0;
  standing = HEALTHY;

  constructor(weight = 1, name = '') {
    this.name = name;
    this.weight = weight;
  }

  get share(): number {
    return this.weight;
  }

  tier(): number {
    return this.standing;
  }
}

export function make(name: StrategyName, weights: readonly number[]): { all: FakeCandidate[]; strategy: Strategy } {
  const all = weights.map((weight, i) => new FakeCandidate(weight, `10.0.0.${i}:80`));
  return { all, strategy: strategies[name](all, seededRandom(7)) };
}

/** How often each of `of` was picked in `times` picks; each pick stays active for as long as `holding` says. */
export function picks(strategy: Strategy, of: number, times: number, tier = HEALTHY): number[] {
  const counts = Array.from({ length: of }, () => 0);
  for (let i = 0; i < times; i++) counts[strategy.pick(tier, ASKER)]!++;
  return counts;
}

export function behavesAsStrategy(name: StrategyName): void {
  describe('as every strategy', () => {
    test('it picks only candidates of the tier that it is asked for', () => {
      const { all, strategy } = make(name, [1, 1, 1, 1]);
      all[0]!.standing = DUE;
      all[1]!.standing = UNAVAILABLE;
      all[3]!.standing = DUE;
      expect(picks(strategy, 4, 20)).toEqual([0, 0, 20, 0]);
      const due = picks(strategy, 4, 40, DUE);
      expect([due[1], due[2]]).toEqual([0, 0]);
      expect(due[0]! + due[3]!).toBe(40);
    });

    test('it says -1 if there is none in the tier', () => {
      const { all, strategy } = make(name, [1, 1]);
      for (const one of all) one.standing = UNAVAILABLE;
      expect([strategy.pick(HEALTHY, ASKER), strategy.pick(DUE, ASKER)]).toEqual([-1, -1]);
      expect(make(name, []).strategy.pick(HEALTHY, ASKER)).toBe(-1);
    });

    test('a weight of 0 gets nothing', () => {
      const { strategy } = make(name, [0, 1, 0]);
      expect(picks(strategy, 3, 30)).toEqual([0, 30, 0]);
      expect(make(name, [0, 0]).strategy.pick(HEALTHY, ASKER)).toBe(-1);
    });

    test('a candidate that is well again is picked again', () => {
      const { all, strategy } = make(name, [1, 1, 1]);
      all[1]!.standing = UNAVAILABLE;
      expect(picks(strategy, 3, 30)[1]).toBe(0);
      all[1]!.standing = HEALTHY;
      expect(picks(strategy, 3, 300)[1]).toBeGreaterThan(60);
    });

    test('equals are picked about equally often', () => {
      const { strategy } = make(name, [1, 1, 1]);
      for (const count of picks(strategy, 3, 3000)) expect(Math.abs(count - 1000)).toBeLessThan(100);
    });
  });
}
