/**
 * The context of a request hook of code that the gateway does not know. An interception by it can't break the message,
 * and has a deadline. Hot where used.
 *
 *     intercepted ──head──▶ begun ──end──▶ over      each part extends the deadline; none while the client takes nothing
 *          ├─────answer, fail─┼──────────────▶ over
 *          └─────deadline─────┴──────────────▶ over: 504, or a broken response
 */
import { GatewayError, POLICY_FAILED, POLICY_TIMEOUT } from '../kit/errors.ts';
import { NOWHERE } from '../kit/places.ts';
import type { Timed } from '../net/deadlines.ts';
import { CachedReply } from './cached-reply.ts';
import { checkedPairs, checkedReply, isLength, isReason } from './checked-edits.ts';
import type { Exchange } from './exchange.ts';
import { Fields } from './fields.ts';
import { GuardedFields, guardedExchange } from './guarded-exchange.ts';
import { checkedTrailers, type FilterGuard, isPart } from './guarded-filter.ts';
import type { FilterContext, Interceptor, ResponseWriter, Subrequest } from './interception.ts';
import type { LocalReply } from './local-reply.ts';
import { type BodySource, ResponseHead, UNKNOWN_LENGTH } from './message.ts';
import type { PoolHandle, PoolRequest, PoolResult } from './pool-request.ts';
import { isEmptyBody } from './status.ts';

export class GuardedContext implements FilterContext {
  readonly #context: FilterContext;
  readonly #guard: FilterGuard;
  #interception: GuardedInterception | null = null;
  #own: AbortController | null = null;

  constructor(context: FilterContext, guard: FilterGuard) {
    this.#context = context;
    this.#guard = guard;
  }

