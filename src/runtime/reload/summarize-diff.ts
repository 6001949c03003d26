/**
 * Summarizes the changes of a reload in one line for the log. Cold; the reloader calls it, and yields to the traffic
 * between its steps.
 */
import type { Clock } from '../../kit/clock.ts';
import { TimeSlicer } from '../../kit/time-slicing.ts';
import { diffing } from '../../plan/diff.ts';
import type { Plan } from '../../plan/types.ts';

export async function changesBetween(before: Plan | null, after: Plan, clock: Clock): Promise<string> {
  let summary = '';
  function* steps(): Generator<null> {
    summary = (yield* diffing(before, after)).summary;
  }
  await new TimeSlicer(clock).all(steps());
  return summary;
}
