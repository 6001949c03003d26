/**
 * A Transport whose bytes OpenSSL encrypts, on Node's native TLS handle: no stream machinery between. Hot.
 *
 *     handshake ── onSecured ──▶ open ── destroy, reset, onClose ──▶ closed
 *
 * Node's handle takes one write at a time, encrypts it at once into a buffer of its own, and reports it as written on a
 * later tick. So writes that follow in the same tick wait here and go out as one, and a write counts as sent when the
 * kernel has all its bytes, not when that is reported. Reads, of 16 KiB at most, go on arriving for a moment after
 * `pause`: they wait here, too.
 */
import { getSystemErrorName } from 'node:util';
import { type StreamHandle, streamHandles, type TlsHandle, type WriteRequest } from '../stream-handles.ts';
import { type ByteStreamHandler, IGNORE } from '../byte-stream.ts';
import { sharedBuffer } from '../read-buffers.ts';
import type { Transport, TransportAddresses } from '../transport.ts';
import type { HandshakeObserver, TlsOptions } from './handshake.ts';
import { RecordGate } from './record-gate.ts';
import { tlsErrorCode } from './tls-info.ts';

const UV_EOF = -4095;
/** A write up to this size leaves OpenSSL's buffer in one system call (ten buffers of 16 KiB, the first two smaller). */
const ONE_CALL = 96 * 1024;

/** Records that OpenSSL gets at a time: those of others come in between. */
const RECORDS_AT_ONCE = 64;
/**
 * Records in a row that carry nothing for us, such as KeyUpdate (RFC 8446 §4.6.3). Nothing bounds their number, and each
 * costs OpenSSL new keys. BoringSSL has this bound, too.
 */
const MOST_FRUITLESS = 32;

/** For the bytes from the kernel. The decrypted ones go to the shared buffer meanwhile. */
const encrypted = Buffer.allocUnsafeSlow(16 * 1024);

const handles = streamHandles;
const state = handles?.state ?? new Int32Array(8);
const READ = handles?.readBytesOrError ?? 0;

type OwnedHandle = TlsHandle & { transport: TlsTransport };
type OwnedRaw = StreamHandle & { transport: TlsTransport; tls: TlsHandle };
type OwnedWrite = WriteRequest & { transport: TlsTransport };

function onRead(this: TlsHandle): void {
  (this as OwnedHandle).transport.arrived(state[READ]!);
}

function onRawRead(this: StreamHandle): void {
  (this as OwnedRaw).transport.rawArrived(state[READ]!);
}

function onWritten(this: OwnedWrite, status: number): void {
  this.transport.written(status);
}

function onHandshakeStart(this: TlsHandle): void {}

function onHandshakeDone(this: TlsHandle): void {
  (this as OwnedHandle).transport.handshakeDone();
}

function onError(this: TlsHandle, error: Error): void {
  (this as OwnedHandle).transport.broken(tlsErrorCode(error));
}

function onNewSession(this: TlsHandle, _id: Buffer, session: Buffer): void {
  (this as OwnedHandle).transport.sessionArrived(session);
}

function onShutdown(): void {}

/** Views of the first bytes of `encrypted`, by length: most requests are short, and a view costs as much as a read. */
const LARGEST_VIEW = 2048;
const views: (Buffer | undefined)[] = Array.from({ length: LARGEST_VIEW });

function newView(length: number): Buffer {
  return (views[length] = encrypted.subarray(0, length));
}

