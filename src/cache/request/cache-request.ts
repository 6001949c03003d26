/**
 * One exchange that the cache could not answer within the call. Hot.
 *
 *     begin ─┬─ stored, and usable ────────────────────────────────────▶ answer
 *            ├─ a shared fetch is in progress ─ wait ───┬─ storable ───▶ stream its body
 *            │                                          └─ not ─┐
 *            └─ fetch ◀─────────────────────────────────────────┘
 *                 └─ storable: stream the body to all waiters · not: forward it to the leader
 */
import {
  type ResponseWriter,
  type Interceptor,
  INTERCEPTED,
  type Verdict,
  type FilterContext,
} from '../../http/interception.ts';
import type { Exchange } from '../../http/exchange.ts';
import { FieldList } from '../../http/field-list.ts';
import type { Fields } from '../../http/fields.ts';
import { giveFields } from '../../http/fields-pool.ts';
import { type LocalReply, problemReply } from '../../http/local-reply.ts';
import { RANGE } from '../../http/known.ts';
import { type BodySource, ResponseHead } from '../../http/message.ts';
import type { CachedReply } from '../../http/cached-reply.ts';
import { headOfReply } from '../../http/reply-head.ts';
import type { GatewayError } from '../../kit/errors.ts';
import { NOWHERE } from '../../kit/places.ts';
import type { Timed } from '../../net/deadlines.ts';
import { answerFrom, covers, isUnmodified, notModified } from './conditional-reply.ts';
import { WholeBody } from './body.ts';
import { addCacheStatus, type ForwardReason, forwardText } from '../rules/cache-status.ts';
import type { RequestDirectives } from '../rules/directives.ts';
import type { Disk } from '../disk/disk.ts';
import type { Lookup, Seeker } from '../disk/lookups.ts';
import { type CacheResult, noteResult } from './cache-result.ts';
import { SharedFetch } from './shared-fetch.ts';
import { BodyReader } from './body-reader.ts';
import { FRESH, permitsCredentials, reuse, STALE_WHILE_REVALIDATE, VALIDATE } from '../rules/reuse.ts';
import type { CacheHandler } from './cache-handler.ts';
import type { Store } from '../store/store.ts';
import { LARGEST_REPLY, type StoredHead, type StoredResponse } from '../store/stored-response.ts';

/** How long a disk read may take before a fetch starts instead (ms). */
const DISK_WAIT = 1000;

/** RFC 9111 §5.2.1.7. */
const NOT_STORED = problemReply(504);

export class CacheRequest implements Interceptor, Timed, Seeker {
  deadline = Number.POSITIVE_INFINITY;
  timedPlace = NOWHERE;
  /** Its place in the fetch's waiting list. */
  waitingPlace = NOWHERE;
  readonly x: Exchange;
  readonly key: string;
  readonly scope: string;
  readonly request: RequestDirectives;
  /** Why it was not answered from the store. */
  reason: ForwardReason = 'uri-miss';
  readonly #handler: CacheHandler;
  readonly #context: FilterContext;
  #taken: ResponseWriter | null = null;
  /** The fetch that it waits for, or streams from. */
  #sharedFetch: SharedFetch | null = null;
  #reader: BodyReader | null = null;
  #lookup: Lookup | null = null;
  #hasLooked = false;

  constructor(
    handler: CacheHandler,
    x: Exchange,
    context: FilterContext,
    key: string,
    scope: string,
    request: RequestDirectives,
  ) {
    this.#handler = handler;
    this.x = x;
    this.#context = context;
    this.key = key;
    this.scope = scope;
    this.request = request;
  }

  /** May the stored response answer it, with regard to Authorization? */
  mayHave(head: StoredHead): boolean {
    return permitsCredentials(head, this.x.fields);
  }

