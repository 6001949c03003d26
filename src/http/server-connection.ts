/** A client connection, for any protocol: the contract between a server codec and the listener it belongs to. Hot. */
import type { Clock } from '../kit/clock.ts';
import type { Connection } from '../net/connection.ts';
import type { Deadlines } from '../net/deadlines.ts';
import type { HttpService } from './server-stream.ts';

/** A client connection with any number of exchanges. Limits, access lists and tables count connections, not exchanges. */
export interface ServerConnection {
  /** Its place in its table; NOWHERE: no table holds it. */
  tablePlace: number;
  /** Its number in the order of acceptance. */
  tableNumber: number;
  /** No request is in progress on it. */
  readonly idle: boolean;
  readonly clientAddress: string;
  readonly connection: Connection;
  /**
   * Closes it as soon as no request is lost by that. `patient`: a connection that is new may still send its first
   * request.
   */
  retire(patient?: boolean): void;
  /** Closes it now. */
  destroy(): void;
  /** It belongs to another listener from now on. */
  moveTo(home: ConnectionHome): void;
}

/** A rejected connection that is not closed yet. */
export type LeavingConnection = Pick<ServerConnection, 'tablePlace' | 'destroy'>;

/** The listener that a connection belongs to, across reloads. */
export interface ConnectionHome {
  readonly listener: string;
  /** The service of the current config; null if the listener has been removed. */
  service(): HttpService | null;
  /** Another connection takes the place of this one, on the same transport. */
  replaced(connection: ServerConnection, successor: ServerConnection): void;
  /** Called once, when the connection has ended. */
  closed(connection: ServerConnection): void;
  addLeaving(connection: LeavingConnection): void;
  deleteLeaving(connection: LeavingConnection): void;
}

/** What a client connection needs from the gateway. */
export interface ServerEnvironment {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** The Date line of a local reply. */
  date(): string;
}