export class TlsTransport implements Transport {
  handler: ByteStreamHandler = IGNORE;
  closed = false;
  readonly secure = true;
  /** The protocol that both sides have negotiated, or null. */
  protocol: string | null = null;
  #observer: HandshakeObserver | null;
  /** Told of new sessions; null: a server has none to tell. It must not keep the handshake's memory. */
  readonly #sessions: HandshakeObserver | null;
  readonly #handle: OwnedHandle;
  /** The handle below. It and OpenSSL's refer to each other here only. */
  readonly #raw: StreamHandle;
  /** Two, used in turn: the last write's is in use until its report has returned. */
  #request: OwnedWrite | null = null;
  #lastRequest: OwnedWrite | null = null;
  /** A write has been given to OpenSSL and is not yet reported as written. */
  #writing = false;
  /** A write is being given to OpenSSL. */
  #calling = false;
  /** The kernel had all of that write at once. */
  #taken = true;
  /** What was written meanwhile: texts and bytes. */
  #queue: (string | Buffer)[] = [];
  #ending = false;
  #paused = false;
  /** Bytes that arrived after `pause`. */
  #kept: Buffer[] = [];
  #delivering = false;
  #ended = false;
  #told: ByteStreamHandler | null = null;
  readonly #gate = new RecordGate();
  /** Encrypted bytes that OpenSSL gets in the next turn. */
  #unfed: Buffer | null = null;
  #feeding = false;
  /** Records since bytes were last decrypted. */
  #fruitless = 0;
  readonly #addresses: TransportAddresses;

  /** `raw`: a connected handle that nothing else uses. */
  constructor(raw: StreamHandle, addresses: TransportAddresses, options: TlsOptions, observer: HandshakeObserver) {
    const { context, server, alpn, serverName, session, clientCertificate } = options;
    this.#observer = observer;
    this.#sessions = server ? null : observer;
    this.#addresses = addresses;
    this.#raw = raw;
    const handle = handles!.wrapTls(raw, context, server) as OwnedHandle;
    this.#handle = handle;
    handle.transport = this;
    const owned = raw as OwnedRaw;
    // Node frees the one that nothing refers to, while the other still uses it.
    owned.tls = handle;
    owned.transport = this;
    // On top of OpenSSL's own reading, which has no bound.
    owned.onread = onRawRead;
    owned.useUserBuffer(encrypted);
    handle.onread = onRead as StreamHandle['onread'];
    handle.useUserBuffer(sharedBuffer);
    handle.onhandshakestart = onHandshakeStart;
    handle.onhandshakedone = onHandshakeDone;
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- a native handle, not an EventTarget.
    handle.onerror = onError;
    if (alpn !== null) handle.setALPNProtocols(alpn);
    if (server) handle.setVerifyMode(clientCertificate !== 'none', clientCertificate === 'required');
    else {
      if (serverName !== '') handle.setServername(serverName);
      if (session !== null) handle.setSession(session);
      handle.onnewsession = onNewSession;
      handle.enableSessionCallbacks();
    }
  }

