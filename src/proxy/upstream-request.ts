/**
 * The upstream side of one exchange: picks an endpoint, makes attempts, queues, retries, gives up. Hot.
 *
 * It is the receiver of every attempt's response: it decides whether another attempt follows, and gives its owner only
 * the response that counts, or one error.
 */
import type { Timer } from '../kit/clock.ts';
import { type GatewayError, NO_ENDPOINT, POOL_FULL, QUEUE_TIMEOUT, TOTAL_TIMEOUT } from '../kit/errors.ts';
import { NOWHERE } from '../kit/places.ts';
import type { ClientStream } from '../http/client-stream.ts';
import type { Fields } from '../http/fields.ts';
import { giveFields } from '../http/fields-pool.ts';
import type { BodySource, ResponseHead, ResponseSink } from '../http/message.ts';
import { OutgoingHead } from '../http/outgoing-head.ts';
import type { ByteStream } from '../net/byte-stream.ts';
import type { Timed } from '../net/deadlines.ts';
import type { EndpointState } from '../upstream/endpoint.ts';
import { Pool } from '../upstream/pool.ts';
import type { Place, Waiter } from '../upstream/queue.ts';
import type { Terms } from '../upstream/terms.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import { Hedge } from './hedge.ts';
import { ReplayBody, type RequestBody } from './replay-body.ts';
import type { RequestCopy, RequestMirror } from './listener-context.ts';
import type { UpstreamRequestOwner } from './upstream-request-owner.ts';
import { type RouteOverrides, termsAt } from './route-overrides.ts';
import { isIdempotent, mayRepeat, mayRetry, mayRetryThere, pauseBefore, wasStale } from './retry.ts';

/** How often the retry budget may deny an attempt before it is given up; each try waits for a pause. */
const MOST_DENIED = 5;

export class UpstreamRequest implements ResponseSink, AttemptOwner, Waiter, Timed {
  readonly owner: UpstreamRequestOwner;
  /** The pool in use: the route's, or one of its fallbacks. */
  pool: Pool;
  /** Timeouts and retries: the pool's, with the route's overrides. */
  terms: Terms;
  #overrides: RouteOverrides | null;
  /** The request head; the same for every attempt. */
  readonly outgoing: OutgoingHead;
  readonly #body: RequestBody;
  /** The request body, if a retry may have to replay it. */
  readonly #replayBody: ReplayBody | null;
  /** The total timeout, in monotonic ms; Infinity: none. */
  deadline = Number.POSITIVE_INFINITY;
  timedPlace = NOWHERE;
  /** The attempt in progress. */
  attempt: Attempt | null = null;
  /** The hedge of that attempt; null: the pool does not hedge. */
  #race: Hedge | null = null;
  /** The request has neither waited nor been tried yet, so no time has passed since it arrived. */
  #prompt = true;
  /** The copy of the request for the mirror; null: it is not mirrored. */
  readonly #copy: RequestCopy | null;
  /** An upstream may have processed the request. */
  #sent = false;
  #attempts = 0;
  /** Endpoints that failed; null: none has. */
  #tried: EndpointState[] | null = null;
  /** One of them sent a response that was discarded for its status; it gets no further attempt. */
  #declined = false;
  /** The failure of the previous attempt. */
  #failure: GatewayError | null = null;
  /** Its place in the queue. */
  #place: Place | null = null;
  /** The pause before the next attempt. */
  #pause: Timer | null = null;

  /** `offered`: the protocols that the client offers to upgrade to, or ''. */
  constructor(
    owner: UpstreamRequestOwner,
    body: RequestBody,
    offered: string,
    pool: Pool,
    mirror: RequestMirror | null,
    overrides: RouteOverrides | null,
  ) {
    const { x } = owner;
    this.owner = owner;
    this.pool = pool;
    this.#overrides = overrides;
    this.terms = termsAt(pool, overrides);
    this.outgoing = OutgoingHead.of(x, offered);
    const { retries } = this.terms;
    const keeps =
      x.bodyLength !== 0 && retries.attempts > 0 && retries.bodySize >= x.bodyLength && mayRepeat(x, retries);
    // An upgrade request is not mirrored: the copy could become a tunnel.
    this.#copy = mirror === null || offered !== '' ? null : mirror.copyOf(owner, body, this.outgoing);
    this.#body = this.#copy ?? body;
    this.#replayBody =
      keeps && this.#body.repeatable !== true ? new ReplayBody(this.#body, x.bodyLength, retries.bodySize) : null;
  }

  /** Switches to another pool, or to other settings of the same pool. */
  goesTo(pool: Pool, overrides: RouteOverrides | null): void {
    this.pool = pool;
    this.#overrides = overrides;
    this.terms = termsAt(pool, overrides);
  }

  start(): void {
    this.#limitTime();
    if (this.#copy !== null) this.#copy.begin();
    this.#try();
  }

  #limitTime(): void {
    const { total } = this.terms;
    if (total === Number.POSITIVE_INFINITY) return;
    const { deadlines } = this.owner.context.shared;
    if (this.deadline === Number.POSITIVE_INFINITY) deadlines.add(this);
    this.deadline = Math.min(this.deadline, deadlines.now + total);
  }

