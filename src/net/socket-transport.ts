/**
 * A Transport on the public net.Socket: slower than handle-transport.ts, and independent of Node's internals. Hot.
 *
 * It is used if the handles are not available, and for streams that have no handle of their own (TLS).
 */
import type { Duplex } from 'node:stream';
import type net from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ByteStreamHandler } from './byte-stream.ts';
import { plainAddress } from './plain-address.ts';
import { sentBy } from './stream-handles.ts';
import { tlsErrorCode } from './tls/tls-info.ts';
import type { Transport, TransportAddresses } from './transport.ts';

export class SocketTransport implements Transport {
  handler: ByteStreamHandler;
  closed = false;
  #pending = false;
  /** The last handler that has been told that the peer has ended. */
  #told: ByteStreamHandler | null = null;
  #addresses: TransportAddresses | null = null;
  readonly secure: boolean;
  readonly #socket: net.Socket;
  /** The TCP connection or Unix socket: the same, or below TLS. */
  readonly #carrier: net.Socket;
  /** Some written data has been sent. */
  readonly #left = (): void => {
    if (!this.#pending || this.#socket.writableLength > 0) return;
    this.#pending = false;
    if (!this.closed) this.handler.onDrain();
  };

  /** `socket` must have been created with `allowHalfOpen`. `carrier`: the socket below TLS. */
  constructor(socket: net.Socket | TLSSocket, handler: ByteStreamHandler, carrier: net.Socket = socket) {
    this.#socket = socket;
    this.#carrier = carrier;
    this.handler = handler;
    this.secure = 'encrypted' in socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      if (!this.closed) this.handler.onBytes(chunk, 0, chunk.length);
    });
    socket.on('end', () => this.#tellEnd());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (this.closed) return;
      this.closed = true;
      this.handler.onClose(this.secure ? tlsErrorCode(error) : (error.code ?? 'ERROR'));
    });
    socket.on('close', () => {
      if (this.closed) return;
      this.closed = true;
      this.handler.onClose('CLOSED');
    });
  }

  get protocol(): string | null {
    const { alpnProtocol } = this.#socket as TLSSocket;
    return typeof alpnProtocol === 'string' ? alpnProtocol : null;
  }

  get pending(): boolean {
    return this.#pending;
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  get bytesSent(): number {
    return sentBy(this.#carrier);
  }

  writeText(text: string): boolean {
    if (this.closed) return true;
    this.#socket.write(text, 'latin1', this.#left);
    return this.#took();
  }

  write(prefix: string, bytes: Buffer, start: number, end: number, suffix: string): boolean {
    if (this.closed) return true;
    const socket = this.#socket;
    (socket as Duplex).cork();
    if (prefix !== '') socket.write(prefix, 'latin1');
    socket.write(bytes.subarray(start, end), suffix === '' ? this.#left : undefined);
    if (suffix !== '') socket.write(suffix, 'latin1', this.#left);
    socket.uncork();
    return this.#took();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (this.closed) return;
    if (this.#socket.readableEnded && this.#told !== this.handler) process.nextTick(() => this.#tellEnd());
    else this.#socket.resume();
  }

  end(): void {
    if (!this.closed) this.#socket.end();
  }

  destroy(): void {
    if (this.closed) return;
    this.closed = true;
    this.#socket.destroy();
  }

  reset(): void {
    if (this.closed) return;
    this.closed = true;
    // Only TCP supports resets: on a Unix socket this would throw.
    if (this.#carrier.remoteFamily === undefined) this.#socket.destroy();
    else this.#carrier.resetAndDestroy();
  }

  /** Gives up the open socket: the transport is closed, and its connection is not. No write may be pending. */
  giveSocket(): net.Socket {
    this.closed = true;
    const socket = this.#socket;
    socket.pause();
    socket.removeAllListeners('data').removeAllListeners('end');
    return socket;
  }

  addresses(): TransportAddresses {
    return (this.#addresses ??= this.#askAddresses());
  }

  #askAddresses(): TransportAddresses {
    const { remoteAddress, remotePort, localAddress, localPort } = this.#carrier;
    return {
      remoteAddress: plainAddress(remoteAddress),
      remotePort: remotePort ?? 0,
      localAddress: plainAddress(localAddress),
      localPort: localPort ?? 0,
    };
  }

  #tellEnd(): void {
    if (this.closed || this.#told === this.handler) return;
    this.#told = this.handler;
    this.handler.onEnd();
  }

  #took(): boolean {
    if (this.#socket.writableLength > 0) this.#pending = true;
    return !this.#pending;
  }
}
