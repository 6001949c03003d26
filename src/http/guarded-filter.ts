/**
 * A body filter of code that the gateway does not know: an error in it ends its exchange and nothing else, and so does a
 * stall. Hot where used.
 *
 *     previous ──▶ guarded filter ──▶ inner filter ──▶ neighbours ──▶ next
 *              ◀─────────────────────────────────────            ◀──
 *
 * The inner filter sees one object on both sides, its neighbours, which lead to what is really there. So the guard knows
 * what the filter owes: to resume a source that it has stopped, or to pass the end on. A filter that owes something and
 * is not itself stopped by its receiver stalls. It has a deadline for as long as that lasts, and each part that it takes
 * or gives extends it.
 */
import { GatewayError, POLICY_FAILED, POLICY_TIMEOUT } from '../kit/errors.ts';
import { NOWHERE } from '../kit/places.ts';
import type { Deadlines, Timed } from '../net/deadlines.ts';
import { BodyFilter, type FilterOwner } from './body-filter.ts';
import { isBarredTrailer } from './barred-trailers.ts';
import { checkedPairs } from './checked-edits.ts';
import { Fields } from './fields.ts';
import { GuardedFields } from './guarded-exchange.ts';
import { knownId } from './known.ts';
import type { BodySink, BodySource } from './message.ts';

/** What the filters of one hook have in common. */
export interface FilterGuard {
  readonly deadlines: Deadlines;
  /** How long a filter may stall (ms); Infinity: no limit. */
  readonly timeout: number;
  /** Called with what a filter throws, or with the text that it has stalled. */
  note(error: unknown): void;
}

export class GuardedFilter extends BodyFilter implements Timed {
  deadline = Number.POSITIVE_INFINITY;
  timedPlace = NOWHERE;
  readonly #inner: BodyFilter;
  readonly #guard: FilterGuard;
  readonly #neighbours: Neighbours;
  /** It has stopped its source. */
  #stopped = false;
  /** It has got the end. */
  #ending = false;
  /** Its receiver has stopped it. */
  #waiting = false;
  #stalled = false;
  /** It has passed the end on, or the exchange is over: nothing from it reaches its neighbours. */
  #done = false;
  /** The inner filter is told nothing more. */
  #over = false;

  constructor(inner: BodyFilter, guard: FilterGuard) {
    super();
    this.#inner = inner;
    this.#guard = guard;
    this.#neighbours = new Neighbours(this);
  }

