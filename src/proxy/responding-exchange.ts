/**
 * The exchange that a response is sent to, whatever makes that: a local or cached reply (complete-reply.ts), an interceptor
 * (intercepted-exchange.ts), or the body filters of its response hooks (response-hooks.ts). Hot.
 */
import type { FilterOwner } from '../http/body-filter.ts';
import type { CachedReply } from '../http/cached-reply.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Fields } from '../http/fields.ts';
import type { Subrequest } from '../http/interception.ts';
import type { LocalReply } from '../http/local-reply.ts';
import type { BodySource, ResponseHead } from '../http/message.ts';
import type { ServerStream } from '../http/server-stream.ts';
import type { GatewayError } from '../kit/errors.ts';
import type { ExplainField, Facts } from './explain-field.ts';
import type { FailedHook, FilterChain } from './filter-chain.ts';
import type { Shared } from './listener-context.ts';

export interface RespondingExchange extends FilterOwner {
  readonly x: Exchange;
  readonly stream: ServerStream;
  readonly context: { readonly shared: Shared };
  /** Nothing can be sent any more. */
  readonly over: boolean;
  /** The filters of the response body; null: there are none. */
  responseFilters: FilterChain | null;
  /** null: its client gets no explain field. */
  readonly explain: ExplainField | null;
  /** `denied`: a policy denies the request. */
  facts(denied: boolean): Facts;
  subrequest(x: Exchange, stream: ServerStream): Subrequest;
  /** Sends a complete response. */
  answer(response: LocalReply | CachedReply): void;
  /** Sends a head. `from`: index of the first response hook that the response passes. */
  respond(head: ResponseHead, source: BodySource, from: number): void;
  /** Parts of the body, and its end, pass the filters. */
  data(bytes: Buffer, start: number, end: number): boolean;
  flush(): void;
  endResponse(trailers: Fields | null): void;
  /** A response hook ends the exchange. */
  hookFailed(failed: FailedHook): void;
  /** Nothing more comes from the source of the response. */
  stopWork(error: GatewayError): void;
  /** Ends it with that error: as a response, unless one has begun. */
  refuse(error: GatewayError): void;
  /** The exchange is over. `bytesOut`: content bytes of the response. */
  settle(bytesOut?: number): void;
}
