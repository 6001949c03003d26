/** Finds the common start and the common end of two lists. Cold. */
import { FEW } from './time-slicing.ts';

/** Returns the number of equal items at the start, and of the remaining ones at the end. Yields for time slicing. */
export function* commonAffixes<T>(
  before: readonly T[],
  after: readonly T[],
  alike: (one: T, other: T) => boolean,
): Generator<null, readonly [start: number, end: number]> {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  for (; start < shorter && alike(before[start]!, after[start]!); start++) if (start % FEW === 0) yield null;
  let end = 0;
  for (; end < shorter - start && alike(before.at(-1 - end)!, after.at(-1 - end)!); end++)
    if (end % FEW === 0) yield null;
  return [start, end];
}
