/**
 * One upstream request of the cache, shared by all requests that wait for its response. Hot.
 *
 *     asked ──head──┬─ 304 to our own condition ─▶ the stored response is fresh again, and answers all waiters
 *                   ├─ storable ─▶ a StreamingBody, streamed to all waiters that it may answer (RFC 9111 §4)
 *                   ├─ not storable ─▶ forwarded to the leader; the others fetch separately, at once
 *                   └─ an error ─▶ the stored response, if it may be served stale (RFC 5861 §4), or the error
 *
 * For the subrequest it is the downstream client. It belongs to no client connection: when all waiters have left, the
 * fetch continues for the store, as long as that is worth it.
 */
import type { Subrequest, ResponseWriter } from '../../http/interception.ts';
import type { Exchange } from '../../http/exchange.ts';
import { Fields } from '../../http/fields.ts';
import { giveFields, takeFields } from '../../http/fields-pool.ts';
import type { LocalReply } from '../../http/local-reply.ts';
import { AUTHORIZATION, RANGE } from '../../http/known.ts';
import { type BodySource, ResponseHead } from '../../http/message.ts';
import type { ExchangeOwner, ServerStream } from '../../http/server-stream.ts';
import type { CachedReply } from '../../http/cached-reply.ts';
import { headOfReply, messageFields } from '../../http/reply-head.ts';
import { CLIENT_GONE, GatewayError } from '../../kit/errors.ts';
import { WaitingList } from './waiting-list.ts';
import { StreamingBody } from './streaming-body.ts';
import { innerExchange } from './inner-exchange.ts';
import { combined, partOf } from '../rules/partial.ts';
import { type EvaluatedResponse, evaluateResponse } from '../rules/evaluate-response.ts';
import type { CacheHandler } from './cache-handler.ts';
import { type Part, type StoredHead, StoredResponse } from '../store/stored-response.ts';
import { reuse, VALIDATE } from '../rules/reuse.ts';
import { headOnly, renewed, renewedByHead } from './validation.ts';
import { variantKey } from '../rules/vary.ts';
import type { HttpCache } from '../store/http-cache.ts';
import type { CacheRequest } from './cache-request.ts';

/** How many bytes of an unwanted response are read so that its connection can be reused. */
const MOST_DISCARDED = 64 * 1024;

/** Reasons that concern a single request, and say nothing about the next response. */
const OF_ONE_REQUEST: ReadonlySet<string> = new Set(['authorization', 'request_no_store', 'rule']);

/** RFC 5861 §4. */
const ERRORS: ReadonlySet<number> = new Set([500, 502, 503, 504]);

const IN_MEMORY: BodySource = { pause: () => {}, resume: () => {} };

/** A cache whose fetches requests may join. */
export type RequestCache = HttpCache<SharedFetch>;

export class SharedFetch implements ServerStream {
  readonly carrier = null;
  owner: ExchangeOwner | null = null;
  closing = false;
  readonly upgrade = false;
  begun = false;
  bytesOut = 0;
  readonly key: string;
  readonly scope: string;
  /** The stored response to revalidate; null: there is none. */
  readonly old: StoredResponse | null;
  /** The exchange of the subrequest. */
  readonly inner: Exchange;
  /**
   * It fetches the whole representation, with conditions of our own if any: the client's conditions are evaluated
   * against the result.
   */
  readonly whole: boolean;
  /** The head of the response, once it is known to be storable. */
  response: StoredHead | null = null;
  body: StreamingBody | null = null;
  /** Bytes of content in the response, or UNKNOWN_LENGTH. */
  length = 0;
  /** The Age of the response while it streams, if it has one. */
  #age: string | undefined = undefined;
  readonly #handler: CacheHandler;
  /** The fields of the leader's request, for Vary. */
  readonly #asked: Fields;
  readonly #waiting: WaitingList<CacheRequest>;
  readonly #requestedAt: number;
  #subrequest: Subrequest | null = null;
  #part: Part | null = null;
  /** The receiver of a body that is forwarded to the leader alone. */
  #writer: ResponseWriter | null = null;
  #outdated = false;
  /** The stored response was invalidated or purged: it is not served on an error either. */
  #oldGone = false;
  /** Tags purged since the fetch started. */
  #purgedTags: ReadonlySet<string> | null = null;
  /** The fetch has ended: no request can join it. */
  #over = false;
  #discarded = 0;

