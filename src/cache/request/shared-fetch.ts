/**
 * One request that the cache sends on, for however many wait for its response: the client that the rest of the way sees. Hot.
 *
 *     asked ──head──┬─ 304 to our own condition ─▶ what is stored is fresh again; all are answered with it
 *                   ├─ may be stored ─▶ a StreamingBody, read along by all whose request it would answer (RFC 9111 §4)
 *                   ├─ may not be ─▶ passed on to the one it was made for; the others go on by themselves, at once
 *                   └─ an error ─▶ what is stored, if it may be used all the same (RFC 5861 §4), or the error
 *
 * It is nobody's client connection: those who asked may leave, and it goes on for the store as long as that is worth it.
 */
import type { Subrequest, ResponseWriter } from '../../http/interception.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { Fields } from '../../http/fields.ts';
import { giveFields, takeFields } from '../../http/fields-pool.ts';
import type { LocalReply } from '../../http/local-reply.ts';
import { AUTHORIZATION, RANGE } from '../../http/known.ts';
import { type BodySource, type Framing, LENGTH, NO_BODY } from '../../http/message.ts';
import type { ExchangeOwner, ServerStream } from '../../http/server-stream.ts';
import type { CachedReply } from '../../http/cached-reply.ts';
import { CLIENT_GONE, GatewayError } from '../../kit/errors.ts';
import { WaitingList } from './waiting-list.ts';
import { StreamingBody } from './streaming-body.ts';
import { innerExchange } from './inner-exchange.ts';
import { combined, partOf } from '../rules/partial.ts';
import { type EvaluatedResponse, evaluateResponse } from '../rules/evaluate-response.ts';
import type { CacheHandler } from './cache-handler.ts';
import { lengthLine, type Part, type StoredHead, StoredResponse } from '../store/stored-response.ts';
import { reuse, VALIDATE } from '../rules/reuse.ts';
import { headOnly, renewed, renewedByHead } from '../rules/validation.ts';
import { variantKey } from '../rules/vary.ts';
import type { CacheRequest } from './cache-request.ts';

/** Bytes of a response that nobody wants which are read so that its connection can be used again. */
const MOST_DISCARDED = 64 * 1024;

/** Reasons that lie in one request and say nothing of the next one's response. */
const OF_ONE_REQUEST: ReadonlySet<string> = new Set(['authorization', 'request_no_store', 'rule']);

/** RFC 5861 §4. */
const ERRORS: ReadonlySet<number> = new Set([500, 502, 503, 504]);

export class SharedFetch implements ServerStream {
  owner: ExchangeOwner | null = null;
  closing = false;
  readonly upgrade = false;
  begun = false;
  bytesOut = 0;
  readonly key: string;
  readonly scope: string;
  /** What is stored, and asked for anew; null: there is nothing. */
  readonly old: StoredResponse | null;
  /** The exchange that the rest of the way sees. */
  readonly inner: Exchange;
  /** Its conditions are ours, if it has any: a client's own are answered from what comes. */
  readonly whole: boolean;
  /** Of the response, once it is known that it may be stored. */
  response: StoredHead | null = null;
  fill: StreamingBody | null = null;
  framing: Framing = NO_BODY;
  /** Field lines that are sent along while it comes: its age then, its length if it is known. */
  lines = '';
  readonly #handler: CacheHandler;
  /** The request as it came: what a Vary is held against. */
  readonly #asked: Fields;
  readonly #waiting: WaitingList;
  readonly #requestedAt: number;
  #branch: Subrequest | null = null;
  #part: Part | null = null;
  /** Takes the body as it comes, if it is for one alone. */
  #writer: ResponseWriter | null = null;
  #outdated = false;
  /** What is stored has been taken back: it is not given in place of an error either. */
  #oldGone = false;
  /** Tags by which responses have been purged since it was sent. */
  #purgedTags: ReadonlySet<string> | null = null;
  /** Nobody can join it any more, and nothing more comes of it. */
  #over = false;
  #discarded = 0;

  /** `background`: who asks does not wait for it. */
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

  /** `course`: of whoever asks. */
  start(writer: ResponseWriter): void {
    this.#handler.cache.begin(this);
    this.#branch = writer.subrequest(this.inner, this);
  }

  // === who waits for it

  /** Is it known what comes? */
  get answered(): boolean {
    return this.response !== null;
  }

  /** Will what comes be stored? */
  get stores(): boolean {
    return this.fill !== null && this.fill.collecting && !this.#outdated;
  }

