/**
 * A Transport on a bare stream handle: one read callback in, one system call out, no stream machinery between. Hot.
 *
 * docs/performance.md has the figures. Reads go into memory that is already allocated (read-buffers.ts). A write is
 * tried at once and needs no callback if the kernel takes it, which is nearly always; the next write reuses its request
 * object. Short messages are sent as Latin-1 strings, which the native side copies onto its stack: this is cheaper than
 * a view on a buffer, and safe if the bytes change afterwards.
 */
import { getSystemErrorName } from 'node:util';
import { type ByteStreamHandler, IGNORE } from './byte-stream.ts';
import { giveBuffer, SHARED_SIZE, sharedBuffer, takeBuffer } from './read-buffers.ts';
import { type StreamHandle, streamHandles, type WriteRequest } from './stream-handles.ts';
import type { Transport, TransportAddresses } from './transport.ts';
import { plainAddress } from './plain-address.ts';

const UV_EOF = -4095;
/** Messages up to this many bytes are sent as a string. */
const TEXT_LIMIT = 16 * 1024;

type OwnedHandle = StreamHandle & { transport: HandleTransport };
type OwnedWrite = WriteRequest & {
  transport: HandleTransport;
  /** The bytes of a pending write: the kernel reads them, and nothing else may refer to them any more. */
  bytes: Buffer | null;
};

const handles = streamHandles;
const state = handles?.state ?? new Int32Array(8);
const READ = handles?.readBytesOrError ?? 0;
const ASYNC = handles?.lastWriteWasAsync ?? 0;

/** Reused by every write that completes at once; replaced when one does not. */
let nextWrite: OwnedWrite;

function newWrite(): OwnedWrite {
  const request = new handles!.WriteWrap() as OwnedWrite;
  request.oncomplete = onWritten;
  request.bytes = null;
  return request;
}
if (handles !== null) nextWrite = newWrite();

function onWritten(this: OwnedWrite, status: number): void {
  this.transport.written(status);
}

/** The read side reports a peer that has already gone. */
function onShutdown(): void {}

function onRead(this: StreamHandle): void {
  (this as OwnedHandle).transport.arrived(state[READ]!);
}

export class HandleTransport implements Transport {
  handler: ByteStreamHandler;
  closed = false;
  /** Writes that the kernel has not taken yet. */
  #writes = 0;
  #handle: OwnedHandle;
  #buffer: Buffer = sharedBuffer;
  #reading = true;
  #ended = false;
  /** The last handler that has been told that the peer has ended. */
  #told: ByteStreamHandler | null = null;
  #addresses: TransportAddresses | null = null;

  constructor(handle: StreamHandle, handler: ByteStreamHandler) {
    this.#handle = handle as OwnedHandle;
    this.handler = handler;
    this.#handle.transport = this;
    handle.onread = onRead;
    handle.setNoDelay?.(true);
    handle.useUserBuffer(sharedBuffer);
    handle.readStart();
  }

  get secure(): boolean {
    return false;
  }

  get protocol(): string | null {
    return null;
  }

  get pending(): boolean {
    return this.#writes > 0;
  }

  get bytesRead(): number {
    return this.#handle.bytesRead;
  }

  get bytesWritten(): number {
    return this.#handle.bytesWritten;
  }

  get bytesSent(): number {
    return this.#handle.bytesWritten - this.#handle.writeQueueSize;
  }

  writeText(text: string): boolean {
    if (this.closed) return true;
    return this.#sent(this.#handle.writeLatin1String(this.#request(), text), null);
  }

  write(prefix: string, bytes: Buffer, start: number, end: number, suffix: string): boolean {
    if (this.closed) return true;
    const size = end - start;
    if (size <= TEXT_LIMIT) {
      const text = prefix + bytes.toString('latin1', start, end) + suffix;
      return this.#sent(this.#handle.writeLatin1String(this.#request(), text), null);
    }
    let part = bytes.subarray(start, end);
    // The next read overwrites the shared buffer, whether or not the kernel takes all of this now.
    if (bytes === sharedBuffer) part = Buffer.from(part);
    if (prefix === '' && suffix === '') return this.#sent(this.#handle.writeBuffer(this.#request(), part), part);
    const parts: unknown[] = [part, 'buffer'];
    if (prefix !== '') parts.unshift(prefix, 'latin1');
    if (suffix !== '') parts.push(suffix, 'latin1');
    return this.#sent(this.#handle.writev(this.#request(), parts, false), part);
  }