  /** Picks an endpoint and makes an attempt there; queues if only room is missing. */
  #try(): void {
    const { pool } = this;
    const endpoint = this.#pick();
    if (endpoint !== null) {
      this.#attemptAt(endpoint);
      return;
    }
    const { queue, metrics } = pool.load;
    this.#prompt = false;
    if (pool.worthWaiting(this.#tried)) this.#place = queue.enter(this);
    if (this.#place !== null) metrics.queued++;
    else if (pool.full) {
      metrics.queueRefusals++;
      this.#giveUp(POOL_FULL);
    } else this.#giveUp(NO_ENDPOINT);
  }

  /** No endpoint is available. */
  #giveUp(why: GatewayError): void {
    const error = this.#failure ?? why;
    if (!this.#fallBack(error)) this.owner.fail(error);
  }

  /** Continues with the pool's fallback, if the request was not sent yet. Returns whether it has. */
  #fallBack(error: GatewayError): boolean {
    const { fallback, load } = this.pool;
    if (fallback === null || this.#sent) return false;
    load.metrics.fallbacks++;
    if (!(fallback instanceof Pool)) {
      this.owner.answerInstead(error, fallback);
      return true;
    }
    this.goesTo(fallback, this.#overrides);
    this.#prompt = false;
    this.#attempts = 0;
    this.#tried = null;
    this.#failure = null;
    this.#limitTime();
    this.#try();
    return true;
  }

  /** An untried endpoint, or else one that was tried, if another attempt there may succeed. */
  #pick(): EndpointState | null {
    const { x } = this.owner;
    if (this.#tried === null) return this.pool.pick(x);
    const endpoint = this.pool.pick(x, this.#tried);
    return endpoint === null && !this.#declined && mayRetryThere(this.#failure) ? this.pool.pick(x) : endpoint;
  }

  #attemptAt(endpoint: EndpointState): void {
    this.#attempts++;
    this.owner.x.endpoint = endpoint.address.text;
    // If one pooled connection was dead, the others may be dead too.
    const fresh = this.#failure !== null && this.#failure.retry === 'reset';
    const attempt = new Attempt(this, this, endpoint, this.#attempts > 1);
    this.attempt = attempt;
    const { hedge } = this.pool.plan;
    if (hedge !== null && this.#attempts === 1 && this.#hedgeable) this.#race = new Hedge(this, attempt, hedge.delay);
    attempt.start(fresh);
  }

  get #hedgeable(): boolean {
    const { x } = this.owner;
    return x.bodyLength === 0 && this.outgoing.offered === '' && isIdempotent(x);
  }

  // === for its attempts (AttemptOwner)

  get bodySource(): BodySource | null {
    return this.owner.x.bodyLength === 0 ? null : this.#body;
  }

  sendTime(reused: boolean): number {
    return reused && this.#prompt ? this.owner.x.startedAt : this.owner.context.shared.clock.now();
  }

  sendBody(stream: ClientStream): void {
    // A replayed body is buffered already, so the attempt does not wait for 100 (Continue).
    if (this.outgoing.expectsContinue) stream.awaitContinue();
    if (this.#replayBody !== null) this.#replayBody.sendTo(stream);
    else this.#body.readBody(stream);
  }

  /** If the attempt has a rival, that may still succeed. */
  connectFailed(attempt: Attempt, error: GatewayError): void {
    if (this.#race === null || !this.#race.lost(attempt, error)) this.fail(error);
  }

  // === the response of the attempt in progress (ResponseSink)

  informational(status: number, reason: string, fields: Fields): void {
    this.owner.informational(status, reason, fields);
  }

  head(head: ResponseHead): void {
    const { owner } = this;
    const attempt = this.attempt!;
    const now = owner.context.shared.clock.now();
    attempt.answered(head.status, now);
    if (this.#asksElsewhere(head.status)) {
      giveFields(head.fields);
      return;
    }
    owner.x.upstreamAt = now;
    owner.responseHead(head, attempt.stream!);
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    return this.owner.data(bytes, start, end);
  }

  flush(): void {
    this.owner.flush();
  }

  end(trailers: Fields | null): void {
    this.attempt!.completed();
    this.owner.end(trailers);
  }

  switched(head: ResponseHead, stream: ByteStream): void {
    this.attempt!.answered(101, this.owner.context.shared.clock.now());
    this.owner.switched(head, stream);
  }

  /** The attempt failed: another follows, or the owner gets the error. */
  fail(error: GatewayError): void {
    if (!this.#retries(error)) this.owner.fail(error);
  }

  // === whether another attempt follows

  /** It avoids endpoints that it has tried (Waiter). */
  get choosy(): boolean {
    return this.#tried !== null;
  }

  /** The pool may have room (Waiter). */
  admitted(): boolean {
    const endpoint = this.#pick();
    if (endpoint === null && this.pool.worthWaiting(this.#tried)) return false;
    this.#place = null;
    if (endpoint !== null) this.#attemptAt(endpoint);
    else this.#giveUp(NO_ENDPOINT);
    return true;
  }

  /** Its queue timeout has expired (Waiter). */
  gaveUp(): void {
    this.#place = null;
    this.pool.load.metrics.queueTimeouts++;
    this.#giveUp(QUEUE_TIMEOUT);
  }

  /** The exchange's total timeout has expired (Timed). */
  onDeadline(): void {
    this.stop();
    this.owner.fail(TOTAL_TIMEOUT);
  }

  /** May the request be sent again after an upstream has received it? */
  get #repeatable(): boolean {
    const { x } = this.owner;
    return mayRepeat(x, this.terms.retries) && (x.bodyLength === 0 || this.#replayable);
  }

  get #replayable(): boolean {
    return this.#replayBody === null ? this.#body.repeatable === true : this.#replayBody.replayable;
  }

  withinBudget(): boolean {
    const { load, plan } = this.pool;
    if (load.mayRetry(plan.retries.budget, 0)) return true;
    load.metrics.retriesDenied++;
    return false;
  }

  /** The attempt in progress failed with that error. Returns whether another follows, or a fallback. */
  #retries(error: GatewayError): boolean {
    const { attempt, owner } = this;
    if (attempt === null) return false;
    this.attempt = null;
    this.#replayBody?.detach();
    attempt.failed(error);
    const { retries } = this.terms;
    this.#prompt = false;
    const unreached = attempt.stream === null;
    const stale = wasStale(error, attempt.reused);
    if (!unreached && !(stale && this.#repeatable)) this.#sent = true;
    if (owner.begun || !mayRetry(error, retries, this.#attempts, this.#repeatable, stale))
      return unreached && this.#fallBack(error);
    this.#failure = error;
    if (stale) {
      attempt.endpoint.metrics.retries++;
      this.#try();
    } else {
      (this.#tried ??= []).push(attempt.endpoint);
      this.#tryAfter(pauseBefore(this.#attempts, retries, owner.context.shared.random), attempt, 0);
    }
    return true;
  }

  /** Makes the next attempt after `pause` ms. `denied`: how often the budget has denied it. */
  #tryAfter(pause: number, failed: Attempt, denied: number): void {
    const go = (): void => {
      this.#pause = null;
      this.#tryWithinBudget(failed, denied);
    };
    if (pause < 1) go();
    else this.#pause = this.owner.context.shared.clock.after(pause, go);
  }

  #tryWithinBudget(failed: Attempt, denied: number): void {
    const { load, plan } = this.pool;
    if (load.mayRetry(plan.retries.budget, 1)) {
      failed.endpoint.metrics.retries++;
      this.#try();
      return;
    }
    // Attempts that fail together exceed the budget together, but fit into it one after the other.
    if (denied < MOST_DENIED) {
      const { random } = this.owner.context.shared;
      this.#tryAfter(pauseBefore(denied + 2, this.terms.retries, random), failed, denied + 1);
      return;
    }
    load.metrics.retriesDenied++;
    const error = this.#failure!;
    if (failed.stream !== null || !this.#fallBack(error)) this.owner.fail(error);
  }

  /** A response has this status. If its status calls for a retry elsewhere, starts that and returns true. */
  #asksElsewhere(status: number): boolean {
    const { retries } = this.terms;
    if (!retries.statuses.includes(status) || this.#attempts > retries.attempts || !this.#repeatable) return false;
    const attempt = this.attempt!;
    (this.#tried ??= []).push(attempt.endpoint);
    const endpoint = this.pool.pick(this.owner.x, this.#tried);
    this.#sent = true;
    this.#prompt = false;
    if (endpoint === null || !this.withinBudget()) return false;
    attempt.endpoint.metrics.retries++;
    this.#declined = true;
    this.#replayBody?.detach();
    attempt.declined();
    this.#attemptAt(endpoint);
    return true;
  }

  /** Adds the session affinity cookie, once an attempt has been made. */
  addStickyCookie(fields: Fields): void {
    if (this.attempt !== null) this.pool.addStickyCookie(this.owner.x, this.attempt.endpoint, fields);
  }

  /** Aborts everything in progress towards the upstream. */
  stop(): void {
    this.attempt?.abort();
    this.attempt = null;
    this.#race?.stop();
    this.#place?.leave();
    this.#place = null;
    this.#pause?.cancel();
    this.#pause = null;
  }

  /** Gives up the attempt, which a tunnel takes over. */
  handOver(): Attempt {
    const attempt = this.attempt!;
    this.attempt = null;
    this.finished();
    return attempt;
  }

  /** The exchange is over. */
  finished(): void {
    this.attempt?.finished();
    if (this.#copy !== null) this.#copy.finished();
    if (this.deadline !== Number.POSITIVE_INFINITY) this.owner.context.shared.deadlines.delete(this);
  }
}
