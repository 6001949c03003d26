/** The response hooks of an exchange, and the body filters that they put between the response and the client. Hot. */
import type { BodyFilter } from '../http/body-filter.ts';
import type { Fields } from '../http/fields.ts';
import { CONTENT_LENGTH } from '../http/known.ts';
import type { BodySink, BodySource, ResponseHead } from '../http/message.ts';
import { isEmptyBody } from '../http/status.ts';
import { CLIENT_GONE, type GatewayError } from '../kit/errors.ts';
import type { BoundHooks } from '../policies/policy.ts';
import { abortAll, FailedHook, FilterChain, filtersOf } from './filter-chain.ts';
import type { RespondingExchange } from './responding-exchange.ts';

/**
 * Runs the hooks [from, to) on `x.response`. Returns the filters of the body, the first first; null if there are none;
 * undefined if a hook has failed: then another response has begun.
 */
export function runResponseHooks(
  owner: RespondingExchange,
  hooks: BoundHooks['response'],
  from: number,
  to: number,
): BodyFilter[] | null | undefined {
  const { x } = owner;
  const filters = filtersOf(hooks, x, from, to);
  if (filters instanceof FailedHook) {
    owner.hookFailed(filters);
    return undefined;
  }
  const head = x.response!;
  if (!isEmptyBody(x.method, head.status)) return filters;
  // A hook that would change the body may have said so.
  head.length = 0;
  abortAll(filters);
  return null;
}

/** Sends the head of a response whose body passes filters. The body follows through `owner.responseFilters`. */
export function sendFilteredHead(
  owner: RespondingExchange,
  filters: readonly BodyFilter[],
  head: ResponseHead,
  source: BodySource,
): void {
  // The length is a field, too: a filter's policy has to say it once only. The codec writes it where it is missing.
  head.fields.removeKnown(CONTENT_LENGTH);
  const chain = new FilterChain(filters, source, owner, head.length);
  chain.leadTo(new ResponseEnd(owner));
  owner.responseFilters = chain;
  owner.stream.head(head, chain);
}

/** Behind the last filter: the client's stream. */
class ResponseEnd implements BodySink {
  readonly #owner: RespondingExchange;

  constructor(owner: RespondingExchange) {
    this.#owner = owner;
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    return this.#owner.stream.data(bytes, start, end);
  }

  flush(): void {
    this.#owner.stream.flush();
  }

  end(trailers: Fields | null): void {
    const owner = this.#owner;
    // A filter has ended the body before its source did.
    if (owner.responseFilters?.complete === false) owner.stopWork(CLIENT_GONE);
    owner.settle();
    owner.stream.end(trailers);
  }

  fail(error: GatewayError): void {
    this.#owner.refuse(error);
  }
}