  pause(): void {
    if (!this.#reading || this.closed) return;
    this.#reading = false;
    this.#handle.readStop();
  }

  resume(): void {
    if (this.#reading || this.closed) return;
    if (this.#ended) {
      if (this.#told !== this.handler) process.nextTick(reportEnd, this);
      return;
    }
    this.#reading = true;
    this.#handle.readStart();
  }

  end(): void {
    if (this.closed) return;
    const request = new handles!.ShutdownWrap();
    request.oncomplete = onShutdown;
    this.#handle.shutdown(request);
  }

  destroy(): void {
    if (this.closed) return;
    this.#release();
    this.#handle.close();
  }

  reset(): void {
    if (this.closed) return;
    this.#release();
    if (this.#handle.reset === undefined || this.#handle.reset() !== 0) this.#handle.close();
  }

  addresses(): TransportAddresses {
    return (this.#addresses ??= this.#askAddresses());
  }

  /** Gives up the open handle: the transport is closed, and its connection is not. No write may be pending. */
  giveHandle(): StreamHandle {
    this.pause();
    this.#release();
    // The handle refers to this for as long as it lives.
    this.handler = IGNORE;
    return this.#handle;
  }

  #askAddresses(): TransportAddresses {
    const remote: { address?: string; port?: number } = {};
    const local: { address?: string; port?: number } = {};
    this.#handle.getpeername?.(remote);
    this.#handle.getsockname?.(local);
    return {
      remoteAddress: plainAddress(remote.address),
      remotePort: remote.port ?? 0,
      localAddress: plainAddress(local.address),
      localPort: local.port ?? 0,
    };
  }

  /** For the read callback only. */
  arrived(count: number): void {
    if (this.closed) return;
    if (count > 0) {
      this.handler.onBytes(this.#buffer, 0, count);
      if (count === SHARED_SIZE && this.#buffer === sharedBuffer && !this.closed) this.#takeOwnBuffer();
    } else if (count === UV_EOF) {
      this.#ended = true;
      this.#reading = false;
      this.#handle.readStop();
      this.tellEnd();
    } else if (count < 0) this.#fail(count);
  }

  /** For this file only. */
  tellEnd(): void {
    if (this.closed || this.#told === this.handler) return;
    this.#told = this.handler;
    this.handler.onEnd();
  }

  /** For the write callback only. */
  written(status: number): void {
    this.#writes--;
    if (this.closed) return;
    if (status < 0) this.#fail(status);
    else if (this.#writes === 0) this.handler.onDrain();
  }

  #request(): OwnedWrite {
    nextWrite.transport = this;
    return nextWrite;
  }

  #sent(status: number, bytes: Buffer | null): boolean {
    if (status !== 0) {
      process.nextTick(reportBroken, this, status);
      return true;
    }
    if (state[ASYNC] !== 0) {
      this.#writes++;
      nextWrite.bytes = bytes;
      nextWrite = newWrite();
    }
    return this.#writes === 0;
  }

  /** For writes that failed at once. It runs on the next tick, so that no caller is called back within its call. */
  failed(status: number): void {
    if (!this.closed) this.#fail(status);
  }

  #fail(status: number): void {
    this.#release();
    this.#handle.close();
    this.handler.onClose(getSystemErrorName(status));
  }

  #takeOwnBuffer(): void {
    const own = takeBuffer();
    if (own === null) return;
    this.#buffer = own;
    this.#handle.useUserBuffer(own);
  }

  #release(): void {
    this.closed = true;
    if (this.#buffer === sharedBuffer) return;
    // If the transport is paused, a receiver may still be sending from its buffer.
    giveBuffer(this.#buffer, this.#reading);
    this.#buffer = sharedBuffer;
  }
}

function reportEnd(transport: HandleTransport): void {
  transport.tellEnd();
}

function reportBroken(transport: HandleTransport, status: number): void {
  transport.failed(status);
}
