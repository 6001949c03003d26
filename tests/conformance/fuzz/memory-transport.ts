/** A transport without a socket: what is written is kept, and what is read is whatever a test hands to its handler. */
import { type ByteStreamHandler, IGNORE } from '../../../src/net/byte-stream.ts';
import type { Transport, TransportAddresses } from '../../../src/net/transport.ts';

export class MemoryTransport implements Transport {
  handler: ByteStreamHandler = IGNORE;
  closed = false;
  readonly secure = false;
  readonly protocol = null;
  pending = false;
  paused = false;
  ended = false;
  bytesRead = 0;
  bytesWritten = 0;
  bytesSent = 0;
  /** All that was written, as Latin-1. */
  text = '';
  /** Called for each write if writes are not to be taken at once; the kernel has everything when `drain` is called. */
  readonly #onPending: (() => void) | null;

  constructor(onPending: (() => void) | null = null) {
    this.#onPending = onPending;
  }

  writeText(text: string): boolean {
    this.text += text;
    return this.#taken();
  }

  write(prefix: string, bytes: Buffer, start: number, end: number, suffix: string): boolean {
    this.text += prefix + bytes.toString('latin1', start, end) + suffix;
    return this.#taken();
  }

  #taken(): boolean {
    if (this.#onPending === null) return true;
    if (!this.pending) this.#onPending();
    this.pending = true;
    return false;
  }

  drain(): void {
    this.pending = false;
    if (!this.closed) this.handler.onDrain();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  end(): void {
    this.ended = true;
  }

  destroy(): void {
    this.closed = true;
  }

  reset(): void {
    this.closed = true;
  }

  addresses(): TransportAddresses {
    return { remoteAddress: '192.0.2.1', remotePort: 1, localAddress: '192.0.2.2', localPort: 80 };
  }
}
