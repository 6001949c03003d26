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
import type { Subrequest, ResponseWriter } from '../http/interception.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Fields } from '../http/fields.ts';
import { giveFields, takeFields } from '../http/fields-pool.ts';
import type { LocalReply } from '../http/local-reply.ts';
import { AUTHORIZATION, RANGE } from '../http/known.ts';
import { type BodySource, type Framing, LENGTH, NO_BODY } from '../http/message.ts';
import type { ExchangeOwner, ServerStream } from '../http/server-stream.ts';
import type { CachedReply } from '../http/cached-reply.ts';
import { CLIENT_GONE, GatewayError } from '../kit/errors.ts';
import { Audience } from './audience.ts';
import { Fill } from './fill.ts';
import { innerExchange } from './inner-exchange.ts';
import { combined, partOf } from './partial.ts';
import { type Received, receive } from './received.ts';
import type { CacheSite } from './site.ts';
import { lengthLine, type Part, type StoredHead, StoredResponse } from './stored-response.ts';
import { reuse, VALIDATE } from './reuse.ts';
import { headOnly, renewed, renewedByHead } from './validation.ts';
import { variantKey } from './vary.ts';
import type { Visit } from './visit.ts';

/** Bytes of a response that nobody wants which are read so that its connection can be used again. */
const MOST_DISCARDED = 64 * 1024;

/** Reasons that lie in one request and say nothing of the next one's response. */
const OF_ONE_REQUEST: ReadonlySet<string> = new Set(['authorization', 'request_no_store', 'rule']);

/** RFC 5861 §4. */
const ERRORS: ReadonlySet<number> = new Set([500, 502, 503, 504]);

export class Fetch implements ServerStream {
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
  fill: Fill | null = null;
  framing: Framing = NO_BODY;
  /** Field lines that are sent along while it comes: its age then, its length if it is known. */
  lines = '';
  readonly #site: CacheSite;
  /** The request as it came: what a Vary is held against. */
  readonly #asked: Fields;
  readonly #audience: Audience;
  readonly #requestedAt: number;
  #branch: Subrequest | null = null;
  #part: Part | null = null;
  /** Takes the body as it comes, if it is for one alone. */
  #course: ResponseWriter | null = null;
  #outdated = false;
  /** What is stored has been taken back: it is not given in place of an error either. */
  #oldGone = false;
  /** Tags by which responses have been purged since it was sent. */
  #purgedTags: ReadonlySet<string> | null = null;
  /** Nobody can join it any more, and nothing more comes of it. */
  #over = false;
  #discarded = 0;

  /** `background`: who asks does not wait for it. */
  constructor(site: CacheSite, asker: Visit, old: StoredResponse | null, background: boolean) {
    const { x, key, scope } = asker;
    this.#site = site;
    this.key = key;
    this.scope = scope;
    this.old = old;
    this.#audience = new Audience(background ? null : asker);
    this.#requestedAt = site.clock.wall();
    this.#asked = takeFields();
    this.#asked.copy(x.fields);
    const ranged = x.fields.has(RANGE) && x.method === 'GET' && old === null;
    this.whole = !ranged && (old !== null || !site.cache.knownUnstorable(key, scope, x.startedAt));
    this.inner = innerExchange(x, old?.head ?? null, this.whole, site.clock.now());
  }

