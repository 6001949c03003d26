/**
 * The replies that were made last, for those who ask for the same thing within the same second. Hot.
 *
 * What is asked for over and over leaves as the same text each time. What is asked for now and then is put together anew,
 * which costs little: a reply is kept from the second time on that a response is asked for before others take its place.
 */
import type { CachedReply } from '../../http/cached-reply.ts';
import type { StoredResponse } from './stored-response.ts';

/** A power of two. */
const PLACES = 64;

export class RecentReplies {
  readonly #stored: (StoredResponse | null)[] = Array.from({ length: PLACES }, () => null);
  readonly #replies: (CachedReply | null)[] = Array.from({ length: PLACES }, () => null);
  readonly #ages = new Int32Array(PLACES);

  /** As most requests get it. `now`: monotonic ms. */
  of(stored: StoredResponse, now: number): CachedReply {
    const age = stored.ageAt(now);
    const place = stored.place & (PLACES - 1);
    if (this.#stored[place] !== stored) {
      this.#stored[place] = stored;
      this.#replies[place] = null;
      return stored.reply(age);
    }
    const recent = this.#replies[place]!;
    if (recent !== null && this.#ages[place] === age) return recent;
    const reply = stored.reply(age);
    this.#replies[place] = reply;
    this.#ages[place] = age;
    return reply;
  }

  clear(): void {
    this.#stored.fill(null);
    this.#replies.fill(null);
  }
}
