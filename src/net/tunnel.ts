/**
 * Joins two byte streams: bytes from one go to the other, until both have ended. Hot.
 *
 * proxy/relay.ts (TCP listeners) and proxy/upgrade.ts (after a 101) create tunnels. A half-close is passed on: one side
 * may have finished sending while the other continues. A side that takes bytes slowly pauses reading from the other.
 */
import { NOWHERE } from '../kit/places.ts';
import type { ByteStream, ByteStreamHandler } from './byte-stream.ts';
import type { Deadlines, Timed } from './deadlines.ts';
import { SendWatch, STALLED } from './send-watch.ts';

export interface TunnelObserver {
  /** Both sides are closed. `code` is '' if both ended normally, else the cause. Called once. */
  onTunnelClosed(code: string): void;
}

/** The bytes from one side on their way to the other. */
export interface TunnelFlow {
  /** Receives the bytes instead of the other side, and passes on those that should go there. null for none. */
  watcher: TunnelWatcher | null;
  pass(bytes: Buffer, start: number, end: number): void;
}

export interface TunnelWatcher {
  onBytes(bytes: Buffer, start: number, end: number): void;
}

export class Tunnel implements Timed {
  // Initialized as a number, as in http/h1/server.ts.
  deadline = Number.POSITIVE_INFINITY;
  timedPlace = NOWHERE;
  /** Milliseconds without a byte in either direction after which the tunnel closes; Infinity: never. */
  idle: number;
  readonly #client: TunnelSide;
  readonly #upstream: TunnelSide;
  readonly #deadlines: Deadlines;
  readonly #observer: TunnelObserver;
  #closed = false;
  /** Why the tunnel is about to end, or ''. */
  #ending = '';

  constructor(client: ByteStream, upstream: ByteStream, deadlines: Deadlines, idle: number, observer: TunnelObserver) {
    this.#deadlines = deadlines;
    this.idle = idle;
    this.#observer = observer;
    this.deadline = deadlines.now + idle;
    this.#client = new TunnelSide(this, client);
    this.#upstream = new TunnelSide(this, upstream);
    this.#client.peer = this.#upstream;
    this.#upstream.peer = this.#client;
    client.handler = this.#client;
    upstream.handler = this.#upstream;
    deadlines.add(this);
  }

  get bytesFromClient(): number {
    return this.#client.bytes;
  }

  get bytesFromUpstream(): number {
    return this.#upstream.bytes;
  }

  /** Starts the transfer. Each side is read once the other has taken what was written to it before. */
  start(): void {
    this.#client.start();
    this.#upstream.start();
  }

  onDeadline(): void {
    if (this.#ending !== '') {
      this.close(this.#ending);
      return;
    }
    // A side that takes bytes slowly is not idle, even if the other side sends none meanwhile.
    const next = Math.min(this.#client.lookAt(this.idle), this.#upstream.lookAt(this.idle));
    if (next === Number.POSITIVE_INFINITY) this.close('idle_timeout');
    else this.deadline = next;
  }

  get fromClient(): TunnelFlow {
    return this.#client;
  }

  get fromUpstream(): TunnelFlow {
    return this.#upstream;
  }

  /** Gives both sides `ms` milliseconds to end by themselves. */
  expire(ms: number, code: string): void {
    this.#ending = code;
    this.deadline = this.#deadlines.now + ms;
  }

  /** Closes both sides now. */
  close(code: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#deadlines.delete(this);
    if (code === '') {
      this.#client.stream.destroy();
      this.#upstream.stream.destroy();
    } else {
      // So that neither side takes a broken stream for a complete one.
      this.#client.stream.reset();
      this.#upstream.stream.reset();
    }
    this.#observer.onTunnelClosed(code);
  }

  /** For its sides only. */
  touched(): void {
    if (this.#ending === '') this.deadline = this.#deadlines.now + this.idle;
  }

  /** For its sides only: one of them has not taken all written bytes. */
  waits(watch: SendWatch | null, stream: ByteStream): SendWatch {
    const watching = watch ?? new SendWatch(stream, this.#deadlines);
    const look = watching.start(this.idle);
    if (this.#ending === '') this.deadline = look;
    return watching;
  }

  /** For its sides only: one of them has ended. */
  ended(): void {
    if (this.#client.finished && this.#upstream.finished) this.close('');
  }
}

class TunnelSide implements ByteStreamHandler, TunnelFlow {
  readonly stream: ByteStream;
  peer!: TunnelSide;
  watcher: TunnelWatcher | null = null;
  bytes = 0;
  /** This side will send no more; its peer has been told and has taken everything. */
  finished = false;
  #ending = false;
  /** Created when this side first doesn't take all written bytes at once; null until then. */
  #watch: SendWatch | null = null;
  readonly #tunnel: Tunnel;

  constructor(tunnel: Tunnel, stream: ByteStream) {
    this.#tunnel = tunnel;
    this.stream = stream;
  }

  start(): void {
    if (this.peer.stream.pending) this.#rest();
    else this.stream.resume();
  }

  onBytes(bytes: Buffer, start: number, end: number): void {
    this.bytes += end - start;
    this.#tunnel.touched();
    if (this.watcher === null) this.pass(bytes, start, end);
    else this.watcher.onBytes(bytes, start, end);
  }

  pass(bytes: Buffer, start: number, end: number): void {
    if (start >= end || this.peer.stream.write('', bytes, start, end, '')) return;
    this.#rest();
  }

  /** The peer has not taken all bytes: none follow until it has. */
  #rest(): void {
    this.stream.pause();
    this.peer.waits();
  }

  /** This side has not taken all bytes written to it. */
  waits(): void {
    this.#watch = this.#tunnel.waits(this.#watch, this.stream);
  }

  /** When to check the pending bytes again; Infinity if none are pending or the side takes none. */
  lookAt(limit: number): number {
    if (this.#watch === null || !this.stream.pending) return Number.POSITIVE_INFINITY;
    const next = this.#watch.look(limit);
    return next === STALLED ? Number.POSITIVE_INFINITY : next;
  }

  /** This side has taken the peer's bytes. */
  onDrain(): void {
    this.#tunnel.touched();
    this.peer.stream.resume();
    this.peer.settle();
  }

  onEnd(): void {
    this.#ending = true;
    this.peer.stream.end();
    this.settle();
  }

  settle(): void {
    if (!this.#ending || this.finished || this.peer.stream.pending) return;
    this.finished = true;
    this.#tunnel.ended();
  }

  onClose(code: string): void {
    this.#tunnel.close(code);
  }
}
