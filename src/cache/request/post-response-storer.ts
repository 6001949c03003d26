/**
 * Stores the response to a POST that is also the response to a GET of the same URI (RFC 9110 §9.3.3). Hot, once per
 * such response.
 */
import { BodyFilter } from '../../http/body-filter.ts';
import type { Fields } from '../../http/fields.ts';
import type { BodySource } from '../../http/message.ts';
import { StreamingBody } from './streaming-body.ts';
import type { HttpCache } from '../store/http-cache.ts';
import { type StoredHead, StoredResponse } from '../store/stored-response.ts';

/** The client reads the response and sets the pace. */
const NO_SOURCE: BodySource = { pause: () => {}, resume: () => {} };

export class PostResponseStorer extends BodyFilter {
  readonly #cache: HttpCache;
  readonly #key: string;
  readonly #head: StoredHead;
  readonly #statusHeader: boolean;
  readonly #body: StreamingBody;
  readonly #forgotten: number;

  /** `length`: the announced Content-Length; -1: unknown. */
  constructor(cache: HttpCache, key: string, head: StoredHead, length: number, statusHeader: boolean) {
    super();
    this.#cache = cache;
    this.#key = key;
    this.#head = head;
    this.#statusHeader = statusHeader;
    this.#forgotten = cache.purgeEpoch;
    this.#body = new StreamingBody(cache.store, cache.maxEntrySize, length, NO_SOURCE);
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    if (this.#body.collecting) this.#body.add(bytes, start, end);
    return this.next.data(bytes, start, end);
  }

  end(trailers: Fields | null): void {
    this.#store();
    this.next.end(trailers);
  }

  #store(): void {
    // A purge or invalidation meanwhile may cover this response.
    if (!this.#body.collecting || this.#cache.purgeEpoch !== this.#forgotten) {
      this.#body.discard();
      return;
    }
    const bytes = this.#body.taken();
    this.#cache.metrics.stored++;
    this.#cache.put(this.#key, new StoredResponse(this.#head, bytes, null, bytes.length, this.#statusHeader));
  }

  override abort(): void {
    this.#body.discard();
  }
}
