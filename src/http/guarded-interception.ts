/**
 * The context of a request hook of code that the gateway does not know. An interception by it can't break the message,
 * and has a deadline. Hot where used.
 *
 *     intercepted ──▶ answers, fails, begins a response, or sends a subrequest
 *          └────────▶ does none of these until the deadline: 504
 *
 * A subrequest has the timeouts of its pool.
 */
import { type GatewayError, POLICY_FAILED, POLICY_TIMEOUT } from '../kit/errors.ts';
import { NOWHERE } from '../kit/places.ts';
import type { Timed } from '../net/deadlines.ts';
import { CachedReply } from './cached-reply.ts';
import { localReplyOf, problemOfReply } from './checked-edits.ts';
import type { Exchange } from './exchange.ts';
import type { Fields } from './fields.ts';
import type { FilterGuard } from './guarded-filter.ts';
import type { FilterContext, Interceptor, ResponseWriter, Subrequest } from './interception.ts';
import type { LocalReply } from './local-reply.ts';
import type { BodySource, ResponseHead } from './message.ts';
import type { PoolHandle, PoolRequest, PoolResult } from './pool-request.ts';
import type { ServerStream } from './server-stream.ts';

export class GuardedContext implements FilterContext {
  readonly #context: FilterContext;
  readonly #guard: FilterGuard;
  #interception: GuardedInterception | null = null;

  constructor(context: FilterContext, guard: FilterGuard) {
    this.#context = context;
    this.#guard = guard;
  }

  get signal(): AbortSignal {
    return this.#context.signal;
  }

  get upgrade(): boolean {
    return this.#context.upgrade;
  }

  bufferBody(limit: number): LocalReply | undefined | Promise<LocalReply | undefined> {
    return this.#context.bufferBody(limit);
  }

  send(pool: PoolHandle, request: PoolRequest): Promise<PoolResult> {
    return this.#context.send(pool, request);
  }

  intercept(holder: Interceptor): ResponseWriter {
    return (this.#interception = new GuardedInterception(holder, this.#context, this.#guard));
  }

  /** The hook has returned. Returns the problem with it; '' if there is none. `intercepted`: it says that it intercepts. */
  problemOf(intercepted: boolean): string {
    if (intercepted) return this.#interception === null ? 'the hook has not called intercept' : '';
    if (this.#interception === null) return '';
    this.#interception.close();
    return 'the hook has called intercept, and does not return INTERCEPTED';
  }
}

class GuardedInterception implements Interceptor, ResponseWriter, Timed {
  deadline: number;
  timedPlace = NOWHERE;
  readonly #holder: Interceptor;
  readonly #guard: FilterGuard;
  readonly #writer: ResponseWriter;
  /** Neither side is told anything more. */
  #over = false;

  constructor(holder: Interceptor, context: FilterContext, guard: FilterGuard) {
    this.#holder = holder;
    this.#guard = guard;
    this.#writer = context.intercept(this);
    const { deadlines, timeout } = guard;
    if (timeout !== Number.POSITIVE_INFINITY) deadlines.add(this);
    this.deadline = deadlines.now + timeout;
  }

  /** Nothing of the holder has an effect any more. */
  close(): void {
    this.#begin();
    this.#over = true;
  }

  // === from the exchange

  clientGone(error: GatewayError): void {
    if (this.#over) return;
    this.close();
    try {
      const result: unknown = this.#holder.clientGone(error);
      if (result instanceof Promise) result.catch((late: unknown) => this.#guard.note(late));
    } catch (problem) {
      this.#guard.note(problem);
    }
  }

  onDeadline(): void {
    this.#guard.note(`an interceptor has not begun a response for ${this.#guard.timeout} ms`);
    this.clientGone(POLICY_TIMEOUT);
    this.#writer.fail(POLICY_TIMEOUT);
  }

  // === from the holder

  get x(): Exchange {
    return this.#writer.x;
  }

  subrequest(x: Exchange, stream: ServerStream): Subrequest {
    this.#begin();
    return this.#writer.subrequest(x, stream);
  }

  answer(response: LocalReply | CachedReply): void {
    if (this.#over) return;
    this.close();
    const problem = response instanceof CachedReply ? '' : problemOfReply(response);
    if (problem === '') this.#writer.answer(response instanceof CachedReply ? response : localReplyOf(response));
    else this.#fail(problem);
  }

  informational(status: number, reason: string, fields: Fields): void {
    if (!this.#over) this.#writer.informational(status, reason, fields);
  }

  head(head: ResponseHead, source: BodySource): void {
    if (this.#over) return;
    this.#begin();
    this.#writer.head(head, source);
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    return this.#over || this.#writer.data(bytes, start, end);
  }

  flush(): void {
    if (!this.#over) this.#writer.flush();
  }

  end(trailers: Fields | null): void {
    if (this.#over) return;
    this.close();
    this.#writer.end(trailers);
  }

  fail(error: GatewayError): void {
    if (this.#over) return;
    this.close();
    this.#writer.fail(error);
  }

  #begin(): void {
    this.#guard.deadlines.delete(this);
    this.deadline = Number.POSITIVE_INFINITY;
  }

  #fail(problem: string): void {
    this.#guard.note(new TypeError(problem));
    this.#writer.fail(POLICY_FAILED);
  }
}
