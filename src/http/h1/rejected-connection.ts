/**
 * A rejected client connection: gets a reply, is not parsed, and is closed once the client has the reply. Hot.
 *
 * Closing immediately behind the reply could reset the connection before the client has read it (RFC 9112 §9.6). So the
 * gateway discards all further input until the client closes too, or a timeout expires.
 */
import { NOWHERE } from '../../kit/places.ts';
import type { ByteStreamHandler } from '../../net/byte-stream.ts';
import type { Timed } from '../../net/deadlines.ts';
import type { Transport } from '../../net/transport.ts';
import type { LocalReply } from '../local-reply.ts';
import type { ConnectionHome, LeavingConnection, ServerEnvironment } from '../server-connection.ts';
import { ResponseEncoder } from './response-encoder.ts';

/** Milliseconds. */
const LINGER = 500;

export class RejectedConnection implements ByteStreamHandler, Timed, LeavingConnection {
  deadline: number;
  timedPlace = NOWHERE;
  tablePlace = NOWHERE;
  readonly #transport: Transport;
  readonly #home: ConnectionHome;
  readonly #environment: ServerEnvironment;

  constructor(transport: Transport, answer: LocalReply, home: ConnectionHome, environment: ServerEnvironment) {
    const { deadlines } = environment;
    this.#transport = transport;
    this.#home = home;
    this.#environment = environment;
    this.deadline = deadlines.now + LINGER;
    transport.handler = this;
    deadlines.add(this);
    home.addLeaving(this);
    const writer = new ResponseEncoder(transport);
    writer.fixed(answer, true, `${environment.date()}Connection: close\r\n`);
    writer.flush();
    transport.end();
  }

  onBytes(): void {}
  onDrain(): void {}

  onEnd(): void {
    this.destroy();
  }

  onClose(): void {
    this.destroy();
  }

  onDeadline(): void {
    this.destroy();
  }

  destroy(): void {
    this.#environment.deadlines.delete(this);
    this.#home.deleteLeaving(this);
    this.#transport.destroy();
  }
}
