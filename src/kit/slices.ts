/** Long work in short slices, so that traffic goes on between them. Cold. */
import { setImmediate } from 'node:timers/promises';
import type { Clock } from './clock.ts';

/** Milliseconds of work after which others have their turn. */
const SLICE = 3;

/** Does `work` for each item in order; lets the event loop turn whenever a slice is over. */
export async function inSlices<T>(items: Iterable<T>, clock: Clock, work: (item: T) => void): Promise<void> {
  let started = clock.now();
  for (const item of items) {
    work(item);
    if (clock.now() - started < SLICE) continue;
    await setImmediate();
    started = clock.now();
  }
}