  get responseWriter(): ResponseWriter {
    return (this.#taken ??= this.#context.intercept(this));
  }

  /** `stored`: the complete response in the store for it, or null. */
  begin(stored: StoredResponse | null): Verdict {
    const { x, request } = this;
    const { cache } = this.#handler;
    const now = x.startedAt;
    const match = stored ?? findOther(cache.store, x, this.key, this.scope);
    if (match === null && cache.disk !== null && this.#looksOn(cache.disk)) return INTERCEPTED;
    const refused = match !== null && !this.mayHave(match.head);
    const found = refused ? null : match;
    if (found !== null) {
      const verdict = reuse(found.head, request, now);
      if (verdict !== VALIDATE) {
        const fresh = verdict === FRESH;
        if (fresh) cache.metrics.hits++;
        else cache.metrics.stale++;
        noteResult(x, fresh ? 'hit' : 'stale');
        if (verdict === STALE_WHILE_REVALIDATE) this.#revalidate(found);
        return this.#stored(answerFrom(found, x, now, cache.clock.wall()));
      }
    }
    if (request.onlyIfCached) {
      cache.metrics.misses++;
      noteResult(x, 'only_if_cached');
      return NOT_STORED;
    }
    const isFresh = found !== null && now < found.freshUntil && !found.head.noCache;
    this.reason = isFresh || refused ? 'request' : found !== null ? 'stale' : this.#missReason();
    cache.metrics.misses++;
    noteResult(x, found === null ? 'miss' : 'expired');
    this.#fetchOrWait(refused ? null : stored);
    return INTERCEPTED;
  }

  // === the disk

  /** Looks on disk. If there is a record, the request continues when that has been read. */
  #looksOn(disk: Disk): boolean {
    if (this.#hasLooked) return false;
    this.#hasLooked = true;
    const { key, scope, x } = this;
    this.#lookup = disk.look({ key, scope, x, statusHeader: this.#handler.plan.statusHeader }, this);
    if (this.#lookup === null) return false;
    this.#taken ??= this.#context.intercept(this);
    this.#wait(DISK_WAIT);
    return true;
  }

  onDisk(stored: StoredResponse | null): void {
    this.#lookup = null;
    this.#stopWaiting();
    const { key, scope, x } = this;
    const { store } = this.#handler.cache;
    // A newer response may be stored by now; one that memory has no room for is served all the same.
    const whole = stored === null || stored.part !== null || stored.headOnly ? null : stored;
    this.#answer(this.begin(store.find(key, scope, x.fields) ?? whole));
  }

  #missReason(): ForwardReason {
    const others = this.#handler.cache.store.all(this.key);
    if (others.length === 0) return 'uri-miss';
    return others.some((one) => one.part !== null && one.head.scope === this.scope) ? 'partial' : 'vary-miss';
  }

  /** Revalidates a stored response in the background, while the client gets it stale. */
  #revalidate(stored: StoredResponse): void {
    const { cache } = this.#handler;
    if (cache.fetchesFor(this.key).some((fetch) => fetch.old === stored)) return;
    cache.metrics.background++;
    new SharedFetch(this.#handler, this, stored, true).start(this.responseWriter);
  }

  /** Joins a shared fetch for the same response, or starts one. */
  #fetchOrWait(stored: StoredResponse | null): void {
    const { cache, plan } = this.#handler;
    if (this.#mayJoin) {
      for (const fetch of cache.fetchesFor(this.key)) {
        if (!fetch.takes(this)) continue;
        cache.metrics.collapsed++;
        this.#sharedFetch = fetch;
        if (!fetch.answered) this.#wait(plan.collapseWait);
        fetch.join(this);
        return;
      }
    }
    this.#lead(stored);
  }

  /** May another request's response answer it? */
  get #mayJoin(): boolean {
    const { x, request, key, scope } = this;
    const { cache, plan } = this.#handler;
    if (plan.collapseWait === 0 || x.method !== 'GET' || x.fields.has(RANGE)) return false;
    // A request that demands a revalidation demands one that starts after it.
    if (request.noCache || request.noStore || request.maxAge >= 0 || request.minFresh >= 0) return false;
    return !cache.knownUnstorable(key, scope, x.startedAt);
  }

  #lead(stored: StoredResponse | null): void {
    const fetch = new SharedFetch(this.#handler, this, stored, false);
    this.#sharedFetch = fetch;
    fetch.start(this.responseWriter);
  }

  /** Its wait for the disk or for a shared fetch has timed out. */
  onDeadline(): void {
    if (this.#lookup !== null) {
      this.#lookup.leave(this);
      this.#handler.cache.metrics.disk.late++;
      this.onDisk(null);
      return;
    }
    this.#sharedFetch?.leave(this);
    this.fetchSeparately();
  }

