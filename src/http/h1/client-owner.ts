/** What an upstream connection needs from its users and its pool. */
import type { Http1ClientConnection } from './client.ts';

/** Milliseconds; Infinity: no limit. */
export interface ClientTimeouts {
  readonly firstByte: number;
  readonly idle: number;
  /** Replaces `idle` for a `text/event-stream`. */
  readonly stream: number;
}

/** Owns the connection while it is not in use. */
export interface ClientConnectionOwner {
  /** The connection can be used again. */
  onIdle(connection: Http1ClientConnection): void;
  /** The connection is closed. `idle` says whether it was in the pool or in use. Called once. */
  onGone(connection: Http1ClientConnection, idle: boolean): void;
}
