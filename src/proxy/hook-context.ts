/**
 * What an exchange gives to the hooks of its policies (http/interception.ts): the request body, and a signal of its end.
 * Hot.
 */
import type { FilterOwner } from '../http/body-filter.ts';
import type { Exchange } from '../http/exchange.ts';
import type { FilterContext, Interceptor, ResponseWriter } from '../http/interception.ts';
import type { LocalReply } from '../http/local-reply.ts';
import type { PoolHandle, PoolRequest, PoolResult } from '../http/pool-request.ts';
import type { ServerStream } from '../http/server-stream.ts';
import { BODY_TOO_LARGE, type GatewayError } from '../kit/errors.ts';
import type { BoundHooks } from '../policies/policy.ts';
import { type BufferedBody, bufferedBody } from './buffered-body.ts';
import { abortAll, FailedHook, type FilterChain, FilteredBody, filtersOf } from './filter-chain.ts';
import type { HttpListenerContext } from './listener-context.ts';
import { errorReply } from './local-replies.ts';
import { sendToPool } from './pool-subrequest.ts';
import type { RequestBody } from './replay-body.ts';

export abstract class HookContext implements FilterContext, FilterOwner {
  readonly x: Exchange;
  readonly stream: ServerStream;
  /** Of the generation that it runs on; a migration replaces it. */
  context: HttpListenerContext;
  /** Nothing can be sent any more. */
  over = false;
  /** The request body as received: the client's, for the subrequest of a policy too. */
  protected received: RequestBody;
  /** The request body, if a policy has read it. */
  #buffered: BufferedBody | null = null;
  /** The request body behind its filters; null: there are none. */
  #filtered: FilteredBody | null = null;
  /** Of the signal, if a policy has asked for it. */
  #aborted: AbortController | null = null;

  constructor(x: Exchange, stream: ServerStream, context: HttpListenerContext) {
    this.x = x;
    this.stream = stream;
    this.context = context;
    this.received = stream;
  }

  /** The filters of the response body; null: there are none. */
  abstract responseFilters: FilterChain | null;
  abstract intercept(holder: Interceptor): ResponseWriter;
  abstract filterFailed(error: GatewayError): void;

  /** The request will never be complete (ExchangeOwner). */
  requestFailed(error: GatewayError): void {
    this.filterFailed(error);
  }

  get upgrade(): boolean {
    return this.stream.upgrade;
  }

  get signal(): AbortSignal {
    this.#aborted ??= new AbortController();
    if (this.over) this.#aborted.abort();
    return this.#aborted.signal;
  }

  bufferBody(limit: number): LocalReply | undefined | Promise<LocalReply | undefined> {
    const { x, stream } = this;
    if (x.bodyLength > limit) return errorReply(x, BODY_TOO_LARGE);
    if (x.bodyLength === 0 || this.#buffered !== null) return undefined;
    const body = this.body;
    return new Promise((resolve) => {
      this.#buffered = bufferedBody(x, stream, body, this.context.shared.bufferMemory, limit, resolve);
    });
  }

  send(pool: PoolHandle, request: PoolRequest): Promise<PoolResult> {
    return sendToPool(this, this.#buffered, pool, request);
  }

  /** The source of the request body. */
  protected get body(): RequestBody {
    return this.#filtered ?? this.#buffered ?? this.received;
  }

  /** A filter of a body stalls. */
  get stalled(): boolean {
    return this.#filtered?.stalled === true || this.responseFilters?.stalled === true;
  }

  /** Runs `forward` hooks, and puts the filters that they return in front of the request body. Returns their error. */
  protected runForwardHooks(hooks: BoundHooks['forward']): GatewayError | null {
    const { x } = this;
    const filters = filtersOf(hooks, x, 0, hooks.length);
    if (filters instanceof FailedHook) return filters.error;
    if (filters === null) return null;
    // An upgrade request's connection belongs to the tunnel.
    if (x.bodyLength === 0 || this.upgrade) abortAll(filters);
    else this.#filtered = new FilteredBody(this.body, filters, this, x.bodyLength);
    return null;
  }

  /** The exchange is over: hooks learn of it, and memory is free again. */
  protected releaseHooks(): void {
    this.#aborted?.abort();
    this.#filtered?.abort();
    this.#buffered?.dispose();
  }
}
