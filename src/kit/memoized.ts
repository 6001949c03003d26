/**
 * Memoizes a pure function of a text: origins and browsers send the same values over and over. Hot.
 *
 * Entries and text lengths are bounded. A full memo is replaced by an empty one, which costs one parse for each text
 * that comes back, and needs no bookkeeping per lookup. It uses a new Map: a cleared Map leaves a table behind that
 * keeps the next one alive (places.ts).
 */
import { detachString } from './detach-string.ts';

const ENTRIES = 512;
const LENGTH = 512;

export function memoized<T>(make: (text: string) => T): (text: string) => T {
  let made = new Map<string, T>();
  return (text) => {
    const known = made.get(text);
    if (known !== undefined) return known;
    if (text.length > LENGTH) return make(text);
    if (made.size >= ENTRIES) made = new Map();
    const own = detachString(text);
    // The text has characters that do not come from the wire.
    if (own !== text) return make(text);
    const fresh = make(own);
    made.set(own, fresh);
    return fresh;
  };
}
