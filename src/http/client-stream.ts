/**
 * The upstream's side of one exchange, for any protocol: the contract between a client codec and its users. Hot.
 *
 * An endpoint's connections (upstream/connections.ts) give a ClientStream to each attempt. A connection carries one
 * stream after the other, or many at a time; that is a matter of its codec.
 */
import type { BodySink, BodySource, ResponseSink } from './message.ts';
import type { OutgoingHead } from './outgoing-head.ts';
import type { ResponsesPlan } from '../plan/types/responses.ts';

/** Milliseconds; Infinity: no limit. */
export interface ClientTimeouts {
  readonly firstByte: number;
  readonly idle: number;
  /** Replaces `idle` for a `text/event-stream`. */
  readonly stream: number;
}

/** Sends one request and receives its response. The caller sends the body here, as to any BodySink. */
export interface ClientStream extends BodySink, BodySource {
  /**
   * Sends a request head and waits for its response. `host` replaces the request's authority; null: it doesn't.
   * `source` is null if there is no body.
   */
  start(
    head: OutgoingHead,
    host: string | null,
    source: BodySource | null,
    timeouts: ClientTimeouts,
    sink: ResponseSink,
  ): void;
  /** The request expects a 100 (RFC 9110 §10.1.1): until that or the body arrives, the upstream's timeout runs. */
  awaitContinue(): void;
  /** Aborts the exchange: the sink gets no further calls. */
  abort(): void;
  /** Drops the rest of the response, in the way that costs the connection least. The sink gets no further calls. */
  discard(): void;
}

/** One connection to an endpoint, as its pool of connections sees it. */
export interface ClientConnection {
  /** Monotonic ms at which it closes if it is idle. Its owner sets it while no stream is in progress. */
  deadline: number;
  /** Its owner knows it as one that has room. The owner sets it. */
  ready: boolean;
  /** The TLS settings and the server name that it was made for, as its owner knows them; null: it has no TLS. */
  target: object | null;
  /** The rules for the backend's responses. A reload's changes apply from the next exchange on. */
  rules: ResponsesPlan;
  /** Exchanges that the connection has completed. */
  readonly uses: number;
  /** Monotonic ms until which the server has said that it keeps this connection when idle. */
  readonly keptUntil: number;
  /** Monotonic ms. */
  readonly madeAt: number;
  /** Streams in progress. */
  readonly streams: number;
  /** Streams that it can carry now besides those in progress. */
  readonly room: number;
  /** Begins a stream; there must be room. */
  open(): ClientStream;
  /** Closes the connection if it is idle, else when its streams have ended. It gets no new ones. */
  retire(): void;
}

/** Owns a connection. */
export interface ClientConnectionOwner {
  /** A stream has ended and the connection has room, or its room has risen from 0. */
  onRoom(connection: ClientConnection): void;
  /**
   * The connection has no room any more, though no stream was opened on it: its peer takes fewer streams or is about to
   * close (RFC 9113 §6.5.2, §6.8). Also called when the last stream of a connection without room has ended, unless the
   * connection closes by itself.
   */
  onFull(connection: ClientConnection): void;
  /** The connection is closed. `idle`: it carried no stream. Called once. */
  onGone(connection: ClientConnection, idle: boolean): void;
}
