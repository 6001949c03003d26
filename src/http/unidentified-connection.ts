/**
 * A client connection whose first bytes are yet to tell its protocol. Hot: once for each cleartext connection, where a
 * codec has a preface.
 *
 *     waits ──first bytes──▶ the codec whose preface they are (RFC 9113 §3.4), else the default
 *       └──────── its end, its timeout, its retirement ──▶ the default
 *
 * The chosen codec's connection takes its place, and gets all bytes. Most connections take one comparison, at their first
 * read: the first byte that differs decides.
 */
import { NOWHERE } from '../kit/places.ts';
import type { ByteStreamHandler } from '../net/byte-stream.ts';
import type { Connection } from '../net/connection.ts';
import type { Timed } from '../net/deadlines.ts';
import type { Transport } from '../net/transport.ts';
import type { ServerCodec } from './server-codec.ts';
import type { ConnectionHome, ServerConnection, ServerEnvironment } from './server-connection.ts';

const NO_BYTES = Buffer.alloc(0);
/** How long a new connection may still send its first request when it is to retire, in milliseconds. */
const PATIENCE = 2000;

export class UnidentifiedConnection implements ServerConnection, ByteStreamHandler, Timed {
  deadline: number;
  timedPlace = NOWHERE;
  tablePlace = NOWHERE;
  tableNumber = 0;
  readonly idle = true;
  readonly #transport: Transport;
  readonly connection: Connection;
  #home: ConnectionHome;
  readonly #environment: ServerEnvironment;
  readonly #prefaced: readonly ServerCodec[];
  readonly #default: ServerCodec;
  /** The beginning of a preface. */
  #read: Buffer = NO_BYTES;
  #retiring = false;

  constructor(
    transport: Transport,
    connection: Connection,
    home: ConnectionHome,
    environment: ServerEnvironment,
    prefaced: readonly ServerCodec[],
    otherwise: ServerCodec,
  ) {
    this.#transport = transport;
    this.connection = connection;
    this.#home = home;
    this.#environment = environment;
    this.#prefaced = prefaced;
    this.#default = otherwise;
    this.deadline = environment.deadlines.now + (home.service()?.timeouts.header ?? 0);
    transport.handler = this;
    environment.deadlines.add(this);
  }

  get clientAddress(): string {
    return this.connection.clientAddress;
  }

  moveTo(home: ConnectionHome): void {
    this.#home = home;
    this.connection.listener = home.listener;
  }

  retire(patient = false): void {
    if (!patient) {
      this.#become(this.#default).retire();
      return;
    }
    this.#retiring = true;
    this.deadline = Math.min(this.deadline, this.#environment.deadlines.now + PATIENCE);
  }

  destroy(): void {
    this.#transport.destroy();
    this.#environment.deadlines.delete(this);
    this.#home.closed(this);
  }

  onBytes(bytes: Buffer, start: number, end: number): void {
    const read = this.#read;
    // The very memory of the read: a transport knows it again.
    if (read.length === 0) this.#judge(bytes, start, end);
    else {
      const all = Buffer.concat([read, bytes.subarray(start, end)]);
      this.#judge(all, 0, all.length);
    }
  }

  #judge(bytes: Buffer, start: number, end: number): void {
    let chosen = this.#default;
    for (const codec of this.#prefaced) {
      const preface = codec.preface!;
      const length = Math.min(preface.length, end - start);
      if (bytes.compare(preface, 0, length, start, start + length) !== 0) continue;
      if (length < preface.length) {
        this.#read = Buffer.from(bytes.subarray(start, end));
        return;
      }
      chosen = codec;
      break;
    }
    this.#read = NO_BYTES;
    this.#become(chosen);
    this.#transport.handler.onBytes(bytes, start, end);
  }

  /** Gives the transport to a codec, with the bytes that have been read. */
  #become(codec: ServerCodec): ServerConnection {
    this.#environment.deadlines.delete(this);
    const home = this.#home;
    const successor = codec.accept(this.#transport, this.connection, home, this.#environment);
    home.replaced(this, successor);
    if (this.#retiring) successor.retire(true);
    const read = this.#read;
    this.#read = NO_BYTES;
    if (read.length > 0) this.#transport.handler.onBytes(read, 0, read.length);
    return successor;
  }

  onDrain(): void {}

  onEnd(): void {
    this.#become(this.#default);
    this.#transport.handler.onEnd();
  }

  onClose(code: string): void {
    this.#become(this.#default);
    this.#transport.handler.onClose(code);
  }

  onDeadline(): void {
    if (this.#read.length > 0) this.#become(this.#default);
    else this.destroy();
  }
}