  /** Its own: the gateway could not abort one that the module has frozen. */
  get signal(): AbortSignal {
    if (this.#own !== null) return this.#own.signal;
    const own = (this.#own = new AbortController());
    const { signal } = this.#context;
    const abort = (): void => {
      try {
        own.abort(signal.reason);
      } catch (error) {
        this.#guard.note(error);
      }
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort);
    return own.signal;
  }

  get upgrade(): boolean {
    return this.#context.upgrade;
  }

  bufferBody(limit: number): LocalReply | undefined | Promise<LocalReply | undefined> {
    // Compared with anything else, every body is small enough.
    if (typeof limit !== 'number' || !(limit >= 0)) throw new TypeError('the limit of bufferBody is a number of bytes');
    return this.#context.bufferBody(limit);
  }

  async send(pool: PoolHandle, request: PoolRequest): Promise<PoolResult> {
    const result = await this.#context.send(pool, request);
    return result.error === null ? { ...result, fields: guardedFields(result.fields) } : result;
  }

  intercept(holder: Interceptor): ResponseWriter {
    if (this.#interception !== null) throw new TypeError('the hook has called intercept already');
    this.#interception = new GuardedInterception(holder, this.#context, this.#guard);
    return new GuardedWriter(this.#interception);
  }

  /**
   * The hook that had this context has returned. Returns the problem with it; '' if there is none. `intercepted`: it says
   * that it intercepts. Static: the hook may have redefined the members of its context.
   */
  static problemOf(context: GuardedContext, intercepted: boolean): string {
    const interception = context.#interception;
    if (intercepted) return interception === null ? 'the hook has not called intercept' : '';
    if (interception === null) return '';
    interception.close();
    return 'the hook has called intercept, and does not return INTERCEPTED';
  }
}

function guardedFields(fields: Fields): Fields {
  return new GuardedFields(fields) as unknown as Fields;
}

/** What the hook gets of an interception: the gateway calls none of its members, which the hook may redefine. */
class GuardedWriter implements ResponseWriter {
  readonly #interception: GuardedInterception;

  constructor(interception: GuardedInterception) {
    this.#interception = interception;
  }

  get x(): Exchange {
    return this.#interception.x;
  }

  subrequest(): Subrequest {
    throw new TypeError('a module sends requests with context.send');
  }

  answer(response: LocalReply | CachedReply): void {
    this.#interception.answer(response);
  }

  informational(status: number, reason: string, fields: Fields): void {
    this.#interception.informational(status, reason, fields);
  }

  head(head: ResponseHead, source: BodySource): void {
    this.#interception.head(head, source);
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    return this.#interception.data(bytes, start, end);
  }

  flush(): void {
    this.#interception.flush();
  }

  end(trailers: Fields | null): void {
    this.#interception.end(trailers);
  }

  fail(error: GatewayError): void {
    this.#interception.fail(error);
  }
}

class GuardedInterception implements Interceptor, BodySource, Timed {
  deadline = Number.POSITIVE_INFINITY;
  timedPlace = NOWHERE;
  readonly #holder: Interceptor;
  readonly #guard: FilterGuard;
  readonly #writer: ResponseWriter;
  /** What the holder resumes and pauses; null: no response has begun. */
  #source: BodySource | null = null;
  /** Bytes that are missing in the body, or UNKNOWN_LENGTH. */
  #left = 0;
  /** The response has no content, whatever the holder sends (RFC 9112 §6.3). */
  #empty = false;
  /** The client takes nothing more for now. */
  #waiting = false;
  /** Neither side is told anything more. */
  #over = false;

  constructor(holder: Interceptor, context: FilterContext, guard: FilterGuard) {
    this.#holder = holder;
    this.#guard = guard;
    this.#writer = context.intercept(this);
    if (!this.#over) this.#watch();
  }

  /** Nothing of the holder has an effect any more. */
  close(): void {
    this.#over = true;
    this.#guard.deadlines.delete(this);
    this.deadline = Number.POSITIVE_INFINITY;
  }

  // === from the exchange

  clientGone(error: GatewayError): void {
    if (this.#over) return;
    this.close();
    this.#tell(() => this.#holder.clientGone(error));
  }

  pause(): void {
    if (this.#over) return;
    this.#waiting = true;
    this.#watch();
    this.#tell(() => this.#source!.pause());
  }

  resume(): void {
    if (this.#over) return;
    this.#waiting = false;
    this.#watch();
    this.#tell(() => this.#source!.resume());
  }

  onDeadline(): void {
    this.#guard.note(`an interceptor has made no progress for ${this.#guard.timeout} ms`);
    this.clientGone(POLICY_TIMEOUT);
    this.#writer.fail(POLICY_TIMEOUT);
  }

  /** Calls the holder. Its error is its own, and ends a response that is not over. */
  #tell(call: () => unknown): void {
    const failed = (error: unknown): void => this.#failed(error);
    try {
      const result = call();
      if (result instanceof Promise) void settled(result, failed);
    } catch (error) {
      failed(error);
    }
  }

  #failed(error: unknown): void {
    this.#guard.note(error);
    if (this.#over) return;
    this.close();
    this.#writer.fail(POLICY_FAILED);
  }

  /** Called after each step of the holder. */
  #watch(): void {
    const { deadlines, timeout } = this.#guard;
    if (this.#waiting || timeout === Number.POSITIVE_INFINITY) this.deadline = Number.POSITIVE_INFINITY;
    else {
      deadlines.add(this);
      this.deadline = deadlines.now + timeout;
    }
  }

  // === from the holder; what it does wrong never throws into it: it may be in a timer of its own

  get x(): Exchange {
    return guardedExchange(this.#writer.x) as unknown as Exchange;
  }

  answer(response: LocalReply | CachedReply): void {
    if (this.#over) return;
    this.#checked(() => {
      const reply = response instanceof CachedReply ? response : checkedReply(response);
      if (this.#source !== null) return 'a response has begun already';
      if (typeof reply === 'string') return reply;
      this.close();
      this.#writer.answer(reply);
      return '';
    });
  }

  informational(status: number, reason: string, fields: Fields): void {
    if (this.#over) return;
    this.#checked(() => {
      const pairs = checkedPairs(fields ?? []);
      if (typeof pairs === 'string') return pairs;
      if (!Number.isInteger(status) || status < 102 || status > 199) return 'the status is none of an interim response';
      if (!isReason(reason)) return 'the reason is no text of one line';
      if (this.#source !== null) return 'a response has begun already';
      this.#watch();
      this.#writer.informational(status, reason, Fields.of(pairs));
      return '';
    });
  }

  /** `head`: as a reply, and its `length`; without one the length is unknown. */
  head(head: ResponseHead, source: BodySource): void {
    if (this.#over) return;
    this.#checked(() => {
      if (this.#source !== null) return 'a response has begun already';
      if (typeof head !== 'object' || head === null) return 'it is no head';
      const { status, reason, fields } = head;
      const length = (head.length as number | undefined) ?? UNKNOWN_LENGTH;
      const reply = checkedReply({ status, reason, fields });
      if (typeof reply === 'string') return reply;
      if (!isLength(length)) return 'the length of the body is no length';
      if (typeof source?.pause !== 'function' || typeof source.resume !== 'function')
        return 'the source has no pause or no resume';
      this.#source = source;
      this.#empty = isEmptyBody(this.#writer.x.method, status);
      this.#left = this.#empty ? 0 : length;
      this.#watch();
      this.#writer.head(new ResponseHead(status, reply.reason, Fields.of(reply.fields.pairs), this.#left), this);
      return '';
    });
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    if (this.#over) return true;
    return this.#checked(() => {
      if (this.#source === null) return 'no response has begun';
      if (!isPart(bytes, start, end)) return 'an interceptor sends a part of a Buffer: bytes, start, end';
      if (this.#empty) return '';
      if (this.#left !== UNKNOWN_LENGTH) {
        if (end - start > this.#left) return 'the body is longer than its head said';
        this.#left -= end - start;
      }
      if (!this.#writer.data(bytes, start, end)) this.#waiting = true;
      if (!this.#over) this.#watch();
      return '';
    });
  }

  flush(): void {
    if (!this.#over && this.#source !== null) this.#writer.flush();
  }

  end(trailers: Fields | null): void {
    if (this.#over) return;
    this.#checked(() => {
      if (this.#source === null) return 'no response has begun';
      if (this.#left > 0) return 'the body is shorter than its head said';
      const checked = checkedTrailers(trailers);
      if (typeof checked === 'string') return checked;
      this.close();
      this.#writer.end(checked);
      return '';
    });
  }

  fail(error: GatewayError): void {
    if (this.#over) return;
    if (!(error instanceof GatewayError)) {
      this.#failed(error);
      return;
    }
    this.close();
    this.#writer.fail(error);
  }

  /** Runs one step, which returns the problem with it or ''. Returns false if the holder has to wait. */
  #checked(step: () => string): boolean {
    let problem: unknown;
    try {
      const text = step();
      if (text === '') return !this.#waiting;
      problem = new TypeError(text);
    } catch (error) {
      problem = error;
    }
    this.#failed(problem);
    return true;
  }
}

/** Calls back with the error of a promise. */
async function settled(promise: Promise<unknown>, failed: (error: unknown) => void): Promise<void> {
  try {
    await promise;
  } catch (error) {
    failed(error);
  }
}
