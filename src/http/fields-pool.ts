/**
 * Reuses Fields objects. Hot.
 *
 * A Fields has two typed arrays, which are expensive to allocate and would survive a young collection. The number in
 * use never exceeds the number of messages in flight. Each taken Fields must be given back exactly once, after its last
 * use.
 */
import { Fields } from './fields.ts';

/** The pool's capacity; further objects are left to the garbage collector. */
const MOST = 4096;
/** Objects that grew past this many fields are not reused. */
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
