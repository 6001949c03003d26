/**
 * An exchange in the hands of a policy: for one that answers by itself, later, or with what another exchange brings. Hot.
 *
 * Such a policy stands between the client and the rest of the way as a gateway of its own would. Towards the client it
 * has a ResponseWriter, which takes a response part by part; towards the rest of the way it makes a branch: another exchange,
 * whose client is whatever ServerStream the policy gives it. The two need not last equally long.
 */
import type { GatewayError } from '../kit/errors.ts';
import type { Exchange } from './exchange.ts';
import type { Fields } from './fields.ts';
import type { LocalReply } from './local-reply.ts';
import type { BodySource, Framing } from './message.ts';
import type { ServerStream } from './server-stream.ts';
import type { CachedReply } from './cached-reply.ts';

/** The policy has taken the exchange over, and goes on with it by the ResponseWriter that it took. */
export const INTERCEPTED = Symbol('taken');

/** What a request hook says. undefined: go on. Otherwise the response to give instead. */
export type Verdict = LocalReply | CachedReply | typeof INTERCEPTED | undefined;

/** What a request hook is given besides the exchange. */
export interface HandlerContext {
  /** The client offers to change protocols. */
  readonly upgrade: boolean;
  /** Takes the exchange over; the hook then answers INTERCEPTED. */
  intercept(holder: Interceptor): ResponseWriter;
}

export interface Interceptor {
  /** The client has left, or is sent away: nothing may be called on the ResponseWriter any more. */
  clientGone(error: GatewayError): void;
}

/** The way that a branch goes. */
export interface Subrequest {
  /** Adds to the response's fields what is meant for one client alone: the cookie that it is kept by. */
  addStickyCookie(fields: Fields): void;
}

export interface ResponseWriter {
  readonly x: Exchange;
  /** Sends another exchange the rest of the way, policies behind this one included. Its stream must have no body to read. */
  subrequest(x: Exchange, stream: ServerStream): Subrequest;
  /** The whole answer. */
  answer(response: LocalReply | CachedReply): void;
  informational(status: number, reason: string, fields: Fields): void;
  /** The fields become the exchange's. `source` is resumed when the client can take more. */
  head(status: number, reason: string, fields: Fields, framing: Framing, source: BodySource): void;
  /** false: no more until `source` is resumed. The bytes must stay as they are until then. */
  data(bytes: Buffer, start: number, end: number): boolean;
  flush(): void;
  end(trailers: string): void;
  /** Says what is wrong, or breaks the response off if it has begun. */
  fail(error: GatewayError): void;
}
