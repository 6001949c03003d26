/**
 * A rejected client connection: gets a reply, is not parsed, and is closed once the client has the reply. Hot.
 *
 * Closing immediately behind the reply could reset the connection before the client has read it (RFC 9112 §9.6). So the
 * gateway discards all further input until the client closes too, or a timeout expires.
 */
import { NOWHERE } from '../kit/places.ts';
import type { LocalReply } from '../http/local-reply.ts';
import { ResponseEncoder } from '../http/h1/response-encoder.ts';
import type { Deadlines, Timed } from '../net/deadlines.ts';
import type { Transport, TransportHandler } from '../net/transport.ts';
import type { ConnectionTable, LeavingConnection } from './connection-table.ts';

/** Milliseconds. */
const LINGER = 500;

export class RejectedConnection implements TransportHandler, Timed, LeavingConnection {
  deadline: number;
  timedPlace = NOWHERE;
  tablePlace = NOWHERE;
  readonly #transport: Transport;
  readonly #deadlines: Deadlines;
  readonly #table: ConnectionTable;

  /** `date`: the response's Date line. */
  constructor(transport: Transport, answer: LocalReply, date: string, deadlines: Deadlines, table: ConnectionTable) {
    this.#transport = transport;
    this.#deadlines = deadlines;
    this.#table = table;
    this.deadline = deadlines.now + LINGER;
    transport.handler = this;
    deadlines.add(this);
    table.addLeaving(this);
    const writer = new ResponseEncoder(transport);
    writer.fixed(answer, true, `${date}Connection: close\r\n`);
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
    this.#deadlines.delete(this);
    this.#table.deleteLeaving(this);
    this.#transport.destroy();
  }
}
