/** What a client connection needs from the gateway and from its listener. */
import type { Clock } from '../../kit/clock.ts';
import type { Deadlines } from '../../net/deadlines.ts';
import type { HttpService } from '../server-stream.ts';
import type { Http1ServerConnection } from './server.ts';

export interface Http1Environment {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** The Date line of a local reply. */
  date(): string;
}

/** The listener that a connection belongs to, across reloads. */
export interface ConnectionHome {
  readonly listener: string;
  /** The service of the current config; null if the listener has been removed. */
  service(): HttpService | null;
  /** Called once, when the connection has ended or has become a tunnel. */
  closed(connection: Http1ServerConnection): void;
}
