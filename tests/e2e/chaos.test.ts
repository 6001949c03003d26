/** One of three endpoints falls ill in every way, under load. tests/conformance/chaos.ts does the same at length. */
import { expect, test } from 'vitest';
import { courseOf, REPAIRABLE } from '../conformance/chaos/illness.ts';

test.each(REPAIRABLE)('%s at one of three endpoints: no client sees a failure', async (fault) => {
  const course = await courseOf(fault, 1, 50, 4, '2s');
  expect(course.seen).toBe('');
  expect(course.requests).toBeGreaterThan(100);
});
