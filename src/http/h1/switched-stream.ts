/**
 * What is left of an HTTP/1.1 connection after a 101 (RFC 9110 §7.8): a stream of bytes in another protocol. Hot.
 *
 * On both sides of the gateway, the peer may have sent such bytes right behind its head. They are delivered at the first
 * `resume`, before all others.
 */
import { type ByteStream, type ByteStreamHandler, IGNORE } from '../../net/byte-stream.ts';
import type { Transport, TransportAddresses } from '../../net/transport.ts';

/** The connection that has switched; its owner still counts it. */
export interface SwitchedConnection {
  /** The stream has closed. Called once. */
  switchedClosed(): void;
}

export class SwitchedStream implements ByteStream, ByteStreamHandler {
  handler: ByteStreamHandler = IGNORE;
  readonly #transport: Transport;
  /** null: it has been told that the stream has closed. */
  #connection: SwitchedConnection | null;
  /** Bytes from behind the head; null from the first `resume` on. */
  #early: Buffer | null;
  #paused = true;
  /** The peer has ended before the first `resume`. */
  #endHeld = false;

  constructor(transport: Transport, early: Buffer, connection: SwitchedConnection) {
    this.#transport = transport;
    this.#early = early;
    this.#connection = connection;
    transport.handler = this;
    transport.pause();
  }

  get closed(): boolean {
    return this.#transport.closed;
  }

  get pending(): boolean {
    return this.#transport.pending;
  }

  get bytesSent(): number {
    return this.#transport.bytesSent;
  }

  addresses(): TransportAddresses {
    return this.#transport.addresses();
  }

  writeText(text: string): boolean {
    return this.#transport.writeText(text);
  }

  write(prefix: string, bytes: Buffer, start: number, end: number, suffix: string): boolean {
    return this.#transport.write(prefix, bytes, start, end, suffix);
  }

  pause(): void {
    this.#paused = true;
    this.#transport.pause();
  }

  resume(): void {
    if (this.closed) return;
    this.#paused = false;
    const early = this.#early;
    if (early !== null) {
      this.#early = null;
      if (early.length > 0) this.handler.onBytes(early, 0, early.length);
      if (this.#endHeld) process.nextTick(tellEnd, this);
      // The handler may not want more than that.
      if (this.#paused) return;
    }
    this.#transport.resume();
  }

  end(): void {
    this.#transport.end();
  }

  destroy(): void {
    this.#transport.destroy();
    this.#release();
  }

  reset(): void {
    this.#transport.reset();
    this.#release();
  }

  onBytes(bytes: Buffer, start: number, end: number): void {
    this.handler.onBytes(bytes, start, end);
  }

  onDrain(): void {
    this.handler.onDrain();
  }

  onEnd(): void {
    if (this.#early === null) this.handler.onEnd();
    else this.#endHeld = true;
  }

  onClose(code: string): void {
    this.#release();
    this.handler.onClose(code);
  }

  #release(): void {
    const connection = this.#connection;
    this.#connection = null;
    connection?.switchedClosed();
  }
}

function tellEnd(stream: SwitchedStream): void {
  if (!stream.closed) stream.handler.onEnd();
}
