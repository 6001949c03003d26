/** To ask whom a pool would choose is not to choose: what was foreseen is what comes, and asking changes nothing. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StrategyPlan } from '../../src/plan/types/pool.ts';
import { previewPool } from '../../src/upstream/pool-preview.ts';
import { DUE, HEALTHY, UNAVAILABLE } from '../../src/upstream/strategies/strategy.ts';
import { client, make } from './strategies/strategy.suite.ts';

const KEY = { source: 'client', name: '' } as const;
const certain: StrategyPlan[] = [
  { type: 'round_robin' },
  { type: 'weighted_round_robin' },
  { type: 'least_connections' },
  { type: 'ip_hash' },
  { type: 'ring_hash', key: KEY, replicas: 20 },
  { type: 'maglev', key: KEY, tableSize: 101 },
];

/** What happens to one of the endpoints between two picks. */
const event = fc.record({
  endpoint: fc.nat(5),
  standing: fc.constantFrom(HEALTHY, HEALTHY, DUE, UNAVAILABLE),
  active: fc.nat(4),
  part: fc.constantFrom(1, 1, 0.1, 0.5),
});

describe.each(certain)('$type', (plan) => {
  test('peek answers what pick then does, and a peek does not change later picks', () => {
    const weights = fc.array(fc.nat(4), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(weights, fc.array(event, { minLength: 1, maxLength: 30 }), (shares, events) => {
        const asked = make(plan, shares);
        const left = make(plan, shares);
        events.forEach(({ endpoint, standing, active, part }, turn) => {
          for (const { all } of [asked, left]) {
            const one = all[endpoint % all.length]!;
            Object.assign(one, { standing, part });
            one.active = active;
          }
          const asker = client(turn);
          for (const tier of [HEALTHY, DUE]) {
            const previews = [1, 2, 3].map(() => asked.strategy.peek!(tier, asker));
            const picked = asked.strategy.pick(tier, asker);
            expect(previews).toEqual([picked, picked, picked]);
            expect(picked).toBe(left.strategy.pick(tier, asker));
          }
        });
      }),
      { numRuns: 200 },
    );
  });
});

test('what is drawn can not be foreseen: all that it may be are named', () => {
  for (const type of ['random', 'p2c'] as const) {
    const { all, strategy } = make({ type }, [1, 0, 2, 1]);
    all[3]!.standing = DUE;
    expect(previewPool([{ strategy, endpoints: all, from: 0 }], -1, client(1))).toEqual({
      how: 'strategy',
      index: -1,
      possible: [0, 2],
    });
    all[0]!.standing = UNAVAILABLE;
    expect(previewPool([{ strategy, endpoints: all, from: 0 }], -1, client(1))).toEqual({
      how: 'strategy',
      index: 2,
      possible: [2],
    });
    all[2]!.standing = UNAVAILABLE;
    expect(previewPool([{ strategy, endpoints: all, from: 0 }], -1, client(1))).toEqual({
      how: 'strategy',
      index: 3,
      possible: [3],
    });
    all[3]!.standing = UNAVAILABLE;
    expect(previewPool([{ strategy, endpoints: all, from: 0 }], -1, client(1))).toEqual({
      how: 'none',
      index: -1,
      possible: [],
    });
    expect(previewPool([{ strategy, endpoints: all, from: 0 }], 1, client(1))).toEqual({
      how: 'kept',
      index: 1,
      possible: [1],
    });
  }
});
