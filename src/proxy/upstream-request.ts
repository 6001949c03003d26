/**
 * The upstream side of one exchange: picks an endpoint, makes attempts, queues, retries, gives up. Hot.
 *
 * request-handler.ts creates it when it forwards a request. It decides which endpoint gets the request, and how often.
 * The response goes to the request handler, which asks here whether another attempt follows.
 */
import type { Timer } from '../kit/clock.ts';
import { type GatewayError, NO_ENDPOINT, POOL_FULL, QUEUE_TIMEOUT, TOTAL_TIMEOUT } from '../kit/errors.ts';
import { NOWHERE } from '../kit/places.ts';
import { UPGRADE } from '../http/known.ts';
import type { Timed } from '../net/deadlines.ts';
import type { EndpointState } from '../upstream/endpoint.ts';
import { Pool } from '../upstream/pool.ts';
import type { Place, Waiter } from '../upstream/queue.ts';
import type { Terms } from '../upstream/terms.ts';
import { Attempt } from './attempt.ts';
import { Hedge } from './hedge.ts';
import { ReplayBody, type RequestBody } from './replay-body.ts';
import type { Mirror } from './mirror.ts';
import type { RequestHandler } from './request-handler.ts';
import type { MirrorBuffer } from './mirror-buffer.ts';
import { requestText } from './request-text.ts';
import { type RouteOverrides, termsAt } from './route-overrides.ts';
import { isIdempotent, mayRepeat, mayRetry, mayRetryThere, pauseBefore, wasStale } from './retry.ts';

/** How often the retry budget may deny an attempt before it is given up; each try waits for a pause. */
const MOST_DENIED = 5;

export class UpstreamRequest implements Waiter, Timed {
  readonly handler: RequestHandler;
  /** The pool in use: the route's, or one of its fallbacks. */
  pool: Pool;
  /** Timeouts and retries: the pool's, with the route's overrides. */
  terms: Terms;
  #overrides: RouteOverrides | null;
  /** The request head; the same for every attempt. */
  readonly text: string;
  /** The protocols that the client offers to upgrade to, or ''. */
  readonly offered: string;
  /** The source of the request body. */
  readonly body: RequestBody;
  /** The request body, if a retry may have to replay it. */
  readonly replayBody: ReplayBody | null;
  /** The total timeout, in monotonic ms; Infinity: none. */
  deadline = Number.POSITIVE_INFINITY;
  timedPlace = NOWHERE;
  /** The attempt in progress. */
  attempt: Attempt | null = null;
  /** The hedge of that attempt; null: the pool does not hedge. */
  #race: Hedge | null = null;
  /** The request has neither waited nor been tried yet, so no time has passed since it arrived. */
  prompt = true;
  /** The copy of the request for the mirror; null: it is not mirrored. */
  readonly #copy: MirrorBuffer | null;
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

