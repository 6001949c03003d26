/**
 * The attempts to have a pool answer one exchange: pick, try, wait for room, try elsewhere, give up. Hot.
 *
 * Made by passage.ts when it comes to sending a request on. It decides who is asked and how often; what comes back goes to
 * the passage, which asks here whether there is another attempt.
 */
import type { Timer } from '../kit/clock.ts';
import { type GatewayError, NO_ENDPOINT, POOL_FULL, QUEUE_TIMEOUT, TOTAL_TIMEOUT } from '../kit/errors.ts';
import { UPGRADE } from '../http/known.ts';
import type { Timed } from '../net/deadlines.ts';
import type { EndpointState } from '../upstream/endpoint.ts';
import type { Pool } from '../upstream/pool.ts';
import type { Place, Waiter } from '../upstream/queue.ts';
import { Attempt } from './attempt.ts';
import { Contender } from './hedge.ts';
import { KeptBody } from './kept-body.ts';
import type { Passage } from './passage.ts';
import { requestText } from './request-text.ts';
import { isIdempotent, mayRetry, mayRetryThere, pauseBefore, wasStale } from './retry.ts';

export class Forwarding implements Waiter, Timed {
  readonly passage: Passage;
  readonly pool: Pool;
  /** The request head; the same for every attempt. */
  readonly text: string;
  /** The protocols that the client offers to change to, or ''. */
  readonly offered: string;
  /** The request's body, if it may have to be sent again. */
  readonly keptBody: KeptBody | null;
  /** Monotonic ms by which it must be over; Infinity: whenever. */
  deadline = Number.POSITIVE_INFINITY;
  /** The one under way. */
  attempt: Attempt | null = null;
  /** A second one beside it. */
  #rival: Attempt | null = null;
  /** Until there is one. */
  #hedging: Timer | null = null;
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

  constructor(passage: Passage, pool: Pool) {
    this.passage = passage;
    this.pool = pool;
    const { x, stream, live } = passage;
    this.offered = stream.upgrade ? (x.fields.known(UPGRADE) ?? '') : '';
    this.text = requestText(x, live.trusted, this.offered);
    const { attempts, bodySize } = pool.plan.retries;
    const keeps = x.bodyLength !== 0 && attempts > 0 && bodySize >= x.bodyLength && isIdempotent(x);
    this.keptBody = keeps ? new KeptBody(stream, bodySize) : null;
  }

  start(): void {
    const { total } = this.pool.plan.timeouts;
    if (total > 0) {
      const { deadlines } = this.passage.live.shared;
      this.deadline = deadlines.now + total;
      deadlines.add(this);
    }
    this.#try();
  }