  /** Would its response be one for that visit, as far as can be told? */
  takes(cacheRequest: CacheRequest): boolean {
    const { scope, x } = cacheRequest;
    if (this.#over || this.#outdated || !this.whole || scope !== this.scope || this.inner.method !== 'GET')
      return false;
    const { response } = this;
    if (response === null) {
      // A fetch that started before a purge by tag may carry the purged tag.
      if (this.begun || this.#purgedTags !== null) return false;
      // Most responses may not answer requests with Authorization: none waits unless a stored one said that it may.
      if (x.fields.has(AUTHORIZATION) && !(this.old?.head.forAuthorized ?? false)) return false;
      return this.#mightSuit(x.fields);
    }
    return this.stores && this.#suits(response, cacheRequest);
  }

  /** What is stored tells what the response may vary on. */
  #mightSuit(fields: Fields): boolean {
    for (const { head } of this.#handler.cache.store.all(this.key)) {
      if (head.scope !== this.scope || head.varyNames.length === 0) continue;
      if (variantKey(head.varyNames, fields) !== variantKey(head.varyNames, this.#asked)) return false;
    }
    return true;
  }

  /** May it have what another request has brought (RFC 9111 §4)? What is stale as it comes, or no-cache, is for one alone. */
  #suits(head: StoredHead, cacheRequest: CacheRequest): boolean {
    const { x, request } = cacheRequest;
    if (!cacheRequest.mayHave(head) || variantKey(head.varyNames, x.fields) !== head.variant) return false;
    return reuse(head, request, this.#handler.clock.now()) !== VALIDATE;
  }

  join(cacheRequest: CacheRequest): void {
    this.#waiting.add(cacheRequest);
    if (this.response !== null) cacheRequest.serveFill(this, null);
  }

  /** One of them has gone, or has its answer. */
  leave(cacheRequest: CacheRequest): void {
    this.#waiting.remove(cacheRequest);
    this.#endIfUnwanted();
  }

  /** What is being fetched is old news: it is not stored. `oldGone`: nor is what is stored to be had any more. */
  outdate(oldGone = true): void {
    this.#outdated = true;
    this.#oldGone ||= oldGone;
    this.#endIfUnwanted();
  }

  /** The same if it has one of these tags, which may be known only later. Answers whether it is known to have one. */
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
    // Nothing is known of it yet: its response may be one for the store.
    if (!this.begun) return !this.#outdated;
    return this.fill !== null && this.stores && this.fill.missing <= this.#handler.plan.finish;
  }

  // === the response (ServerStream)

  informational(status: number, reason: string, fields: Fields): void {
    this.#waiting.leader?.course.informational(status, reason, fields);
  }

  localReply(response: LocalReply): void {
    this.begun = true;
    const failed = this.inner.error !== '';
    const { leader } = this.#waiting;
    this.#end();
    // RFC 9111 §4.2.4: disconnected.
    const { staleIfError, staleIfUnreachable } = this.#handler.plan;
    if (failed && this.#serveOld(Math.max(staleIfError, staleIfUnreachable))) return;
    // Who waited for the same upstream would fare no better now; what a policy says is said to one client.
    for (const cacheRequest of this.#waiting.takeAll()) {
      if (failed || cacheRequest === leader) cacheRequest.refused(response, this.inner);
      else cacheRequest.fetchSeparately();
    }
  }

  cachedReply(reply: CachedReply): void {
    this.begun = true;
    this.#end();
    for (const cacheRequest of this.#waiting.takeAll()) cacheRequest.course.answer(reply);
  }

  head(status: number, reason: string, fields: Fields, framing: Framing, source: BodySource): void {
    this.begun = true;
    const { old } = this;
    if (old !== null && status === 304) {
      this.#validated(old, fields);
      return;
    }
    if (ERRORS.has(status) && this.#serveOld(this.#handler.plan.staleIfError)) return;
    const received = this.#judge(status, reason, fields);
    let { why } = received;
    if (this.inner.method === 'HEAD') this.#answeredHead(received, fields);
    else if (why === '') why = this.#begin(received, fields, framing, source);
    if (why === '' && this.fill !== null) this.#share(fields);
    else this.#pass(status, reason, fields, framing, source, why);
  }

  /** What a response with that head is to the cache. */
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

  /** The response may be stored. Why it is not after all, or ''. */
  #begin({ head }: EvaluatedResponse, fields: Fields, framing: Framing, source: BodySource): string {
    const length = framing === LENGTH ? Number(fields.get('content-length')) : framing === NO_BODY ? 0 : -1;
    const { cache } = this.#handler;
    if (length > cache.maxEntrySize) return 'size';
    if (head.status === 206 && (this.#part = partOf(fields, length)) === null) return 'part';
    this.response = head;
    this.framing = framing;
    this.fill = new StreamingBody(cache.store, cache.maxEntrySize, length, source);
    const age = fields.get('age');
    this.lines = (age === undefined ? '' : `Age: ${age}\r\n`) + lengthLine(head.status, length);
    // Where nobody may have it but who has asked, nobody needs to wait for the next.
    if (head.noCache || head.lifetime <= 0) cache.remember(this.key, this.scope);
    else cache.forget(this.key, this.scope);
    return '';
  }

  /** Gives it to all whose request it answers. */
  #share(fields: Fields): void {
    const { response } = this;
    const { leader, others: waiting } = this.#waiting;
    if (leader !== null) {
      // From here on the fields are the leader's.
      this.inner.responseFields = null;
      this.#branch?.addStickyCookie(fields);
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

  /** It is for the one alone that it was made for. */
  #pass(status: number, reason: string, fields: Fields, framing: Framing, source: BodySource, why: string): void {
    const { cache } = this.#handler;
    if (this.whole && why !== '' && !OF_ONE_REQUEST.has(why)) cache.remember(this.key, this.scope);
    // Who has something newer for us does not mean the old to be used any more.
    if (this.old !== null && why !== '' && status < 500) cache.drop(this.key, this.old);
    cache.over(this);
    const waiting = this.#waiting.takeOthers();
    const { leader } = this.#waiting;
    if (leader === null) this.#cancel();
    else {
      this.inner.responseFields = null;
      this.#branch?.addStickyCookie(fields);
      this.#writer = leader.course;
      leader.pass(this.inner, { status, reason, fields, framing, source }, why);
    }
    for (const cacheRequest of waiting) cacheRequest.fetchSeparately();
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    if (this.fill !== null) return this.fill.add(bytes, start, end);
    if (this.#writer !== null) return this.#writer.data(bytes, start, end);
    this.#discarded += end - start;
    if (this.#discarded > MOST_DISCARDED) this.#cancel();
    return true;
  }

  flush(): void {
    this.fill?.flush();
    this.#writer?.flush();
  }

  end(trailers: string): void {
    const { fill: body } = this;
    const writer = this.#writer;
    const stored = this.stores ? this.#store() : null;
    this.#end();
    body?.complete(trailers);
    if (stored !== null && body!.own) stored.own();
    writer?.end(trailers);
  }

  #store(): StoredResponse {
    const { cache, plan } = this.#handler;
    const bytes = this.fill!.taken();
    const one = new StoredResponse(this.response!, bytes, this.#part, bytes.length, plan.statusHeader);
    cache.metrics.stored++;
    const all = cache.store.all(this.key);
    cache.put(this.key, one.part === null ? one : combined(one, all, plan.statusHeader));
    return one;
  }

  /** It broke off. */
  abort(): void {
    const error = new GatewayError(this.inner.error, 'upstream', 502);
    const writer = this.#writer;
    const { fill: body } = this;
    this.#end();
    body?.fail(error);
    writer?.fail(error);
  }

  // === what is stored already

  /** RFC 9111 §4.3.4 */
  #validated(old: StoredResponse, fields: Fields): void {
    const { cache } = this.#handler;
    const fresh = this.#outdated ? null : renewed(cache, this.key, old, this.#judge, fields);
    // It has got a tag that has been purged since it was asked about.
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

  /** RFC 9111 §4.3.5, and what a HEAD itself may be answered with later. */
  #answeredHead(received: EvaluatedResponse, fields: Fields): void {
    if (this.#outdated) return;
    const { cache, plan } = this.#handler;
    if (this.old !== null) renewedByHead(cache, this.key, this.old, this.#judge, received, fields);
    if (received.why === '') cache.put(this.key, headOnly(received.head, fields, plan.statusHeader));
  }

  /** Is there nobody left when all those have been served who may have what is stored? `grace`: ms that the config allows. */
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
    this.fill?.discard();
    this.owner = null;
    owner?.clientGone(CLIENT_GONE);
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#handler.cache.over(this);
    giveFields(this.#asked);
  }

  // === what a fetch has not

  override(): void {}

  readBody(): void {}

  pause(): void {}

  resume(): void {}

  switchProtocols(): null {
    return null;
  }
}
