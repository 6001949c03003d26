/**
 * The client's side of one exchange, for any protocol: the contract between a server codec and proxy/. Hot.
 *
 * A codec creates an Exchange and calls `HttpService.serve` with it and itself. proxy/ sends the response through this
 * interface. All calls are synchronous and none throws.
 */
import type { GatewayError } from '../kit/errors.ts';
import type { ByteStream } from '../net/byte-stream.ts';
import type { Connection } from '../net/connection.ts';
import type { IdentityPlan } from '../plan/types/identity.ts';
import type { Exchange } from './exchange.ts';
import type { Fields } from './fields.ts';
import type { LocalReply } from './local-reply.ts';
import type { PathRules } from './path.ts';
import type { BodySink, BodySource, ResponseHead } from './message.ts';
import type { CachedReply } from './cached-reply.ts';
import type { ServerConnection } from './server-connection.ts';

/** Learns that the client has left. */
export interface ExchangeOwner {
  /** The client's connection broke. It expects no response any more. */
  clientGone(error: GatewayError): void;
  /** The request will never be complete. The client expects a response with that error, unless one has begun. */
  requestFailed(error: GatewayError): void;
  /** The exchange makes no progress, and only the gateway is the reason. A client that closes its side then has left. */
  readonly stalled: boolean;
}

/** A route's overrides of its listener's limits; null keeps the listener's value. */
export interface ClientOverrides {
  /** Milliseconds; Infinity: no limit. */
  readonly body: number | null;
  readonly send: number | null;
  /** Bytes; 0: no limit. */
  readonly bodySize: number | null;
}

export interface ServerStream extends BodySource {
  /** The connection that carries it; null for the subrequest of a policy. */
  readonly carrier: ServerConnection | null;
  /** Must be set before `serve` returns. */
  owner: ExchangeOwner | null;
  /** Set by `serve` if this response must be the last on its connection. */
  closing: boolean;
  /** The client offers to change protocols with this request. */
  readonly upgrade: boolean;
  /** Replaces the listener's limits for this exchange. */
  override(limits: ClientOverrides): void;
  /** Sends the request body to `sink` from now on. */
  readBody(sink: BodySink): void;
  informational(status: number, reason: string, fields: Fields): void;
  /** Sends a complete local reply. */
  localReply(response: LocalReply): void;
  /** Sends a complete response from the cache. */
  cachedReply(reply: CachedReply): void;
  /** Sends the final head. The codec resumes `source` when the client can take more. */
  head(head: ResponseHead, source: BodySource): void;
  data(bytes: Buffer, start: number, end: number): boolean;
  end(trailers: Fields | null): void;
  /** The response can't be completed: ends it in a way that the client notices. */
  abort(): void;
  flush(): void;
  /** True once the final head has been sent. */
  readonly begun: boolean;
  /** Bytes of content sent in this exchange. */
  readonly bytesOut: number;
  /**
   * Sends a 101, and gives up what the client sends from here on: the caller owns the returned stream of it. The client
   * still counts as connected until that has closed. Returns null if `upgrade` is false.
   */
  switchProtocols(reason: string, fields: Fields): ByteStream | null;
}

export interface HttpLimits {
  readonly headerSize: number;
  readonly headerCount: number;
  readonly uriSize: number;
  readonly bodySize: number;
}

/** Milliseconds; Infinity: no limit. */
export interface HttpTimeouts {
  readonly header: number;
  readonly body: number;
  readonly idle: number;
  readonly send: number;
}

/** The head of a request that never became an exchange, for the access log. */
export interface RefusedHead {
  readonly method: string;
  readonly host: string;
  readonly target: string;
}

/** A server codec's view of the current config. The codec fetches it anew for each request. */
export interface HttpService {
  readonly limits: HttpLimits;
  readonly timeouts: HttpTimeouts;
  readonly paths: PathRules;
  readonly identity: IdentityPlan;
  serve(x: Exchange, stream: ServerStream): void;
  /** The reply to a request that never becomes an exchange. */
  refusal(status: number): LocalReply;
  /**
   * Reports a request that never became an exchange: the status sent, or 0 if the client left first. `why` is a code
   * where the status alone doesn't give the reason. `head`: what the request asked for, or null if it has no sound head.
   */
  refused(connection: Connection, status: number, why: string, head: RefusedHead | null): void;
}