  /** `course`: of whoever asks. */
  start(course: ResponseWriter): void {
    this.#site.cache.begin(this);
    this.#branch = course.subrequest(this.inner, this);
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
  takes(visit: Visit): boolean {
    const { scope, x } = visit;
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
    return this.stores && this.#suits(response, visit);
  }

  /** What is stored tells what the response may vary on. */
  #mightSuit(fields: Fields): boolean {
    for (const { head } of this.#site.cache.store.all(this.key)) {
      if (head.scope !== this.scope || head.varyNames.length === 0) continue;
      if (variantKey(head.varyNames, fields) !== variantKey(head.varyNames, this.#asked)) return false;
    }
    return true;
  }

  /** May it have what another request has brought (RFC 9111 §4)? What is stale as it comes, or no-cache, is for one alone. */
  #suits(head: StoredHead, visit: Visit): boolean {
    const { x, request } = visit;
    if (!visit.mayHave(head) || variantKey(head.varyNames, x.fields) !== head.variant) return false;
    return reuse(head, request, this.#site.clock.now()) !== VALIDATE;
  }

  join(visit: Visit): void {
    this.#audience.add(visit);
    if (this.response !== null) visit.serveFill(this, null);
  }

  /** One of them has gone, or has its answer. */
  leave(visit: Visit): void {
    this.#audience.remove(visit);
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
    if (this.#over || !this.#audience.empty || this.#isWorthFinishing) return;
    this.#cancel();
  }

  get #isWorthFinishing(): boolean {
    // Nothing is known of it yet: its response may be one for the store.
    if (!this.begun) return !this.#outdated;
    return this.fill !== null && this.stores && this.fill.missing <= this.#site.plan.finish;
  }

  // === the response (ServerStream)

  informational(status: number, reason: string, fields: Fields): void {
    this.#audience.leader?.course.informational(status, reason, fields);
  }

  localReply(response: LocalReply): void {
    this.begun = true;
    const failed = this.inner.error !== '';
    const { leader } = this.#audience;
    this.#end();
    // RFC 9111 §4.2.4: disconnected.
    const { staleIfError, staleIfUnreachable } = this.#site.plan;
    if (failed && this.#serveOld(Math.max(staleIfError, staleIfUnreachable))) return;
    // Who waited for the same upstream would fare no better now; what a policy says is said to one client.
    for (const visit of this.#audience.takeAll()) {
      if (failed || visit === leader) visit.refused(response, this.inner);
      else visit.alone();
    }
  }

  cachedReply(reply: CachedReply): void {
    this.begun = true;
    this.#end();
    for (const visit of this.#audience.takeAll()) visit.course.answer(reply);
  }

  head(status: number, reason: string, fields: Fields, framing: Framing, source: BodySource): void {
    this.begun = true;
    const { old } = this;
    if (old !== null && status === 304) {
      this.#validated(old, fields);
      return;
    }
    if (ERRORS.has(status) && this.#serveOld(this.#site.plan.staleIfError)) return;
    const received = this.#judge(status, reason, fields);
    let { why } = received;
    if (this.inner.method === 'HEAD') this.#answeredHead(received, fields);
    else if (why === '') why = this.#begin(received, fields, framing, source);
    if (why === '' && this.fill !== null) this.#share(fields);
    else this.#pass(status, reason, fields, framing, source, why);
  }

  /** What a response with that head is to the cache. */
  readonly #judge = (status: number, reason: string, fields: Fields): Received => {
    const { clock, plan, rules, noStore } = this.#site;
    const { inner } = this;
    const barred = noStore !== null && noStore(inner);
    const asked = { method: inner.method, fields: this.#asked, requestedAt: this.#requestedAt, barred };
    const received = receive({ status, reason, fields }, asked, { scope: this.scope, plan, rules, clock });
    const purged = this.#purgedTags;
    if (purged !== null && received.head.tags.some((tag) => purged.has(tag))) this.#outdated = true;
    return received;
  };

  /** The response may be stored. Why it is not after all, or ''. */
  #begin({ head }: Received, fields: Fields, framing: Framing, source: BodySource): string {
    const length = framing === LENGTH ? Number(fields.get('content-length')) : framing === NO_BODY ? 0 : -1;
    const { cache } = this.#site;
    if (length > cache.maxEntrySize) return 'size';
    if (head.status === 206 && (this.#part = partOf(fields, length)) === null) return 'part';
    this.response = head;
    this.framing = framing;
    this.fill = new Fill(cache.store, cache.maxEntrySize, length, source);
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
    const { leader, others: waiting } = this.#audience;
    if (leader !== null) {
      // From here on the fields are the leader's.
      this.inner.responseFields = null;
      this.#branch?.addStickyCookie(fields);
      leader.serveFill(this, fields);
    }
    for (const visit of waiting) {
      if (this.#suits(response!, visit)) visit.serveFill(this, null);
      else {
        this.#audience.remove(visit);
        visit.alone();
      }
    }
    this.#endIfUnwanted();
  }

  /** It is for the one alone that it was made for. */
  #pass(status: number, reason: string, fields: Fields, framing: Framing, source: BodySource, why: string): void {
    const { cache } = this.#site;
    if (this.whole && why !== '' && !OF_ONE_REQUEST.has(why)) cache.remember(this.key, this.scope);
    // Who has something newer for us does not mean the old to be used any more.
    if (this.old !== null && why !== '' && status < 500) cache.drop(this.key, this.old);
    cache.over(this);
    const waiting = this.#audience.takeOthers();
    const { leader } = this.#audience;
    if (leader === null) this.#cancel();
    else {
      this.inner.responseFields = null;
      this.#branch?.addStickyCookie(fields);
      this.#course = leader.course;
      leader.pass(this.inner, { status, reason, fields, framing, source }, why);
    }
    for (const visit of waiting) visit.alone();
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    if (this.fill !== null) return this.fill.add(bytes, start, end);
    if (this.#course !== null) return this.#course.data(bytes, start, end);
    this.#discarded += end - start;
    if (this.#discarded > MOST_DISCARDED) this.#cancel();
    return true;
  }

  flush(): void {
    this.fill?.flush();
    this.#course?.flush();
  }

  end(trailers: string): void {
    const { fill } = this;
    const course = this.#course;
    const stored = this.stores ? this.#store() : null;
    this.#end();
    fill?.complete(trailers);
    if (stored !== null && fill!.own) stored.own();
    course?.end(trailers);
  }

  #store(): StoredResponse {
    const { cache, plan } = this.#site;
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
    const course = this.#course;
    const { fill } = this;
    this.#end();
    fill?.fail(error);
    course?.fail(error);
  }

  // === what is stored already

  /** RFC 9111 §4.3.4 */
  #validated(old: StoredResponse, fields: Fields): void {
    const { cache } = this.#site;
    const fresh = this.#outdated ? null : renewed(cache, this.key, old, this.#judge, fields);
    // It has got a tag that has been purged since it was asked about.
    if (fresh !== null && this.#outdated) cache.drop(this.key, fresh.response);
    const { leader } = this.#audience;
    this.#end();
    for (const visit of this.#audience.takeAll()) {
      const its = fresh !== null && (visit === leader || (fresh.storable && this.#suits(fresh.response.head, visit)));
      if (its) visit.serveStored(fresh.response, 'revalidated', 304);
      else visit.alone();
    }
  }

  /** RFC 9111 §4.3.5, and what a HEAD itself may be answered with later. */
  #answeredHead(received: Received, fields: Fields): void {
    if (this.#outdated) return;
    const { cache, plan } = this.#site;
    if (this.old !== null) renewedByHead(cache, this.key, this.old, this.#judge, received, fields);
    if (received.why === '') cache.put(this.key, headOnly(received.head, fields, plan.statusHeader));
  }

  /** Is there nobody left when all those have been served who may have what is stored? `grace`: ms that the config allows. */
  #serveOld(grace: number): boolean {
    if (this.old === null || this.#oldGone) return false;
    const { clock, cache } = this.#site;
    cache.metrics.staleOnError += this.#audience.serveStale(this.old, grace, clock.now());
    return this.#audience.empty;
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
    this.#site.cache.over(this);
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
