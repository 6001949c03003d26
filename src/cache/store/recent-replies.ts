/**
 * The most recent replies, for repeated requests within the same second. Hot.
 *
 * A reply to frequent requests is sent as the same text each time. Other replies are built anew, which is cheap: a
 * reply is kept from the second request for its response on, unless another response has taken its place in between.
 */
import type { CachedReply } from '../../http/cached-reply.ts';
import type { StoredResponse } from './stored-response.ts';

/** A power of two. */
const PLACES = 64;

export class RecentReplies {
  readonly #stored: (StoredResponse | null)[] = Array.from({ length: PLACES }, () => null);
  readonly #replies: (CachedReply | null)[] = Array.from({ length: PLACES }, () => null);
  readonly #ages = new Int32Array(PLACES);

  /** The reply that most requests get. `now`: monotonic ms. */
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
