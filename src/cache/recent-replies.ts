/**
 * The answers that were made last, for those who ask for the same thing within the same second. Hot.
 *
 * What is asked for over and over leaves as the same text each time; what is asked for now and then is put together anew,
 * which costs little, and is kept only once.
 */
import type { StoredReply } from '../http/stored-reply.ts';
import type { StoredResponse } from './stored-response.ts';

/** A power of two. */
const PLACES = 64;

export class RecentReplies {
  readonly #stored: (StoredResponse | null)[] = Array.from({ length: PLACES }, () => null);
  readonly #replies: (StoredReply | null)[] = Array.from({ length: PLACES }, () => null);
  readonly #ages = new Int32Array(PLACES);

  /** As most requests get it. `now`: monotonic ms. */
  of(stored: StoredResponse, now: number): StoredReply {
    const age = stored.ageAt(now);
    const place = stored.place & (PLACES - 1);
    const recent = this.#replies[place]!;
    if (this.#stored[place] === stored && this.#ages[place] === age) return recent;
    const reply = stored.reply(age);
    // A long body is kept as bytes, and is not copied for its head's sake.
    if (stored.bytes !== null) return reply;
    this.#stored[place] = stored;
    this.#replies[place] = reply;
    this.#ages[place] = age;
    return reply;
  }

  clear(): void {
    this.#stored.fill(null);
    this.#replies.fill(null);
  }
}