  /** It makes no progress, and nothing behind it is the reason. */
  get stalled(): boolean {
    return this.#stalled;
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    // A filter may have ended the body early.
    if (this.#over || this.#done) return true;
    try {
      this.#join();
      // A filter in JavaScript may return nothing, which is no wish to wait.
      const ready: unknown = this.#inner.data(bytes, start, end);
      if (ready === false) this.#stopped = true;
      else if (ready instanceof Promise) this.#awaited(ready);
      this.#watch();
      return ready !== false;
    } catch (error) {
      this.#failed(error, POLICY_FAILED);
      return true;
    }
  }

  end(trailers: Fields | null): void {
    this.#ending = true;
    // The types of the neighbours hold for the gateway's own filters.
    const guarded = trailers === null ? null : (new GuardedFields(trailers) as unknown as Fields);
    this.#run(() => this.#inner.end(guarded));
  }

  override flush(): void {
    this.#run(() => this.#inner.flush());
  }

  override pause(): void {
    this.#waiting = true;
    this.#run(() => this.#inner.pause());
  }

  override resume(): void {
    this.#waiting = false;
    this.#run(() => this.#inner.resume());
  }

  override abort(): void {
    if (this.#over) return;
    const complete = this.#done && this.#ending;
    this.#end();
    this.#over = true;
    if (complete) return;
    try {
      const result: unknown = this.#inner.abort();
      if (result instanceof Promise) this.#awaited(result);
    } catch (error) {
      this.#guard.note(error);
    }
  }

  #run(call: () => unknown): void {
    if (this.#over) return;
    try {
      this.#join();
      const result = call();
      if (result instanceof Promise) this.#awaited(result);
      this.#watch();
    } catch (error) {
      this.#failed(error, POLICY_FAILED);
    }
  }

  #join(): void {
    const inner = this.#inner;
    inner.next = this.#neighbours;
    inner.previous = this.#neighbours;
    inner.owner = this.#neighbours;
  }

  /** Nothing waits for a promise of a filter, but its error is one of the filter. */
  #awaited(promise: Promise<unknown>): void {
    // The promise may have a `catch` of its own.
    void Promise.prototype.catch.call(promise, (error: unknown) => {
      if (this.#over) this.#guard.note(error);
      else this.#failed(error, POLICY_FAILED);
    });
  }

  #failed(error: unknown, as: GatewayError): void {
    if (this.#over) return;
    this.#guard.note(error);
    this.abort();
    this.owner.filterFailed(as);
  }

  // === from the inner filter, for Neighbours only

  given(bytes: Buffer, start: number, end: number): boolean {
    if (this.#done) return true;
    if (!isPart(bytes, start, end)) {
      this.#failed(new TypeError('a body filter passes on a part of a Buffer: bytes, start, end'), POLICY_FAILED);
      return true;
    }
    const ready = this.next.data(bytes, start, end);
    if (!ready) this.#waiting = true;
    this.#watch();
    return ready;
  }

  givenFlush(): void {
    if (!this.#done) this.next.flush();
  }

  givenEnd(given: unknown): void {
    if (this.#done) return;
    const trailers = checkedTrailers(given);
    if (typeof trailers === 'string') {
      this.#failed(new TypeError(trailers), POLICY_FAILED);
      return;
    }
    this.#end();
    this.next.end(trailers);
  }

  /** The filter itself ends the exchange: its source has not failed. */
  givenFailure(error: unknown): void {
    if (!this.#done) this.#failed(error, error instanceof GatewayError ? error : POLICY_FAILED);
  }

  stopSource(): void {
    this.#stopped = true;
    this.previous.pause();
    this.#watch();
  }

  resumeSource(): void {
    this.#stopped = false;
    this.previous.resume();
    this.#watch();
  }

  // === the deadline

  /** Called after each step of the filter. */
  #watch(): void {
    const { deadlines, timeout } = this.#guard;
    this.#stalled = (this.#stopped || this.#ending) && !this.#waiting && !this.#done;
    if (!this.#stalled || timeout === Number.POSITIVE_INFINITY) this.deadline = Number.POSITIVE_INFINITY;
    else {
      deadlines.add(this);
      this.deadline = deadlines.now + timeout;
    }
  }

  #end(): void {
    this.#done = true;
    this.#stalled = false;
    this.#guard.deadlines.delete(this);
  }

  onDeadline(): void {
    this.#failed(`a body filter has made no progress for ${this.#guard.timeout} ms`, POLICY_TIMEOUT);
  }
}

/**
 * Returns the trailers that such code passes on, or the problem with them. It may give them as pairs. Those that are for
 * the head alone are none (RFC 9110 §6.5.1).
 */
export function checkedTrailers(given: unknown): Fields | null | string {
  if (given === null || given === undefined) return null;
  const own = GuardedFields.taken(given);
  const pairs = checkedPairs(own === null ? given : new GuardedFields(own));
  if (typeof pairs === 'string') return pairs;
  const barred = pairs.find(([name]) => isBarredTrailer(knownId(name.toLowerCase()), name, 'pass'));
  if (barred !== undefined) return `${barred[0]} is no field for trailers`;
  return own ?? (pairs.length === 0 ? null : Fields.of(pairs));
}

/** Other bytes than there are would break the framing. The type holds for TypeScript only. */
export function isPart(bytes: unknown, start: number, end: number): boolean {
  if (!Buffer.isBuffer(bytes) || !Number.isInteger(start) || !Number.isInteger(end)) return false;
  return start >= 0 && start <= end && end <= bytes.length;
}

/** The inner filter's source, sink and exchange. */
class Neighbours implements BodySink, BodySource, FilterOwner {
  readonly #filter: GuardedFilter;

  constructor(filter: GuardedFilter) {
    this.#filter = filter;
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    return this.#filter.given(bytes, start, end);
  }

  flush(): void {
    this.#filter.givenFlush();
  }

  end(trailers: Fields | null): void {
    this.#filter.givenEnd(trailers);
  }

  fail(error: GatewayError): void {
    this.#filter.givenFailure(error);
  }

  filterFailed(error: GatewayError): void {
    this.#filter.givenFailure(error);
  }

  pause(): void {
    this.#filter.stopSource();
  }

  resume(): void {
    this.#filter.resumeSource();
  }
}
