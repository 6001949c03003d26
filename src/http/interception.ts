/**
 * Interception: a policy answers an exchange itself, later, or with the response to a subrequest. Hot.
 *
 * Such a policy acts as a gateway between the client and the later stages. Towards the client it has a ResponseWriter,
 * which takes a response part by part. Towards the later stages it makes a subrequest: another exchange, whose client
 * is a ServerStream that the policy provides. Either may outlive the other.
 */
import type { GatewayError } from '../kit/errors.ts';
import type { Exchange } from './exchange.ts';
import type { Fields } from './fields.ts';
import type { LocalReply } from './local-reply.ts';
import type { BodySource, ResponseHead } from './message.ts';
import type { PoolHandle, PoolRequest, PoolResult } from './pool-request.ts';
import type { ServerStream } from './server-stream.ts';
import type { CachedReply } from './cached-reply.ts';

/** The policy has intercepted the exchange and continues with the ResponseWriter that `intercept` returned. */
export const INTERCEPTED = Symbol('taken');

/** The result of a request hook: undefined to continue, otherwise the response to send. */
export type Verdict = LocalReply | CachedReply | typeof INTERCEPTED | undefined;

/** A request hook's second argument, besides the exchange. */
export interface FilterContext {
  /** Aborted when the exchange is over: nothing that the hook does afterwards has an effect. */
  readonly signal: AbortSignal;
  /** The client offers to change protocols. */
  readonly upgrade: boolean;
  /**
   * Reads the whole request body into memory, before later hooks run and an endpoint is chosen; it can then be sent more
   * than once. The result is the reply that refuses the request if the body has more than `limit` bytes (413) or the
   * gateway has no memory left for it (503). Without a body there is nothing to wait for. If the client leaves first, the promise
   * is never settled.
   */
  bufferBody(limit: number): LocalReply | undefined | Promise<LocalReply | undefined>;
  /**
   * Sends a request to a pool, while the client's body may still be unread. It is aborted when the exchange is over. The
   * promise is never rejected.
   */
  send(pool: PoolHandle, request: PoolRequest): Promise<PoolResult>;
  /** Intercepts the exchange; the hook then returns INTERCEPTED. */
  intercept(holder: Interceptor): ResponseWriter;
}

export interface Interceptor {
  /** The client has left or was disconnected: the policy must not call the ResponseWriter any more. */
  clientGone(error: GatewayError): void;
}

/** A subrequest on its way upstream. */
export interface Subrequest {
  /** Adds the fields that are meant for one client only: the session affinity cookie. */
  addStickyCookie(fields: Fields): void;
}

export interface ResponseWriter {
  readonly x: Exchange;
  /**
   * Sends another exchange through the remaining policies and stages. If that has a body, it is the client's: the stream
   * is not asked for one.
   */
  subrequest(x: Exchange, stream: ServerStream): Subrequest;
  /** Sends a complete response. */
  answer(response: LocalReply | CachedReply): void;
  informational(status: number, reason: string, fields: Fields): void;
  /** The exchange takes ownership of the head's fields. The gateway resumes `source` when the client can take more. */
  head(head: ResponseHead, source: BodySource): void;
  /** Returns false if the caller must wait until `source` is resumed. The bytes must not change until then. */
  data(bytes: Buffer, start: number, end: number): boolean;
  flush(): void;
  end(trailers: Fields | null): void;
  /** Sends an error response, or aborts the response if it has begun. */
  fail(error: GatewayError): void;
}
