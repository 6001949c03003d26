/**
 * Node's stream handles, on which net.Socket is built: the only file that uses Node's internals. Cold.
 *
 * `process.binding` still provides these few names in the supported versions. If one is missing or has changed its
 * shape, `streamHandles` is null and the gateway uses net.Socket (docs/adr/0002-own-http1-on-handles.md).
 */
import net from 'node:net';

/** The part of a TCP or pipe handle that is used here. Returned numbers are 0 or a negative system error. */
export interface StreamHandle {
  onread: (this: StreamHandle) => void;
  bytesRead: number;
  bytesWritten: number;
  /** Bytes that the kernel has not taken yet, including those of a partial write. */
  writeQueueSize: number;
  readStart(): number;
  readStop(): number;
  useUserBuffer(bytes: Uint8Array): number;
  writeLatin1String(request: object, text: string): number;
  writeBuffer(request: object, bytes: Uint8Array): number;
  writev(request: object, parts: unknown[], allBuffers: boolean): number;
  shutdown(request: object): number;
  close(done?: () => void): void;
  reset?(done?: () => void): number;
  setNoDelay?(on: boolean): number;
  setKeepAlive?(on: boolean, delaySeconds: number): number;
  getpeername?(out: { address?: string; port?: number }): number;
  getsockname?(out: { address?: string; port?: number }): number;
}

/** A write in progress; `oncomplete` is called when the kernel has taken it or the connection broke. */
export interface WriteRequest {
  oncomplete: (status: number) => void;
}

export interface StreamHandles {
  WriteWrap: new () => WriteRequest;
  ShutdownWrap: new () => WriteRequest;
  /** Shared with native code: the result of the last read or write. */
  state: Int32Array;
  /** Index of `state`: bytes read, or a negative system error. */
  readBytesOrError: number;
  /** Index of `state`: whether the last write is pending. */
  lastWriteWasAsync: number;
}

function find(): StreamHandles | null {
  if (process.env['PROZY_TRANSPORT'] === 'socket') return null;
  try {
    // The only access to these names without a native addon.
    const binding = (process as unknown as { binding(name: string): Record<string, unknown> }).binding('stream_wrap');
    const { WriteWrap, ShutdownWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = binding;
    const whole =
      typeof WriteWrap === 'function' &&
      typeof ShutdownWrap === 'function' &&
      streamBaseState instanceof Int32Array &&
      typeof kReadBytesOrError === 'number' &&
      typeof kLastWriteWasAsync === 'number';
    if (!whole || !handlesHaveWhatIsUsed()) return null;
    return {
      WriteWrap: WriteWrap as StreamHandles['WriteWrap'],
      ShutdownWrap: ShutdownWrap as StreamHandles['ShutdownWrap'],
      state: streamBaseState,
      readBytesOrError: kReadBytesOrError,
      lastWriteWasAsync: kLastWriteWasAsync,
    };
  } catch {
    return null;
  }
}

function handlesHaveWhatIsUsed(): boolean {
  const binding = (process as unknown as { binding(name: string): { TCP?: { prototype: object } } }).binding(
    'tcp_wrap',
  );
  const prototype = binding.TCP?.prototype;
  if (prototype === undefined || !('_handle' in new net.Socket())) return false;
  const names = [
    'readStart',
    'readStop',
    'useUserBuffer',
    'writeLatin1String',
    'writeBuffer',
    'writev',
    'writeQueueSize',
    'shutdown',
    'close',
  ];
  return names.every((name) => name in prototype);
}

/** null: use net.Socket instead. PROZY_TRANSPORT=socket disables the handles. */
export const streamHandles: StreamHandles | null = find();

/** Takes the handle out of a connected socket, which is left empty and inert. */
export function takeHandle(socket: net.Socket): StreamHandle | null {
  const holder = socket as unknown as { _handle: StreamHandle | null };
  const handle = holder._handle;
  holder._handle = null;
  return handle;
}

/** Wraps the handle of an accepted connection in one of Node's sockets. */
export function socketOf(handle: StreamHandle): net.Socket {
  const options = { handle, allowHalfOpen: true, readable: true, writable: true };
  return new net.Socket(options as unknown as net.SocketConstructorOpts);
}

/**
 * Bytes that the kernel has taken from a socket. Node itself counts a write as pending until all of it has been sent.
 * The handle is more exact if there is one; net.Socket's own timeout reads it too.
 */
export function sentBy(socket: net.Socket): number {
  const { bytesWritten, writeQueueSize } =
    (socket as unknown as { _handle?: Partial<StreamHandle> | null })._handle ?? {};
  if (bytesWritten !== undefined && writeQueueSize !== undefined) return bytesWritten - writeQueueSize;
  return socket.bytesWritten - socket.writableLength;
}

/** Enables TCP keep-alive on a server and so on its connections; without handle support, on each connection. */
export function keepAlive(server: net.Server, seconds: number): void {
  (server as unknown as { _handle: Partial<StreamHandle> | null })._handle?.setKeepAlive?.(true, seconds);
}

/** Makes a listening server hand out bare handles instead of sockets. */
export function acceptHandles(server: net.Server, onHandle: (handle: StreamHandle) => void): void {
  const holder = server as unknown as { _handle: { onconnection(status: number, handle?: StreamHandle): void } };
  holder._handle.onconnection = (status, handle) => {
    // A failed accept (out of descriptors, or the client left at once) needs no action: libuv keeps listening.
    if (status === 0 && handle !== undefined) onHandle(handle);
  };
}