  /** Looks for an endpoint and makes an attempt there; waits for room if that is all that is missing. */
  #try(): void {
    const { pool, passage } = this;
    const endpoint = this.#pick();
    if (endpoint !== null) {
      this.#attemptAt(endpoint);
      return;
    }
    if (!pool.full) {
      passage.refuse(this.#failure ?? NO_ENDPOINT);
      return;
    }
    const { queue, metrics } = pool.load;
    this.#place = queue.enter(this);
    if (this.#place !== null) metrics.queued++;
    else {
      metrics.queueRefusals++;
      passage.refuse(this.#failure ?? POOL_FULL);
    }
  }

  /** One that has not been tried, or else one that has, if there is hope. */
  #pick(): EndpointState | null {
    const { x } = this.passage;
    if (this.#tried === null) return this.pool.pick(x);
    const endpoint = this.pool.pick(x, this.#tried);
    return endpoint === null && !this.#declined && mayRetryThere(this.#failure) ? this.pool.pick(x) : endpoint;
  }

  #attemptAt(endpoint: EndpointState): void {
    this.#attempts++;
    this.passage.x.endpoint = endpoint.address.text;
    // Where one pooled connection has proved dead, the others may be so too.
    const fresh = this.#failure !== null && this.#failure.retry === 'reset';
    const attempt = new Attempt(this, endpoint, this.#attempts > 1, fresh);
    this.attempt = attempt;
    const { hedge } = this.pool.plan;
    if (hedge !== null && this.#attempts === 1 && this.#hedgeable) {
      attempt.sink = new Contender(this, attempt);
      this.#hedging = this.passage.live.shared.clock.after(hedge.delay, () => this.#hedge());
    }
    attempt.start();
  }

  get #hedgeable(): boolean {
    const { x } = this.passage;
    return x.bodyLength === 0 && this.offered === '' && isIdempotent(x);
  }

  /** The first attempt is slow: a second one, elsewhere. */
  #hedge(): void {
    this.#hedging = null;
    const first = this.attempt;
    if (first === null || this.#rival !== null) return;
    const endpoint = this.pool.pick(this.passage.x, [first.endpoint]);
    if (endpoint === null || !this.#withinBudget()) return;
    this.pool.load.metrics.hedges++;
    const rival = new Attempt(this, endpoint, true, false);
    rival.sink = new Contender(this, rival);
    this.#rival = rival;
    rival.start();
  }

  /** Is there only one attempt? */
  get alone(): boolean {
    return this.#rival === null;
  }

  /** This one was the first to answer: the other is not needed. */
  won(attempt: Attempt): void {
    this.#hedging?.cancel();
    this.#hedging = null;
    const rival = this.#rival;
    if (rival === null) return;
    this.#rival = null;
    const first = this.attempt!;
    this.attempt = attempt;
    this.passage.x.endpoint = attempt.endpoint.address.text;
    if (attempt === rival) {
      this.pool.load.metrics.hedgesWon++;
      first.abort();
    } else rival.abort();
  }

  /** One attempt is lost; the other, if there is one, may still answer. */
  attemptFailed(attempt: Attempt, error: GatewayError): void {
    const rival = this.#rival;
    if (rival === null) {
      this.#hedging?.cancel();
      this.#hedging = null;
      this.passage.fail(error);
      return;
    }
    this.#rival = null;
    if (attempt === this.attempt) this.attempt = rival;
    this.passage.x.endpoint = this.attempt!.endpoint.address.text;
    attempt.failed(error);
  }

  /** It avoids where it has been (Waiter). */
  get choosy(): boolean {
    return this.#tried !== null;
  }

  /** There may be room (Waiter). */
  admitted(): boolean {
    const endpoint = this.#pick();
    if (endpoint === null && this.pool.full) return false;
    this.#place = null;
    if (endpoint !== null) this.#attemptAt(endpoint);
    else this.passage.refuse(this.#failure ?? NO_ENDPOINT);
    return true;
  }

  /** It has waited for room long enough (Waiter). */
  gaveUp(): void {
    this.#place = null;
    this.pool.load.metrics.queueTimeouts++;
    this.passage.refuse(this.#failure ?? QUEUE_TIMEOUT);
  }

  /** The exchange has had its time (Timed). */
  onDeadline(): void {
    this.stop();
    this.passage.refuse(TOTAL_TIMEOUT);
  }

  /** May the request be sent again after an upstream has had it? */
  get #repeatable(): boolean {
    const { x } = this.passage;
    return isIdempotent(x) && (x.bodyLength === 0 || (this.keptBody !== null && this.keptBody.replayable));
  }

  /** `uncounted`: requests under way that no endpoint counts at the moment. */
  #withinBudget(uncounted = 0): boolean {
    const { load, plan } = this.pool;
    if (load.mayRetry(plan.retries.budget, uncounted)) return true;
    load.metrics.retriesDenied++;
    return false;
  }

  /** The attempt under way failed. Answers whether there is another; if not, `error` is what the client is told. */
  failed(error: GatewayError): boolean {
    const { attempt, pool, passage } = this;
    if (attempt === null) return false;
    this.attempt = null;
    this.keptBody?.detach();
    attempt.failed(error);
    const { retries } = pool.plan;
    const stale = wasStale(error, attempt.reused);
    if (passage.stream.begun || !mayRetry(error, retries, this.#attempts, this.#repeatable, stale)) return false;
    if (!stale && !this.#withinBudget(1)) return false;
    attempt.endpoint.metrics.retries++;
    this.#failure = error;
    if (!stale) (this.#tried ??= []).push(attempt.endpoint);
    const { clock, random } = passage.live.shared;
    const pause = pauseBefore(this.#attempts, retries, random);
    if (pause < 1) this.#try();
    else {
      this.#pause = clock.after(pause, () => {
        this.#pause = null;
        this.#try();
      });
    }
    return true;
  }

  /** An answer has this status. Is another endpoint asked instead? Then that has begun. */
  asksElsewhere(status: number): boolean {
    const { retries } = this.pool.plan;
    if (!retries.statuses.includes(status) || this.#attempts > retries.attempts || !this.#repeatable) return false;
    const attempt = this.attempt!;
    const tried = (this.#tried ??= []);
    tried.push(attempt.endpoint);
    const endpoint = this.pool.pick(this.passage.x, tried);
    if (endpoint === null || !this.#withinBudget()) return false;
    attempt.endpoint.metrics.retries++;
    this.#declined = true;
    this.keptBody?.detach();
    attempt.abort();
    this.#attemptAt(endpoint);
    return true;
  }

  /** Nothing more is wanted of the upstream, whatever is under way there. */
  stop(): void {
    this.attempt?.abort();
    this.attempt = null;
    this.#rival?.abort();
    this.#rival = null;
    this.#hedging?.cancel();
    this.#hedging = null;
    this.#place?.leave();
    this.#place = null;
    this.#pause?.cancel();
    this.#pause = null;
  }

  /** The attempt has become somebody else's: a tunnel. */
  handedOver(): void {
    this.attempt = null;
    if (this.deadline !== Number.POSITIVE_INFINITY) this.passage.live.shared.deadlines.delete(this);
  }

  /** The exchange is over. */
  finished(): void {
    this.attempt?.finished();
    if (this.deadline !== Number.POSITIVE_INFINITY) this.passage.live.shared.deadlines.delete(this);
  }
}