  /** Starts the handshake; it may have failed when this returns. `early`: bytes that have been read already. */
  start(early: Buffer | null): void {
    if (early !== null) this.#feed(early);
    if (this.closed) return;
    if (this.#sessions !== null) this.#handle.start();
    this.#readOn();
  }

  get pending(): boolean {
    return !this.#taken || this.#queue.length > 0;
  }

  get bytesRead(): number {
    return this.#handle.bytesRead;
  }

  get bytesWritten(): number {
    return this.#handle.bytesWritten;
  }

  /** In bytes of the encrypted stream. */
  get bytesSent(): number {
    return this.#raw.bytesWritten - this.#raw.writeQueueSize;
  }

  writeText(text: string): boolean {
    if (this.closed) return true;
    if (this.#writing) this.#queue.push(text);
    else {
      const before = this.#begin();
      this.#write(text.length, before, this.#handle.writeLatin1String(this.#nextRequest(), text));
    }
    return !this.pending;
  }

  write(prefix: string, bytes: Buffer, start: number, end: number, suffix: string): boolean {
    if (this.closed) return true;
    const size = end - start;
    if (size <= ONE_RECORD) return this.writeText(prefix + bytes.toString('latin1', start, end) + suffix);
    const part = bytes.subarray(start, end);
    if (this.#writing) {
      if (prefix !== '') this.#queue.push(prefix);
      this.#queue.push(part);
      if (suffix !== '') this.#queue.push(suffix);
    } else if (prefix === '' && suffix === '') this.#writeBytes(part);
    else {
      const parts: (string | Buffer)[] = [part];
      if (prefix !== '') parts.unshift(prefix);
      if (suffix !== '') parts.push(suffix);
      this.#writeParts(parts, size + prefix.length + suffix.length);
    }
    return !this.pending;
  }

  pause(): void {
    if (this.#paused || this.closed) return;
    this.#paused = true;
    this.#handle.readStop();
  }

  resume(): void {
    if (this.closed) return;
    if (this.#kept.length > 0 || this.#ended) {
      this.#paused = false;
      if (this.#delivering || (this.#kept.length === 0 && this.#told === this.handler)) return;
      this.#delivering = true;
      process.nextTick(deliver, this);
      return;
    }
    if (!this.#paused) return;
    this.#paused = false;
    this.#readOn();
  }

  end(): void {
    if (this.closed || this.#ending) return;
    this.#ending = true;
    if (!this.#writing) this.#shutdown();
  }

  /** Says farewell (close_notify, RFC 8446 §6.1) where no bytes are lost anyway. */
  destroy(): void {
    if (this.closed) return;
    if (this.#observer === null && !this.pending && !this.#ending) this.#shutdown();
    this.#close();
  }

  reset(): void {
    if (this.closed) return;
    this.#release();
    const free = this.#freer();
    if (this.#raw.reset === undefined || this.#raw.reset(free) !== 0) this.#raw.close(free);
  }

  addresses(): TransportAddresses {
    return this.#addresses;
  }

  // === for the callbacks of the handle only

  arrived(count: number): void {
    if (this.closed) return;
    if (count > 0) {
      this.#fruitless = 0;
      // OpenSSL overwrites the shared buffer with the rest of what it has decrypted.
      if (this.#paused || this.#kept.length > 0) this.#kept.push(Buffer.from(sharedBuffer.subarray(0, count)));
      else this.handler.onBytes(sharedBuffer, 0, count);
    } else if (count === UV_EOF) {
      if (this.#observer !== null) {
        this.broken('ECONNRESET');
        return;
      }
      this.#ended = true;
      this.#handle.readStop();
      if (this.#kept.length === 0) this.tellEnd();
    } else if (count < 0) this.broken(getSystemErrorName(count));
  }

  tellEnd(): void {
    if (this.closed || this.#told === this.handler) return;
    this.#told = this.handler;
    this.handler.onEnd();
  }

  written(status: number): void {
    this.#writing = false;
    if (this.closed) return;
    if (status < 0) {
      this.broken(getSystemErrorName(status));
      return;
    }
    const waited = !this.#taken;
    this.#taken = true;
    if (this.#queue.length > 0) {
      this.#writeQueue();
      if (this.pending || this.closed) return;
    } else {
      if (this.#ending) this.#shutdown();
      if (!waited) return;
    }
    this.handler.onDrain();
  }

  /** A write failed at once. */
  failed(code: string): void {
    if (!this.closed) this.broken(code);
  }

  broken(code: string): void {
    if (this.closed) return;
    // OpenSSL finds out within a write.
    if (this.#calling) {
      process.nextTick(reportBroken, this, code);
      return;
    }
    const observer = this.#observer;
    this.#close();
    if (observer !== null) observer.onHandshakeFailed(code);
    else this.handler.onClose(code);
  }

  handshakeDone(): void {
    const observer = this.#observer;
    // A renegotiation, which the context forbids, or a message after the handshake.
    if (observer === null || this.closed) return;
    this.#observer = null;
    const handle = this.#handle;
    const protocol = handle.getALPNNegotiatedProtocol();
    this.protocol = protocol === false ? null : protocol;
    observer.onSecured(this, handle);
  }

  sessionArrived(session: Buffer): void {
    if (!this.closed) this.#sessions?.onSession?.(session);
  }

  deliver(): void {
    this.#delivering = false;
    while (this.#kept.length > 0) {
      if (this.closed || this.#paused) return;
      const bytes = this.#kept.shift()!;
      this.handler.onBytes(bytes, 0, bytes.length);
    }
    if (this.closed || this.#paused) return;
    if (this.#ended) this.tellEnd();
    else this.#readOn();
  }

  // === reads

  rawArrived(count: number): void {
    if (this.closed) return;
    if (count <= 0) this.arrived(count);
    else if (count < LARGEST_VIEW && this.#gate.isOneRecord(encrypted, count)) {
      this.#fruitless++;
      this.#handle.receive(views[count] ?? newView(count));
      this.#boundFruitless();
    } else this.#feed(encrypted.subarray(0, count));
  }

  #feed(bytes: Buffer): void {
    const end = this.#gate.pass(bytes, RECORDS_AT_ONCE);
    this.#fruitless += this.#gate.begun;
    let part = bytes;
    if (end < bytes.length) {
      this.#unfed = Buffer.from(bytes.subarray(end));
      part = bytes.subarray(0, end);
      this.#raw.readStop();
      this.#feedLater();
    }
    this.#handle.receive(part);
    this.#boundFruitless();
  }

  #boundFruitless(): void {
    // A handshake has its own bounds.
    if (this.#fruitless > MOST_FRUITLESS && this.#observer === null && !this.closed)
      this.broken('tls_records_without_data');
  }

  #feedLater(): void {
    if (this.#feeding) return;
    this.#feeding = true;
    setImmediate(feedOn, this);
  }

  feedOn(): void {
    this.#feeding = false;
    const bytes = this.#unfed;
    if (this.closed || this.#paused || bytes === null) return;
    this.#unfed = null;
    this.#feed(bytes);
    if (!this.closed && !this.#paused && this.#unfed === null && !this.#ended) this.#handle.readStart();
  }

  #readOn(): void {
    if (this.#unfed === null) this.#handle.readStart();
    else this.#feedLater();
  }

  // === writes

  #writeQueue(): void {
    const parts = this.#queue;
    this.#queue = [];
    if (parts.every((part) => typeof part === 'string')) this.writeText(parts.join(''));
    else if (parts.length === 1) this.#writeBytes(parts[0] as Buffer);
    else
      this.#writeParts(
        parts,
        parts.reduce((sum, part) => sum + part.length, 0),
      );
  }

  #nextRequest(): OwnedWrite {
    const request = this.#request ?? this.#newRequest();
    this.#request = this.#lastRequest;
    this.#lastRequest = request;
    return request;
  }

  #newRequest(): OwnedWrite {
    const request = new handles!.WriteWrap() as OwnedWrite;
    request.transport = this;
    request.oncomplete = onWritten;
    return request;
  }

  #writeBytes(bytes: Buffer): void {
    const before = this.#begin();
    this.#write(bytes.length, before, this.#handle.writeBuffer(this.#nextRequest(), bytes));
  }

  #writeParts(parts: readonly (string | Buffer)[], size: number): void {
    const chunks: unknown[] = [];
    for (const part of parts) chunks.push(part, typeof part === 'string' ? 'latin1' : 'buffer');
    const before = this.#begin();
    this.#write(size, before, this.#handle.writev(this.#nextRequest(), chunks, false));
  }

  /** Returns the bytes that the handle below has been given so far. */
  #begin(): number {
    this.#calling = true;
    return this.#raw.bytesWritten;
  }

  /** `before`: as `#begin` returned. */
  #write(size: number, before: number, status: number): void {
    this.#calling = false;
    if (status !== 0) {
      process.nextTick(reportBroken, this, getSystemErrorName(status));
      return;
    }
    this.#writing = true;
    const raw = this.#raw;
    // OpenSSL adds to each write; a handshake's own message may be on its way and hold it up.
    this.#taken = size <= ONE_CALL && raw.bytesWritten - before > size && raw.writeQueueSize === 0;
  }

  #shutdown(): void {
    const request = new handles!.ShutdownWrap();
    request.oncomplete = onShutdown;
    this.#handle.shutdown(request);
  }

  #close(): void {
    this.#release();
    this.#raw.close(this.#freer());
  }

  /** The kernel may still be reading OpenSSL's buffer: it is freed when the handle below is closed, not before. */
  #freer(): () => void {
    const handle = this.#handle;
    return () => handle.destroySSL();
  }

  #release(): void {
    this.closed = true;
    this.#queue = [];
    this.#kept = [];
    this.#unfed = null;
  }
}

/** Texts of this size fit into one record; a copy costs less than a view. The shared buffer is not larger: it is copied. */
const ONE_RECORD = 16 * 1024;

function feedOn(transport: TlsTransport): void {
  transport.feedOn();
}

function deliver(transport: TlsTransport): void {
  transport.deliver();
}

function reportBroken(transport: TlsTransport, code: string): void {
  transport.failed(code);
}
