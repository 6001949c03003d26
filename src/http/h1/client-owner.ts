/** What a connection to an upstream needs of those who use and keep it. */
import type { Http1ClientConnection } from './client.ts';

export interface ClientTimeouts {
  readonly firstByte: number;
  readonly idle: number;
}

/** Who keeps the connection when it is not in use. */
export interface ClientConnectionOwner {
  /** It can be used again. */
  onIdle(connection: Http1ClientConnection): void;
  /** It is closed; it was in the pool (`idle`) or in use. Called once. */
  onGone(connection: Http1ClientConnection, idle: boolean): void;
}
