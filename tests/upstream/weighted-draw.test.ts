import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '../../src/kit/random.ts';
import { WeightedDraw } from '../../src/upstream/weighted-draw.ts';
import { FakeCandidate } from './strategies/strategy.suite.ts';

test('whatever the weights, each is drawn as often as its own says', { timeout: 120_000 }, () => {
  const weight = fc.constantFrom(0, 1, 2, 3, 50, 1000);
  const STEPS = 50_000;
  fc.assert(
    fc.property(fc.array(weight, { minLength: 1, maxLength: 12 }), (weights) => {
      // Evenly over the range: no chance in it.
      let at = 0;
      const draw = new WeightedDraw(
        weights.map((one) => new FakeCandidate(one)),
        () => (at++ + 0.5) / STEPS,
      );
      const sum = weights.reduce((all: number, one) => all + one, 0);
      const counts = weights.map((): number => 0);
      for (let i = 0; i < STEPS; i++) {
        const index = draw.next();
        expect(index >= 0).toBe(sum > 0);
        if (index >= 0) counts[index]!++;
      }
      if (sum > 0)
        weights.forEach((one, i) =>
          expect(Math.abs(counts[i]! - (one / sum) * STEPS)).toBeLessThan(2 * weights.length),
        );
      weights.forEach((one, i) => expect(one > 0 || counts[i] === 0).toBe(true));
    }),
    { numRuns: 40 },
  );
});

test('without weight nothing is drawn', () => {
  expect(new WeightedDraw([], seededRandom(1)).next()).toBe(-1);
  expect(new WeightedDraw([new FakeCandidate(0)], seededRandom(1)).next()).toBe(-1);
});
