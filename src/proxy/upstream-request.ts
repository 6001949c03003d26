/**
 * The attempts to have a pool answer one exchange: pick, try, wait for room, try elsewhere, give up. Hot.
 *
 * Made by request handler.ts when it comes to sending a request on. It decides who is asked and how often; what comes back goes to
 * the request handler, which asks here whether there is another attempt.
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
import { isIdempotent, mayRetry, mayRetryThere, pauseBefore, wasStale } from './retry.ts';

/** Times that the retry budget is asked before an attempt is given up; a pause is between each two. */
const MOST_DENIED = 5;

export class UpstreamRequest implements Waiter, Timed {
  readonly handler: RequestHandler;
  /** Who is asked: what the route says, or a pool that it falls back on. */
  pool: Pool;
  /** For how long, and how often: what the pool says, and the route over that. */
  terms: Terms;
  #overrides: RouteOverrides | null;
  /** The request head; the same for every attempt. */
  readonly text: string;
  /** The protocols that the client offers to change to, or ''. */
  readonly offered: string;
  /** Where the request's body comes from. */
  readonly body: RequestBody;
  /** The request's body, if it may have to be sent again. */
  readonly replayBody: ReplayBody | null;
  /** Monotonic ms by which it must be over; Infinity: whenever. */
  deadline = Number.POSITIVE_INFINITY;
  timedPlace = NOWHERE;
  /** The one under way. */
  attempt: Attempt | null = null;
  /** It, and a second one beside it; null: the pool does not hedge. */
  #race: Hedge | null = null;
  /** No time has passed since the request came: it has neither waited nor been tried before. */
  prompt = true;
  /** Of the request, on its way to another pool; null: it is not mirrored. */
  readonly #copy: MirrorBuffer | null;
  /** Some upstream may have acted on the request. */
  #sent = false;
  #attempts = 0;
  /** Endpoints that failed; null: none has. */
  #tried: EndpointState[] | null = null;
  /** One of them answered, with a status after which it is not asked again. */
  #declined = false;
  /** Why the attempt before failed. */
  #failure: GatewayError | null = null;
  /** Where it waits for room. */
  #place: Place | null = null;
  /** Until the next attempt. */
  #pause: Timer | null = null;

  constructor(handler: RequestHandler, pool: Pool, mirror: Mirror | null, overrides: RouteOverrides | null) {
    this.handler = handler;
    this.pool = pool;
    this.#overrides = overrides;
    this.terms = termsAt(pool, overrides);
    const { x, stream } = handler;
    this.offered = stream.upgrade ? (x.fields.known(UPGRADE) ?? '') : '';
    this.text = requestText(x, this.offered);
    const { attempts, bodySize } = this.terms.retries;
    const keeps = x.bodyLength !== 0 && attempts > 0 && bodySize >= x.bodyLength && isIdempotent(x);
    // Where the client offers to change protocols, what a copy could come to is no exchange.
    this.#copy = mirror === null || this.offered !== '' ? null : mirror.copyOf(handler, this.text);
    this.body = this.#copy ?? stream;
    this.replayBody = keeps ? new ReplayBody(this.body, bodySize) : null;
  }

  /** Another pool is asked from now on, or the same with other settings. */
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

  /** Looks for an endpoint and makes an attempt there; waits for room if that is all that is missing. */
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

  /** There is no endpoint to be had. */
  #giveUp(why: GatewayError): void {
    const error = this.#failure ?? why;
    if (!this.#fallBack(error)) this.handler.refuse(error);
  }

  /** Goes on to what the pool falls back on, if it may. Answers whether it has. */
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

  /** One that has not been tried, or else one that has, if there is hope. */
  #pick(): EndpointState | null {
    const { x } = this.handler;
    if (this.#tried === null) return this.pool.pick(x);
    const endpoint = this.pool.pick(x, this.#tried);
    return endpoint === null && !this.#declined && mayRetryThere(this.#failure) ? this.pool.pick(x) : endpoint;
  }

  #attemptAt(endpoint: EndpointState): void {
    this.#attempts++;
    this.handler.x.endpoint = endpoint.address.text;
    // Where one pooled connection has proved dead, the others may be so too.
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

  /** One attempt is lost; if it has a rival, that may still answer. */
  attemptFailed(attempt: Attempt, error: GatewayError): void {
    if (this.#race === null || !this.#race.lost(attempt, error)) this.handler.fail(error);
  }

  /** It avoids where it has been (Waiter). */
  get choosy(): boolean {
    return this.#tried !== null;
  }

  /** There may be room (Waiter). */
  admitted(): boolean {
    const endpoint = this.#pick();
    if (endpoint === null && this.pool.worthWaiting(this.#tried)) return false;
    this.#place = null;
    if (endpoint !== null) this.#attemptAt(endpoint);
    else this.#giveUp(NO_ENDPOINT);
    return true;
  }

  /** It has waited for room long enough (Waiter). */
  gaveUp(): void {
    this.#place = null;
    this.pool.load.metrics.queueTimeouts++;
    this.#giveUp(QUEUE_TIMEOUT);
  }

  /** The exchange has had its time (Timed). */
  onDeadline(): void {
    this.stop();
    this.handler.refuse(TOTAL_TIMEOUT);
  }

  /** May the request be sent again after an upstream has had it? */
  get #repeatable(): boolean {
    const { x } = this.handler;
    return isIdempotent(x) && (x.bodyLength === 0 || (this.replayBody !== null && this.replayBody.replayable));
  }

  withinBudget(): boolean {
    const { load, plan } = this.pool;
    if (load.mayRetry(plan.retries.budget, 0)) return true;
    load.metrics.retriesDenied++;
    return false;
  }

  /** The attempt under way failed. Answers whether there is another; if not, `error` is what the client is told. */
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

  /** The next attempt, after so many ms. `denied`: times that the budget had no room for it. */
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
    // Many attempts that fail at one moment are many that could be made elsewhere, one after the other.
    if (denied < MOST_DENIED) {
      const { random } = this.handler.context.shared;
      this.#tryAfter(pauseBefore(denied + 2, this.terms.retries, random), failed, denied + 1);
      return;
    }
    load.metrics.retriesDenied++;
    const error = this.#failure!;
    if (failed.connection !== null || !this.#fallBack(error)) this.handler.refuse(error);
  }

  /** An answer has this status. Is another endpoint asked instead? Then that has begun. */
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

  /** Nothing more is wanted of the upstream, whatever is under way there. */
  stop(): void {
    this.attempt?.abort();
    this.attempt = null;
    this.#race?.stop();
    this.#place?.leave();
    this.#place = null;
    this.#pause?.cancel();
    this.#pause = null;
  }

  /** The attempt has become somebody else's: a tunnel. */
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