  /** `background`: the request does not wait for it. */
  constructor(handler: CacheHandler, asker: CacheRequest, old: StoredResponse | null, background: boolean) {
    const { x, key, scope } = asker;
    this.#handler = handler;
    this.key = key;
    this.scope = scope;
    this.old = old;
    this.#waiting = new WaitingList(background ? null : asker);
    this.#requestedAt = handler.clock.wall();
    this.#asked = takeFields();
    this.#asked.copy(x.fields);
    const ranged = x.fields.has(RANGE) && x.method === 'GET' && old === null;
    this.whole = !ranged && (old !== null || !handler.cache.knownUnstorable(key, scope, x.startedAt));
    this.inner = innerExchange(x, old?.head ?? null, this.whole, handler.clock.now());
  }

  /** `writer`: of the exchange that starts the fetch. */
  start(writer: ResponseWriter): void {
    this.#handler.cache.begin(this);
    this.#subrequest = writer.subrequest(this.inner, this);
  }

  // === the waiters

  /** Is the response known to be storable? */
  get answered(): boolean {
    return this.response !== null;
  }

  /** Will the response be stored? */
  get stores(): boolean {
    return this.body !== null && this.body.collecting && !this.#outdated;
  }

  /** May the request join: could the response answer it, as far as is known? */
  takes(cacheRequest: CacheRequest): boolean {
    const { scope, x } = cacheRequest;
    if (this.#over || this.#outdated || !this.whole || scope !== this.scope || this.inner.method !== 'GET')
      return false;
    const { response } = this;
    if (response === null) {
      // A fetch that started before a purge by tag may carry the purged tag.
      if (this.begun || this.#purgedTags !== null) return false;
      // Most responses may not answer requests with Authorization: such requests join only if the stored response
      // permits it.
      if (x.fields.has(AUTHORIZATION) && !(this.old?.head.forAuthorized ?? false)) return false;
      return this.#mightSuit(x.fields);
    }
    return this.stores && this.#suits(response, cacheRequest);
  }

  /** Stored responses show on which fields the response may vary. */
  #mightSuit(fields: Fields): boolean {
    for (const { head } of this.#handler.cache.store.all(this.key)) {
      if (head.scope !== this.scope || head.varyNames.length === 0) continue;
      if (variantKey(head.varyNames, fields) !== variantKey(head.varyNames, this.#asked)) return false;
    }
    return true;
  }

  /** May the response answer another request (RFC 9111 §4)? If it is stale or no-cache, it answers only the leader. */
  #suits(head: StoredHead, cacheRequest: CacheRequest): boolean {
    const { x, request } = cacheRequest;
    if (!cacheRequest.mayHave(head) || variantKey(head.varyNames, x.fields) !== head.variant) return false;
    return reuse(head, request, this.#handler.clock.now()) !== VALIDATE;
  }

  join(cacheRequest: CacheRequest): void {
    this.#waiting.add(cacheRequest);
    if (this.response !== null) cacheRequest.serveFill(this, null);
  }

  /** A waiter has left, or has its answer. */
  leave(cacheRequest: CacheRequest): void {
    this.#waiting.remove(cacheRequest);
    this.#endIfUnwanted();
  }

  /** The response being fetched is outdated and will not be stored. `oldGone`: the stored one is not served either. */
  outdate(oldGone = true): void {
    this.#outdated = true;
    this.#oldGone ||= oldGone;
    this.#endIfUnwanted();
  }

  /**
   * The same if the response has one of these tags, which may be known only later. Returns whether a tag is known to
   * match.
   */
  outdateTagged(tags: ReadonlySet<string>, oldGone: boolean): boolean {
    const known = [...(this.response?.tags ?? []), ...(this.old?.head.tags ?? [])].some((tag) => tags.has(tag));
    if (known) this.outdate(oldGone);
    else if (this.response === null) this.#purgedTags = new Set([...(this.#purgedTags ?? []), ...tags]);
    return known;
  }

  #endIfUnwanted(): void {
    if (this.#over || !this.#waiting.empty || this.#isWorthFinishing) return;
    this.#cancel();
  }

  get #isWorthFinishing(): boolean {
    // The response is not known yet, and may be storable.
    if (!this.begun) return !this.#outdated;
    return this.body !== null && this.stores && this.body.missing <= this.#handler.plan.finish;
  }

  // === the response (ServerStream)

  informational(status: number, reason: string, fields: Fields): void {
    this.#waiting.leader?.responseWriter.informational(status, reason, fields);
  }

  localReply(response: LocalReply): void {
    this.begun = true;
    const failed = this.inner.error !== '';
    const { leader } = this.#waiting;
    this.#end();
    // RFC 9111 §4.2.4: disconnected.
    const { staleIfError, staleIfUnreachable } = this.#handler.plan;
    if (failed && this.#serveOld(Math.max(staleIfError, staleIfUnreachable))) return;
    // Waiters for the same failed upstream would get the same error; the reply of a policy is for the leader alone.
    for (const cacheRequest of this.#waiting.takeAll()) {
      if (failed || cacheRequest === leader) cacheRequest.refused(response, this.inner);
      else cacheRequest.fetchSeparately();
    }
  }

  /** The reply of another cache behind this one. It is in memory as a whole, so it needs no flow control. */
  cachedReply(reply: CachedReply): void {
    const head = headOfReply(reply, this.inner.method);
    const { length } = head;
    this.head(head, IN_MEMORY);
    if (this.#over) return;
    if (length > 0) this.data(reply.bodyBytes, 0, length);
    this.flush();
    if (!this.#over) this.end(null);
  }

  head(head: ResponseHead, source: BodySource): void {
    this.begun = true;
    const { status, reason, fields } = head;
    const { old } = this;
    if (old !== null && status === 304) {
      this.#validated(old, fields);
      return;
    }
    if (ERRORS.has(status) && this.#serveOld(this.#handler.plan.staleIfError)) return;
    const received = this.#judge(status, reason, fields);
    let { why } = received;
    if (this.inner.method === 'HEAD') this.#answeredHead(received, fields);
    else if (why === '') why = this.#begin(received, head, source);
    if (why === '' && this.body !== null) this.#share(fields);
    else this.#pass(head, source, why);
  }

  /** Evaluates a response with that head for the cache. */
  readonly #judge = (status: number, reason: string, fields: Fields): EvaluatedResponse => {
    const { clock, plan, rules, noStore } = this.#handler;
    const { inner } = this;
    const barred = noStore !== null && noStore(inner);
    const asked = { method: inner.method, fields: this.#asked, requestedAt: this.#requestedAt, barred };
    const received = evaluateResponse({ status, reason, fields }, asked, { scope: this.scope, plan, rules, clock });
    const purged = this.#purgedTags;
    if (purged !== null && received.head.tags.some((tag) => purged.has(tag))) this.#outdated = true;
    return received;
  };

  /** Starts to store the response. Returns why it can't be stored after all, or ''. */
  #begin({ head }: EvaluatedResponse, { fields, length }: ResponseHead, source: BodySource): string {
    const { cache } = this.#handler;
    if (length > cache.maxEntrySize) return 'size';
    if (head.status === 206 && (this.#part = partOf(fields, length)) === null) return 'part';
    this.response = head;
    this.length = length;
    this.body = new StreamingBody(cache.store, cache.maxEntrySize, length, source);
    this.#age = fields.get('age');
    // The response is not shareable: mark the key hit-for-miss.
    if (head.noCache || head.lifetime <= 0) cache.remember(this.key, this.scope);
    else cache.forget(this.key, this.scope);
    return '';
  }

  /** Streams the response to all waiters that it may answer. */
  #share(fields: Fields): void {
    const { response } = this;
    const { leader, others: waiting } = this.#waiting;
    if (leader !== null) {
      // From here on the leader owns the fields.
      this.inner.response = null;
      this.#subrequest?.addStickyCookie(fields);
      leader.serveFill(this, fields);
    }
    for (const cacheRequest of waiting) {
      if (this.#suits(response!, cacheRequest)) cacheRequest.serveFill(this, null);
      else {
        this.#waiting.remove(cacheRequest);
        cacheRequest.fetchSeparately();
      }
    }
    this.#endIfUnwanted();
  }

  /** The fields of the response, for one of the waiters. */
  copyOfFields(): Fields {
    const { status, fields: stored } = this.response!;
    const fields = messageFields(stored, status, this.length);
    if (this.#age !== undefined) fields.add('Age', this.#age);
    return fields;
  }

  /** Forwards the response to the leader alone. */
  #pass(head: ResponseHead, source: BodySource, why: string): void {
    const { cache } = this.#handler;
    if (this.whole && why !== '' && !OF_ONE_REQUEST.has(why)) cache.remember(this.key, this.scope);
    // The origin sent a newer response: drop the stored one.
    if (this.old !== null && why !== '' && head.status < 500) cache.drop(this.key, this.old);
    cache.over(this);
    const waiting = this.#waiting.takeOthers();
    const { leader } = this.#waiting;
    if (leader === null) this.#cancel();
    else {
      this.inner.response = null;
      this.#subrequest?.addStickyCookie(head.fields);
      this.#writer = leader.responseWriter;
      leader.pass(this.inner, head, source, why);
    }
    for (const cacheRequest of waiting) cacheRequest.fetchSeparately();
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    if (this.body !== null) return this.body.add(bytes, start, end);
    if (this.#writer !== null) return this.#writer.data(bytes, start, end);
    this.#discarded += end - start;
    if (this.#discarded > MOST_DISCARDED) this.#cancel();
    return true;
  }

  flush(): void {
    this.body?.flush();
    this.#writer?.flush();
  }

  end(trailers: Fields | null): void {
    const { body } = this;
    const writer = this.#writer;
    const stored = this.stores ? this.#store() : null;
    this.#end();
    body?.complete(trailers);
    if (stored !== null && body!.own) stored.own();
    writer?.end(trailers);
  }

  #store(): StoredResponse {
    const { cache, plan } = this.#handler;
    const bytes = this.body!.taken();
    const one = new StoredResponse(this.response!, bytes, this.#part, bytes.length, plan.statusHeader);
    cache.metrics.stored++;
    const all = cache.store.all(this.key);
    cache.put(this.key, one.part === null ? one : combined(one, all, plan.statusHeader));
    return one;
  }

  /** The response broke off. */
  abort(): void {
    const error = new GatewayError(this.inner.error, 'upstream', 502);
    const writer = this.#writer;
    const { body } = this;
    this.#end();
    body?.fail(error);
    writer?.fail(error);
  }

  // === the stored response

  /** RFC 9111 §4.3.4 */
  #validated(old: StoredResponse, fields: Fields): void {
    const { cache } = this.#handler;
    const fresh = this.#outdated ? null : renewed(cache, this.key, old, this.#judge, fields);
    // The 304 brought a tag that was purged since the fetch started.
    if (fresh !== null && this.#outdated) cache.drop(this.key, fresh.response);
    const { leader } = this.#waiting;
    this.#end();
    for (const cacheRequest of this.#waiting.takeAll()) {
      const its =
        fresh !== null &&
        (cacheRequest === leader || (fresh.storable && this.#suits(fresh.response.head, cacheRequest)));
      if (its) cacheRequest.serveStored(fresh.response, 'revalidated', 304);
      else cacheRequest.fetchSeparately();
    }
  }

  /** RFC 9111 §4.3.5; also stores the response for later HEAD requests. */
  #answeredHead(received: EvaluatedResponse, fields: Fields): void {
    if (this.#outdated) return;
    const { cache, plan } = this.#handler;
    if (this.old !== null) renewedByHead(cache, this.key, this.old, this.#judge, received, fields);
    if (received.why === '') cache.put(this.key, headOnly(received.head, fields, plan.statusHeader));
  }

  /**
   * Serves the stored response to all waiters that may have it; returns whether no waiter is left. `grace`: ms that the
   * config allows.
   */
  #serveOld(grace: number): boolean {
    if (this.old === null || this.#oldGone) return false;
    const { clock, cache } = this.#handler;
    cache.metrics.staleOnError += this.#waiting.serveStale(this.old, grace, clock.now());
    return this.#waiting.empty;
  }

  // === its end

  #cancel(): void {
    const { owner } = this;
    this.#end();
    this.body?.discard();
    this.owner = null;
    owner?.clientGone(CLIENT_GONE);
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#handler.cache.over(this);
    giveFields(this.#asked);
  }

  // === stream operations that a fetch does not need

  override(): void {}

  readBody(): void {}

  pause(): void {}

  resume(): void {}

  switchProtocols(): null {
    return null;
  }
}