  constructor(handler: RequestHandler, pool: Pool, mirror: Mirror | null, overrides: RouteOverrides | null) {
    this.handler = handler;
    this.pool = pool;
    this.#overrides = overrides;
    this.terms = termsAt(pool, overrides);
    const { x, stream, body } = handler;
    this.offered = stream.upgrade ? (x.fields.known(UPGRADE) ?? '') : '';
    this.text = requestText(x, this.offered);
    const { retries } = this.terms;
    const keeps =
      x.bodyLength !== 0 && retries.attempts > 0 && retries.bodySize >= x.bodyLength && mayRepeat(x, retries);
    // An upgrade request is not mirrored: the copy could become a tunnel.
    this.#copy = mirror === null || this.offered !== '' ? null : mirror.copyOf(handler, this.text);
    this.body = this.#copy ?? body;
    this.replayBody =
      keeps && this.body.repeatable !== true ? new ReplayBody(this.body, x.bodyLength, retries.bodySize) : null;
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
    const { deadlines } = this.handler.context.shared;
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
    this.prompt = false;
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
    if (!this.#fallBack(error)) this.handler.refuse(error);
  }

  /** Continues with the pool's fallback, if the request was not sent yet. Returns whether it has. */
  #fallBack(error: GatewayError): boolean {
    const { fallback, load } = this.pool;
    if (fallback === null || this.#sent) return false;
    load.metrics.fallbacks++;
    if (!(fallback instanceof Pool)) {
      this.handler.answerInstead(error, fallback);
      return true;
    }
    this.goesTo(fallback, this.#overrides);
    this.prompt = false;
    this.#attempts = 0;
    this.#tried = null;
    this.#failure = null;
    this.#limitTime();
    this.#try();
    return true;
  }

  /** An untried endpoint, or else one that was tried, if another attempt there may succeed. */
  #pick(): EndpointState | null {
    const { x } = this.handler;
    if (this.#tried === null) return this.pool.pick(x);
    const endpoint = this.pool.pick(x, this.#tried);
    return endpoint === null && !this.#declined && mayRetryThere(this.#failure) ? this.pool.pick(x) : endpoint;
  }

  #attemptAt(endpoint: EndpointState): void {
    this.#attempts++;
    this.handler.x.endpoint = endpoint.address.text;
    // If one pooled connection was dead, the others may be dead too.
    const fresh = this.#failure !== null && this.#failure.retry === 'reset';
    const attempt = new Attempt(this, endpoint, this.#attempts > 1, fresh);
    this.attempt = attempt;
    const { hedge } = this.pool.plan;
    if (hedge !== null && this.#attempts === 1 && this.#hedgeable) this.#race = new Hedge(this, attempt, hedge.delay);
    attempt.start();
  }

  get #hedgeable(): boolean {
    const { x } = this.handler;
    return x.bodyLength === 0 && this.offered === '' && isIdempotent(x);
  }

  /** One attempt failed; if it has a rival, that may still succeed. */
  attemptFailed(attempt: Attempt, error: GatewayError): void {
    if (this.#race === null || !this.#race.lost(attempt, error)) this.handler.fail(error);
  }

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
    this.handler.refuse(TOTAL_TIMEOUT);
  }

  /** May the request be sent again after an upstream has received it? */
  get #repeatable(): boolean {
    const { x } = this.handler;
    return mayRepeat(x, this.terms.retries) && (x.bodyLength === 0 || this.#replayable);
  }

  get #replayable(): boolean {
    return this.replayBody === null ? this.body.repeatable === true : this.replayBody.replayable;
  }

  withinBudget(): boolean {
    const { load, plan } = this.pool;
    if (load.mayRetry(plan.retries.budget, 0)) return true;
    load.metrics.retriesDenied++;
    return false;
  }

  /** The attempt in progress failed. Returns whether another follows; if not, the client gets `error`. */
  failed(error: GatewayError): boolean {
    const { attempt, handler } = this;
    if (attempt === null) return false;
    this.attempt = null;
    this.replayBody?.detach();
    attempt.failed(error);
    const { retries } = this.terms;
    this.prompt = false;
    const unreached = attempt.connection === null;
    const stale = wasStale(error, attempt.reused);
    if (!unreached && !(stale && this.#repeatable)) this.#sent = true;
    if (handler.stream.begun || !mayRetry(error, retries, this.#attempts, this.#repeatable, stale))
      return unreached && this.#fallBack(error);
    this.#failure = error;
    if (stale) {
      attempt.endpoint.metrics.retries++;
      this.#try();
    } else {
      (this.#tried ??= []).push(attempt.endpoint);
      this.#tryAfter(pauseBefore(this.#attempts, retries, handler.context.shared.random), attempt, 0);
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
    else this.#pause = this.handler.context.shared.clock.after(pause, go);
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
      const { random } = this.handler.context.shared;
      this.#tryAfter(pauseBefore(denied + 2, this.terms.retries, random), failed, denied + 1);
      return;
    }
    load.metrics.retriesDenied++;
    const error = this.#failure!;
    if (failed.connection !== null || !this.#fallBack(error)) this.handler.refuse(error);
  }

  /** A response has this status. If its status calls for a retry elsewhere, starts that and returns true. */
  asksElsewhere(status: number): boolean {
    const { retries } = this.terms;
    if (!retries.statuses.includes(status) || this.#attempts > retries.attempts || !this.#repeatable) return false;
    const attempt = this.attempt!;
    (this.#tried ??= []).push(attempt.endpoint);
    const endpoint = this.pool.pick(this.handler.x, this.#tried);
    this.#sent = true;
    this.prompt = false;
    if (endpoint === null || !this.withinBudget()) return false;
    attempt.endpoint.metrics.retries++;
    this.#declined = true;
    this.replayBody?.detach();
    attempt.declined();
    this.#attemptAt(endpoint);
    return true;
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

  /** The tunnel has taken over the attempt. */
  handedOver(): void {
    this.attempt = null;
    this.finished();
  }

  /** The exchange is over. */
  finished(): void {
    this.attempt?.finished();
    if (this.#copy !== null) this.#copy.finished();
    if (this.deadline !== Number.POSITIVE_INFINITY) this.handler.context.shared.deadlines.delete(this);
  }
}
