/**
 * Node's stream handles, on which net.Socket is built: the only file that uses Node's internals. Cold.
 *
 * `process.binding` still provides these few names in the supported versions. If one is missing or has changed its
 * shape, `streamHandles` is null and the gateway uses net.Socket (docs/adr/0002-own-http1-on-handles.md).
 */
import net from 'node:net';
import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';

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

/** OpenSSL's state of one connection, as a stream of plain bytes over another handle. */
export interface TlsHandle extends StreamHandle {
  onhandshakestart: (this: TlsHandle) => void;
  /** Called again after a renegotiation. */
  onhandshakedone: (this: TlsHandle) => void;
  onerror: (this: TlsHandle, error: Error) => void;
  /** A session that a later connection may resume (client side). */
  onnewsession: (this: TlsHandle, id: Buffer, session: Buffer) => void;
  /** Starts the handshake of a client. */
  start(): void;
  /** Handles bytes as if they had just arrived. */
  receive(bytes: Uint8Array): void;
  setVerifyMode(requestCertificate: boolean, rejectUnauthorized: boolean): void;
  setALPNProtocols(wire: Uint8Array): void;
  setServername(name: string): void;
  setSession(session: Uint8Array): void;
  setOCSPResponse(response: Uint8Array): void;
  enableSessionCallbacks(): void;
  verifyError(): (Error & { code?: string }) | null | undefined;
  getServername(): string | false;
  getALPNNegotiatedProtocol(): string | false;
  getProtocol(): string | null;
  getCipher(): { readonly name: string; readonly standardName: string };
  getEphemeralKeyInfo(): unknown;
  getPeerX509Certificate(): PeerCertificate | undefined;
  isSessionReused(): boolean;
  /** Frees OpenSSL's state; a write in progress is cancelled. */
  destroySSL(): void;
}

/** The certificates of Node's handles are others than those of its users. */
interface NativeCertificate {
  raw(): Uint8Array;
  getIssuerCert(): NativeCertificate | undefined;
}

export type PeerCertificate = X509Certificate | NativeCertificate;

/** The certificate of a peer, and those of its issuers that the peer has sent. */
export function certificatesOf(peer: PeerCertificate): readonly X509Certificate[] {
  const certificates: X509Certificate[] = [];
  for (let next: PeerCertificate | undefined = peer; next !== undefined; ) {
    certificates.push(certificateOf(next));
    next = next instanceof X509Certificate ? next.issuerCertificate : next.getIssuerCert();
  }
  return certificates;
}

/** The certificate of a peer. */
export function certificateOf(peer: PeerCertificate): X509Certificate {
  return peer instanceof X509Certificate ? peer : new X509Certificate(peer.raw());
}

export interface StreamHandles {
  /** Puts TLS over a handle. The caller keeps both: one does not keep the other alive. */
  wrapTls: (handle: StreamHandle, context: SecureContext, server: boolean) => TlsHandle;
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
    const binding = internals('stream_wrap');
    const { WriteWrap, ShutdownWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = binding;
    const whole =
      typeof WriteWrap === 'function' &&
      typeof ShutdownWrap === 'function' &&
      streamBaseState instanceof Int32Array &&
      typeof kReadBytesOrError === 'number' &&
      typeof kLastWriteWasAsync === 'number';
    const wrapTls = findTls();
    if (!whole || wrapTls === null || !hasMethods(internals('tcp_wrap')['TCP'], TCP_METHODS)) return null;
    if (!('_handle' in new net.Socket())) return null;
    return {
      wrapTls,
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

const TCP_METHODS = [
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

const TLS_METHODS = [
  'readStart',
  'readStop',
  'useUserBuffer',
  'writeLatin1String',
  'writeBuffer',
  'writev',
  'shutdown',
  'start',
  'receive',
  'setVerifyMode',
  'setALPNProtocols',
  'setServername',
  'setSession',
  'setOCSPResponse',
  'enableSessionCallbacks',
  'verifyError',
  'getServername',
  'getALPNNegotiatedProtocol',
  'getProtocol',
  'getCipher',
  'getEphemeralKeyInfo',
  'getPeerX509Certificate',
  'isSessionReused',
  'destroySSL',
];

/** The only access to these names without a native addon. */
function internals(name: string): Readonly<Record<string, unknown>> {
  return (process as unknown as { binding(name: string): Record<string, unknown> }).binding(name);
}

function hasMethods(type: unknown, names: readonly string[]): boolean {
  const prototype: unknown = typeof type === 'function' ? type.prototype : undefined;
  return typeof prototype === 'object' && prototype !== null && names.every((name) => name in prototype);
}

function findTls(): StreamHandles['wrapTls'] | null {
  const { wrap, TLSWrap } = internals('tls_wrap');
  if (typeof wrap !== 'function' || !hasMethods(TLSWrap, TLS_METHODS)) return null;
  const wrapNative = wrap as (handle: object, context: unknown, server: boolean, written: boolean) => TlsHandle;
  return (handle, context, server) => wrapNative(handle, context.context, server, false);
}

/** null: use net.Socket instead. PROZY_TRANSPORT=socket disables the handles. */
export const streamHandles: StreamHandles | null = find();

/**
 * What OpenSSL shall do with a ticket: 0 nothing, 1 encrypt or decrypt it, 2 decrypt it and issue another; the keys for
 * HMAC-SHA-256 and AES-128-CBC; for encryption the key's name and an initialization vector, too. 16 bytes each: anything
 * else ends the process.
 */
export type TicketKeyResult = [0 | 1 | 2, Buffer, Buffer, Buffer?, Buffer?];
export type TicketKeyCallback = (name: Buffer, vector: Buffer, encrypt: boolean) => TicketKeyResult;

interface NativeContext {
  enableTicketKeyCallback(): void;
  onticketkeycallback: TicketKeyCallback;
}

/** Sets the function that finds the key of each ticket. null: Node doesn't have it, or not in this shape. */
export const onTicketKey = streamHandles === null ? null : findTicketKeys();

function findTicketKeys(): ((context: SecureContext, callback: TicketKeyCallback) => void) | null {
  const native = createSecureContext({ ca: [] }).context as object;
  const places = native.constructor as unknown as Readonly<Record<string, unknown>>;
  const asExpected =
    'enableTicketKeyCallback' in native &&
    ['Return', 'HMAC', 'AES', 'Name', 'IV'].every((part, i) => places[`kTicketKey${part}Index`] === i);
  if (!asExpected) return null;
  return (context, callback) => {
    const one = context.context as NativeContext;
    one.onticketkeycallback = callback;
    one.enableTicketKeyCallback();
  };
}

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
