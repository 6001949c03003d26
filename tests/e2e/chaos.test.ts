/** One of three endpoints falls ill in every way, under load. tests/conformance/chaos.ts does the same at length. */
import { expect, test } from 'vitest';
import { runChaos, REPAIRABLE } from '../conformance/chaos/illness.ts';

test.each(REPAIRABLE)('%s at one of three endpoints: no client sees a failure', async (fault) => {
  const run = await runChaos(fault, 1, 50, 4, '2s');
  expect(run.seen).toBe('');
  expect(run.requests).toBeGreaterThan(100);
});