  #wait(ms: number): void {
    this.deadline = this.#handler.clock.now() + ms;
    this.#handler.deadlines.add(this);
  }

  #stopWaiting(): void {
    if (this.deadline === Number.POSITIVE_INFINITY) return;
    this.deadline = Number.POSITIVE_INFINITY;
    this.#handler.deadlines.delete(this);
  }

  /** Stops waiting, and makes a fetch of its own. */
  fetchSeparately(): void {
    this.#stopWaiting();
    this.#sharedFetch = null;
    const stored = this.#handler.cache.store.find(this.key, this.scope, this.x.fields);
    this.#lead(stored !== null && this.mayHave(stored.head) ? stored : null);
  }

  // === the result of a fetch

  /** Answers with a stored response. `status`: of the upstream response; 0: none. */
  serveStored(stored: StoredResponse, result: CacheResult, status: number): void {
    this.#stopWaiting();
    const { clock } = this.#handler;
    noteResult(this.x, result);
    const told = forwardText({ reason: this.reason, status });
    this.#answer(this.#stored(answerFrom(stored, this.x, clock.now(), clock.wall(), told)));
  }

  /** Sends a verdict that came too late for the hook to return it. */
  #answer(verdict: Verdict): void {
    if (verdict !== INTERCEPTED && verdict !== undefined) this.responseWriter.answer(verdict);
  }

  /** Streams a fetched response that is being stored. `own`: its fields, for the leader. */
  serveFill(fetch: SharedFetch, own: Fields | null): void {
    this.#stopWaiting();
    const { x } = this;
    const { clock, plan } = this.#handler;
    const head = fetch.response!;
    if (own === null) noteResult(x, 'collapsed');
    const told = { reason: this.reason, stored: fetch.stores, collapsed: own === null };
    this.#noteUpstream(fetch.inner);
    if (fetch.whole && isUnmodified(head, x, clock.wall())) {
      const text = forwardText({ ...told, status: head.status });
      const status = plan.statusHeader ? FieldList.of([['Cache-Status', text]]) : FieldList.NONE;
      if (own !== null) giveFields(own);
      fetch.leave(this);
      this.#sharedFetch = null;
      this.responseWriter.answer(notModified(head, status));
      return;
    }
    const fields = own ?? fetch.copyOfFields();
    if (plan.statusHeader) addCacheStatus(fields, forwardText(told));
    const reader = new BodyReader(this.responseWriter, fetch.body!, 0, Number.POSITIVE_INFINITY, false);
    this.#reader = reader;
    fetch.body!.join(reader);
    this.responseWriter.head(new ResponseHead(head.status, head.reason, fields, fetch.length), reader);
    reader.pump();
  }

  /** Forwards a fetched response that is for this exchange alone. */
  pass(inner: Exchange, head: ResponseHead, source: BodySource, detail: string): void {
    this.#noteUpstream(inner);
    if (this.#handler.plan.statusHeader) addCacheStatus(head.fields, forwardText({ reason: this.reason, detail }));
    this.responseWriter.head(head, source);
  }

  /** The fetch has no response; the client gets this local reply. */
  refused(response: LocalReply, inner: Exchange): void {
    this.#stopWaiting();
    this.#noteUpstream(inner);
    this.x.error = inner.error;
    this.responseWriter.answer(response);
  }

  #noteUpstream(inner: Exchange): void {
    this.x.endpoint = inner.endpoint;
    this.x.upstreamAt = inner.upstreamAt;
  }

  /** Small bodies are sent at once, large ones at the client's pace. */
  #stored(reply: CachedReply): Verdict {
    const { bytes } = reply;
    if (this.x.method === 'GET') this.#handler.cache.metrics.bytesServed += reply.length;
    if (bytes === null || bytes.length <= LARGEST_REPLY || this.x.method === 'HEAD') return reply;
    const { responseWriter: writer } = this;
    this.#reader = new BodyReader(writer, new WholeBody(bytes), 0, bytes.length, true);
    writer.head(headOfReply(reply, this.x.method), this.#reader);
    this.#reader.pump();
    return INTERCEPTED;
  }

  clientGone(_: GatewayError): void {
    this.#stopWaiting();
    this.#reader?.stop();
    this.#lookup?.leave(this);
    this.#lookup = null;
    this.#sharedFetch?.leave(this);
    this.#sharedFetch = null;
  }
}

/** A stored part with all requested ranges, or the stored response to a HEAD. */
export function findOther(store: Store, x: Exchange, key: string, scope: string): StoredResponse | null {
  if (x.method === 'HEAD') return store.findOther(key, scope, x.fields, true);
  if (!x.fields.has(RANGE)) return null;
  const part = store.findOther(key, scope, x.fields, false);
  return part !== null && covers(part, x) ? part : null;
}
