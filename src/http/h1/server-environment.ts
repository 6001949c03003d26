/** What a client's connection needs of the gateway and of the listener that it belongs to. */
import type { Clock } from '../../kit/clock.ts';
import type { Deadlines } from '../../net/deadlines.ts';
import type { HttpService } from '../server-stream.ts';
import type { Http1ServerConnection } from './server.ts';

export interface Http1Environment {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** The field lines for a response of the gateway's own: its Date. */
  date(): string;
}

/** The listener that a connection belongs to, through all configs. */
export interface ConnectionHome {
  readonly listener: string;
  /** The service of whatever config is current; null: the listener is no more. */
  service(): HttpService | null;
  /** Called once, when the connection is over or has been given up to a tunnel. */
  closed(connection: Http1ServerConnection): void;
}
