/** What a reload has changed, in one line for the log. Cold; called by the reloader, between whose steps traffic goes on. */
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
