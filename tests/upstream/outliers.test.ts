/** Who falls behind the others: seeded runs on a clock that stands still. */
import { describe, expect, test } from 'vitest';
import { type Random, seededRandom } from '../../src/kit/random.ts';
import { Deadlines } from '../../src/net/deadlines.ts';
import type { HealthPlan, SuccessRatePlan } from '../../src/plan/types/pool.ts';
import { Health } from '../../src/upstream/health.ts';
import { Outliers } from '../../src/upstream/outliers.ts';
import { ManualClock } from '../support/manual-clock.ts';

const RATE: SuccessRatePlan = { deviations: 1.5, margin: 5, interval: 10_000, minEndpoints: 5, minRequests: 100 };

function setup(count: number, rate: Partial<SuccessRatePlan> = {}, maxEjected = 50) {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  deadlines.add({ deadline: Number.POSITIVE_INFINITY, timedPlace: -1, onDeadline: () => {} });
  const plan: HealthPlan = {
    active: null,
    passive: { failures: 0, statuses: [503], latency: 0, maxEjected, successRate: { ...RATE, ...rate } },
    backoff: { first: 5000, max: 300_000, retries: 5, jitter: 0, probe: 1000 },
    panic: 0,
    slowStart: 0,
  };
  const healths: Health[] = [];
  const observer = {
    mayEject: (percent: number): boolean =>
      healths.filter(({ ejected }) => ejected).length + 1 <= (percent / 100) * healths.length,
    changed: (): void => {},
  };
  for (let i = 0; i < count; i++) healths.push(new Health(plan, clock, deadlines, seededRandom(1), observer));
  const outliers = new Outliers(plan.passive.successRate, deadlines);
  const compared = healths.map((health) => ({ health, wanted: true }));
  return {
    clock,
    healths,
    outliers,
    /** So many exchanges with each that is well, of which that part fails; then an interval is over. */
    round(failing: (i: number) => number, requests: number, random: Random): number[] {
      healths.forEach((health, i) => {
        if (!health.well) return;
        for (let n = 0; n < requests; n++) {
          if (random() < failing(i)) health.exchangeFailed('upstream_reset');
          else health.completed();
        }
      });
      clock.advance(10_000);
      outliers.counted(compared);
      return healths.flatMap((health, i) => (health.well ? [] : [i]));
    },
    recover(): void {
      for (const health of healths) if (health.failures > 0) health.answered(200, 1);
    },
  };
}

const seeds = Array.from({ length: 30 }, (_, i) => i + 1);

test.each([
  [5, 0.3],
  [10, 0.3],
  [10, 0.15],
  [100, 0.3],
])('of %i endpoints, one that fails in %f of its exchanges is out after one interval, and no other', (count, part) => {
  for (const seed of seeds) {
    const random = seededRandom(seed);
    expect(setup(count).round((i) => (i === 3 ? part : 0.01), 400, random)).toEqual([3]);
  }
});

test('two of ten', () => {
  for (const seed of seeds)
    expect(setup(10).round((i) => (i < 2 ? 0.4 : 0.01), 400, seededRandom(seed))).toEqual([0, 1]);
});

test.each([0, 0.02, 0.3, 0.5, 1])('what all suffer from in %f of their exchanges takes hardly anybody out', (part) => {
  let out = 0;
  for (const seed of seeds) {
    const random = seededRandom(seed);
    const one = setup(10);
    for (let i = 0; i < 10; i++) {
      out += one.round(() => part, 100, random).length;
      one.recover();
    }
  }
  expect(out / (seeds.length * 100)).toBeLessThan(0.005);
});

describe('settings', () => {
  const random = (): Random => seededRandom(7);
  const ill = (part: number) => (i: number) => (i === 0 ? part : 0);

  test('deviations: 0 takes no endpoint out; more of them need more healthy endpoints', () => {
    expect(setup(10, { deviations: 0 }).round(ill(1), 400, random())).toEqual([]);
    // The only one of five that fails is 2 deviations away, however ill it is; of ten it is 3.
    expect(setup(5, { deviations: 2.1 }).round(ill(1), 400, random())).toEqual([]);
    expect(setup(10, { deviations: 2.1 }).round(ill(1), 400, random())).toEqual([0]);
  });

  test('margin', () => {
    expect(setup(10, { margin: 20 }).round(ill(0.15), 400, random())).toEqual([]);
    expect(setup(10, { margin: 10 }).round(ill(0.15), 400, random())).toEqual([0]);
  });

  test('min_endpoints', () => {
    expect(setup(4).round(ill(0.5), 400, random())).toEqual([]);
    expect(setup(4, { minEndpoints: 3 }).round(ill(0.5), 400, random())).toEqual([0]);
  });

  test('min_requests', () => {
    expect(setup(10).round(ill(0.5), 99, random())).toEqual([]);
    expect(setup(10).round(ill(0.5), 100, random())).toEqual([0]);
  });

  test('interval: nothing is compared before, and what was counted before is not counted again', () => {
    const one = setup(10, { interval: 20_000 });
    expect(one.round(ill(0.5), 50, random())).toEqual([]);
    expect(one.round(ill(0.5), 60, random())).toEqual([0]);
    one.recover();
    expect(one.round(ill(0.5), 90, random())).toEqual([]);
    expect(one.round(ill(0), 5, random())).toEqual([]);
  });

  test('a shorter interval holds at once', () => {
    const one = setup(10, { interval: 60_000 });
    one.outliers.tune(RATE);
    expect(one.round(ill(0.5), 100, random())).toEqual([0]);
  });

  test('max_ejected: the worst are out, the others stay', () => {
    expect(setup(10, {}, 10).round((i) => (i === 4 ? 0.5 : i === 5 ? 0.9 : 0), 400, random())).toEqual([5]);
    expect(setup(10, {}, 0).round(ill(1), 400, random())).toEqual([]);
  });
});

test('one that falls behind again and again is out for longer each time, and less so after it has kept up', () => {
  const one = setup(10);
  const random = seededRandom(5);
  const pauses: number[] = [];
  const ill = (): void => {
    expect(one.round((i) => (i === 0 ? 0.4 : 0), 400, random)).toEqual([0]);
    const [health] = one.healths;
    expect([health!.state, health!.lastError]).toEqual(['failing', 'success_rate']);
    pauses.push((health!.retryTime - one.clock.wall()) / 1000);
    one.recover();
  };
  for (let i = 0; i < 4; i++) ill();
  for (let i = 0; i < 3; i++) expect(one.round(() => 0, 400, random)).toEqual([]);
  ill();
  expect(pauses).toEqual([5, 10, 20, 40, 10]);
});
