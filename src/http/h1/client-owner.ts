/** What a connection to an upstream needs of those who use and keep it. */
import type { Http1ClientConnection } from './client.ts';

/** Milliseconds; Infinity: no limit. */
export interface ClientTimeouts {
  readonly firstByte: number;
  readonly idle: number;
  /** In place of `idle` for a `text/event-stream`. */
  readonly stream: number;
}

/** Who keeps the connection when it is not in use. */
export interface ClientConnectionOwner {
  /** It can be used again. */
  onIdle(connection: Http1ClientConnection): void;
  /** It is closed; it was in the pool (`idle`) or in use. Called once. */
  onGone(connection: Http1ClientConnection, idle: boolean): void;
}
