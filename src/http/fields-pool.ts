/**
 * Fields that are used again. Hot.
 *
 * A Fields has two typed arrays, which are dear to make and would outlive a young collection; there are never more in
 * use than messages under way. Whoever took one gives it back exactly once, when nobody can look at it any more.
 */
import { Fields } from './fields.ts';

/** Kept for reuse; more are left to the collector. */
const MOST = 4096;
/** One that grew past this many fields is not kept. */
const LARGEST = 256;
const free: Fields[] = [];

export function takeFields(): Fields {
  return free.pop() ?? new Fields();
}

export function giveFields(fields: Fields): void {
  if (free.length === MOST || fields.ids.length > LARGEST) return;
  fields.reset();
  free.push(fields);
}
