/** Long work in short slices, so that traffic goes on between them. Cold. */
import { setImmediate } from 'node:timers/promises';
import type { Clock } from './clock.ts';

/** Milliseconds of work after which others have their turn: a request that comes meanwhile waits no longer. */
const SLICE = 0.5;
/** Items of a loop that are passed over in one step where each is next to nothing. */
export const FEW = 100;
/** For items that are a microsecond or so of work each: to look at the clock takes its time too. */
export const TINY = 16;

/**
 * Does `work` for each item in order; lets the event loop turn whenever a slice is over. `stride`: items for which the clock
 * is looked at once.
 */
export async function inSlices<T>(
  items: Iterable<T>,
  clock: Clock,
  work: (item: T) => void,
  stride = 1,
): Promise<void> {
  let started = clock.now();
  let left = stride;
  for (const item of items) {
    work(item);
    if (--left > 0) continue;
    left = stride;
    if (clock.now() - started < SLICE) continue;
    await setImmediate();
    started = clock.now();
  }
}
