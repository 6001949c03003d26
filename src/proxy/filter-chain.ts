/**
 * The body filters of one message, linked in the order in which they see its body. Hot where there are body filters.
 *
 *     source ──▶ first filter ──▶ … ──▶ last filter ──▶ exit ──▶ sink
 *
 * Parts, flushes, trailers and the end go one way; `pause` and `resume` go the other. Whatever ends the exchange first,
 * every filter that has not seen the end is told by `abort`, and nothing that a filter does later reaches the source or
 * the sink: these may serve another exchange by then. The exit also checks that the filters send as many bytes as the
 * head announced: otherwise the peer would read the rest as the next message.
 */
import type { BodyFilter, FilterOwner } from '../http/body-filter.ts';
import type { Exchange } from '../http/exchange.ts';
import { GuardedFilter } from '../http/guarded-filter.ts';
import type { Fields } from '../http/fields.ts';
import { type BodySink, type BodySource, UNKNOWN_LENGTH } from '../http/message.ts';
import { GatewayError, POLICY_FAILED } from '../kit/errors.ts';
import type { HookResult } from '../policies/policy.ts';
import type { RequestBody } from './replay-body.ts';

export class FilterChain implements BodySink, BodySource {
  readonly #filters: readonly BodyFilter[];
  readonly #entry: Entry;
  readonly #exit: Exit;
  /** The source has ended, or the exchange has. */
  #over = false;
  /** The filters have been told that the exchange is over. */
  #aborted = false;

  /** `length`: bytes that the last filter sends, or UNKNOWN_LENGTH. */
  constructor(filters: readonly BodyFilter[], source: BodySource, owner: FilterOwner, length: number) {
    this.#filters = filters;
    this.#exit = new Exit(owner, length);
    this.#entry = new Entry(source);
    let previous: BodySource = this.#entry;
    for (let i = 0; i < filters.length; i++) {
      const filter = filters[i]!;
      filter.previous = previous;
      filter.owner = owner;
      filter.next = filters[i + 1] ?? this.#exit;
      previous = filter;
    }
  }

  /** The source has ended. A filter may end the body earlier. */
  get complete(): boolean {
    return this.#entry.ended;
  }

  /** A filter holds the body, and neither the source nor the sink is the reason. */
  get stalled(): boolean {
    return this.#filters.some((filter) => filter instanceof GuardedFilter && filter.stalled);
  }

  /** What is behind the last filter, from now on. */
  leadTo(sink: BodySink): void {
    this.#exit.sink = sink;
  }

  // === from the source

  data(bytes: Buffer, start: number, end: number): boolean {
    if (this.#over) return true;
    const ready = this.#filters[0]!.data(bytes, start, end);
    if (!ready) this.#entry.held = true;
    return ready;
  }

  flush(): void {
    if (!this.#over) this.#filters[0]!.flush();
  }

  end(trailers: Fields | null): void {
    if (this.#over) return;
    this.#over = true;
    this.#entry.ended = true;
    this.#filters[0]!.end(trailers);
  }

  fail(error: GatewayError): void {
    if (this.#over) return;
    this.#over = true;
    this.#entry.ended = true;
    this.#entry.held = false;
    this.#filters[0]!.fail(error);
  }

  // === from the sink

  pause(): void {
    this.#filters.at(-1)!.pause();
  }

  resume(): void {
    if (!this.#exit.over) this.#filters.at(-1)!.resume();
  }

  // === the end of the exchange

  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#over = true;
    this.#entry.free();
    this.#exit.over = true;
    const filters = this.#filters;
    for (let i = 0; i < filters.length; i++) filters[i]!.abort();
  }
}

/**
 * Between the source and the first filter. A source that has ended serves another exchange, unless it still waits: then it
 * has to be resumed once.
 */
class Entry implements BodySource {
  readonly #source: BodySource;
  /** `data` has returned false, or a filter has paused the source; it has not been resumed since. */
  held = false;
  ended = false;

  constructor(source: BodySource) {
    this.#source = source;
  }

  pause(): void {
    if (this.ended) return;
    this.held = true;
    this.#source.pause();
  }

  resume(): void {
    if (this.ended && !this.held) return;
    this.held = false;
    this.#source.resume();
  }

  /** Nothing more is taken from the source. */
  free(): void {
    const waits = this.ended && this.held;
    this.ended = true;
    this.held = false;
    if (waits) this.#source.resume();
  }
}

/** Behind the last filter. */
class Exit implements BodySink {
  sink: BodySink | null = null;
  /** The end has passed, or the exchange is over. */
  over = false;
  readonly #owner: FilterOwner;
  #left: number;

  constructor(owner: FilterOwner, length: number) {
    this.#owner = owner;
    this.#left = length;
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    if (this.over) return true;
    if (this.#left !== UNKNOWN_LENGTH) {
      if (end - start > this.#left) {
        this.#owner.filterFailed(POLICY_FAILED);
        return true;
      }
      this.#left -= end - start;
    }
    return this.sink!.data(bytes, start, end);
  }

  flush(): void {
    if (!this.over) this.sink!.flush();
  }

  end(trailers: Fields | null): void {
    if (this.over) return;
    if (this.#left > 0) {
      this.#owner.filterFailed(POLICY_FAILED);
      return;
    }
    this.over = true;
    this.sink!.end(trailers);
  }

  fail(error: GatewayError): void {
    if (this.over) return;
    this.over = true;
    this.sink!.fail(error);
  }
}

/** A request body that passes filters on its way to the upstream. */
export class FilteredBody implements RequestBody {
  readonly #body: RequestBody;
  readonly #chain: FilterChain;
  #begun = false;

  /** `length`: as the upstream gets it. */
  constructor(body: RequestBody, filters: readonly BodyFilter[], owner: FilterOwner, length: number) {
    this.#body = body;
    this.#chain = new FilterChain(filters, body, owner, length);
  }

  readBody(sink: BodySink): void {
    this.#chain.leadTo(sink);
    if (this.#begun) return;
    this.#begun = true;
    this.#body.readBody(this.#chain);
  }

  pause(): void {
    this.#chain.pause();
  }

  resume(): void {
    this.#chain.resume();
  }

  get stalled(): boolean {
    return this.#chain.stalled;
  }

  /** The exchange is over. */
  abort(): void {
    this.#chain.abort();
  }
}

type MessageHook = (x: Exchange) => HookResult | void;

/** A hook has ended the exchange with an error. */
export class FailedHook {
  readonly error: GatewayError;
  readonly hook: MessageHook;

  constructor(error: GatewayError, hook: MessageHook) {
    this.error = error;
    this.hook = hook;
  }
}

/** Runs the hooks [from, to). Returns the filters that they want, in that order; null: none; or the hook that has failed. */
export function filtersOf(
  hooks: readonly MessageHook[],
  x: Exchange,
  from: number,
  to: number,
): BodyFilter[] | FailedHook | null {
  let filters: BodyFilter[] | null = null;
  for (let i = from; i < to; i++) {
    const result = hooks[i]!(x);
    if (result === undefined) continue;
    if (result instanceof GatewayError) {
      abortAll(filters);
      return new FailedHook(result, hooks[i]!);
    }
    (filters ??= []).push(result);
  }
  return filters;
}

/** For filters that are not needed after all. */
export function abortAll(filters: readonly BodyFilter[] | null): void {
  if (filters !== null) for (let i = 0; i < filters.length; i++) filters[i]!.abort();
}
