/**
 * Remembers what a pure function made of a text: origins and browsers say the same thing over and over. Hot.
 *
 * Bounded in entries and in the length of a text; when full it begins anew, which costs one parse for each text that
 * comes back and needs no bookkeeping per lookup. It begins with another Map: a Map that is cleared leaves a table behind
 * that keeps the next one alive (kit/places.ts).
 */
import { detachString } from '../../kit/detach-string.ts';

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
    // From elsewhere than a wire.
    if (own !== text) return make(text);
    const fresh = make(own);
    made.set(own, fresh);
    return fresh;
  };
}
