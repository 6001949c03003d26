/**
 * The client's side of one exchange, whatever the protocol: the contract between a server codec and proxy/. Hot.
 *
 * A codec makes an Exchange, calls `HttpService.serve` with it and itself, and is told through this interface what to
 * answer. All calls are synchronous and none throws.
 */
import type { GatewayError } from '../kit/errors.ts';
import type { Connection } from '../net/connection.ts';
import type { Transport } from '../net/transport.ts';
import type { IdentityPlan } from '../plan/types/identity.ts';
import type { Exchange } from './exchange.ts';
import type { Fields } from './fields.ts';
import type { LocalReply } from './local-reply.ts';
import type { PathRules } from './path.ts';
import type { BodySink, BodySource, Framing } from './message.ts';
import type { CachedReply } from './cached-reply.ts';

/** Who is told when the client lets an exchange down. */
export interface ExchangeOwner {
  /** The client's connection broke, or its request will never be whole. No answer is due any more. */
  clientGone(error: GatewayError): void;
}

/** What a route says over its listener; null: as that says. */
export interface ClientOverrides {
  /** Milliseconds; Infinity: no limit. */
  readonly body: number | null;
  readonly send: number | null;
  /** Bytes; 0: no limit. */
  readonly bodySize: number | null;
}

export interface ServerStream extends BodySource {
  /** Must be set before `serve` returns. */
  owner: ExchangeOwner | null;
  /** Set by serve if the response shall be the last on this connection. */
  closing: boolean;
  /** The client offers to change protocols with this request. */
  readonly upgrade: boolean;
  /** For this exchange other limits count than those of its listener. */
  override(limits: ClientOverrides): void;
  /** Sends the request body to `sink` from now on. */
  readBody(sink: BodySink): void;
  informational(status: number, reason: string, fields: Fields): void;
  /** A whole response of the gateway's own. */
  localReply(response: LocalReply): void;
  /** A whole response out of a store. */
  cachedReply(reply: CachedReply): void;
  /** The final head; `source` is resumed when the client can take more. */
  head(status: number, reason: string, fields: Fields, framing: Framing, source: BodySource): void;
  data(bytes: Buffer, start: number, end: number): boolean;
  end(trailers: string): void;
  /** The response can't be completed: whatever is left of it is cut so that the client notices. */
  abort(): void;
  flush(): void;
  /** Has the final head been sent? */
  readonly begun: boolean;
  /** Bytes of content sent in this exchange. */
  readonly bytesOut: number;
  /** Answers 101 and gives up the connection; null: there is none, and it had not offered to (`upgrade`). */
  switchProtocols(reason: string, fields: Fields): SwitchedConnection | null;
}

/** A client's connection that is no longer HTTP. */
export interface SwitchedConnection {
  readonly transport: Transport;
  /** What the client has sent beyond its request. */
  readonly early: Buffer;
  /** To be called when it is over. */
  readonly closed: () => void;
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

/** What a server codec needs of whatever config is current: asked for anew with each request. */
export interface HttpService {
  readonly limits: HttpLimits;
  /** Bytes of the largest request body that any of its routes allows; 0: any size. */
  readonly largestBody: number;
  readonly timeouts: HttpTimeouts;
  readonly paths: PathRules;
  readonly identity: IdentityPlan;
  serve(x: Exchange, stream: ServerStream): void;
  /** A request that never became an exchange was answered with this status; 0: its client left first. `why`: a code, if the status does not say it. */
  refused(connection: Connection, status: number, why: string): void;
}
