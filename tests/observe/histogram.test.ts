import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BOUNDS, Histogram } from '../../src/observe/histogram.ts';

test('each observation is in the bucket of the least bound that is not below it', () => {
  const value = fc.oneof(fc.float({ min: 0, max: 100_000, noNaN: true }), fc.constantFrom(...BOUNDS));
  fc.assert(
    fc.property(fc.array(value), (values) => {
      const histogram = new Histogram();
      for (const one of values) histogram.observe(one);
      const edges = [...BOUNDS, Number.POSITIVE_INFINITY];
      const expected = edges.map(
        (edge, i) => values.filter((one) => one <= edge && one > (edges[i - 1] ?? Number.NEGATIVE_INFINITY)).length,
      );
      expect([...histogram.counts]).toEqual(expected);
      expect(histogram.count).toBe(values.length);
      expect(histogram.sum).toBeCloseTo(
        values.reduce((all, one) => all + one, 0),
        5,
      );
    }),
  );
});
