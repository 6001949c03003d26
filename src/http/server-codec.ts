/** What the server side of a protocol offers to listeners and to explain/. Hot. */
import type { Connection } from '../net/connection.ts';
import type { Transport } from '../net/transport.ts';
import type { Exchange } from './exchange.ts';
import type { LocalReply } from './local-reply.ts';
import type { PathProblem, PathRules } from './path.ts';
import type { ConnectionHome, ServerConnection, ServerEnvironment } from './server-connection.ts';
import type { HttpLimits } from './server-stream.ts';

/** A request that a client could send: with all its fields. */
export interface WrittenRequest {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

export interface ReadRequest {
  readonly x: Exchange;
  /** The client offers to change protocols. */
  readonly upgrade: boolean;
}

export interface RefusedRequest {
  readonly status: number;
  /** `syntax`: the head is malformed; '': only the status tells. */
  readonly problem: PathProblem | 'syntax';
}

export interface ServerCodec {
  readonly name: string;
  /** Its ALPN protocol ID. */
  readonly alpn: string;
  /** The bytes that begin each of its connections, where they tell it from all other protocols; else null. */
  readonly preface: Buffer | null;
  /** Begins to serve a connection. */
  accept(
    transport: Transport,
    connection: Connection,
    home: ConnectionHome,
    environment: ServerEnvironment,
  ): ServerConnection;
  /** Answers a connection that exceeds a limit, and closes it. */
  reject(transport: Transport, answer: LocalReply, home: ConnectionHome, environment: ServerEnvironment): void;
  /** Reads a request head that no client has sent, as it reads those of clients. Cold. */
  read(
    request: WrittenRequest,
    connection: Connection,
    limits: HttpLimits,
    paths: PathRules,
  ): ReadRequest | RefusedRequest;
}
