/**
 * Two transports joined: what comes in on one goes out on the other, until both have ended. Hot.
 *
 * Made by proxy/relay.ts (TCP listeners) and proxy/upgrade.ts (after a 101). Half-close is passed on: one side may have
 * finished speaking while the other goes on. A side that takes bytes slowly stops the other from being read.
 */
import { NOWHERE } from '../kit/places.ts';
import type { Deadlines, Timed } from './deadlines.ts';
import { SendWatch, STALLED } from './send-watch.ts';
import type { Transport, TransportHandler } from './transport.ts';

export interface TunnelObserver {
  /** Both sides are closed. `code`: '' if both ended in good order, else what broke it. Called once. */
  onTunnelClosed(code: string): void;
}

/** What comes from one side, on its way to the other. */
export interface TunnelFlow {
  /** Who is given the bytes in place of the other side, and passes on what shall come there. null: nobody. */
  watcher: TunnelWatcher | null;
  pass(bytes: Buffer, start: number, end: number): void;
}

export interface TunnelWatcher {
  onBytes(bytes: Buffer, start: number, end: number): void;
}

export class Tunnel implements Timed {
  // A number from the start, as in http/h1/server.ts.
  deadline = Number.POSITIVE_INFINITY;
  timedPlace = NOWHERE;
  /** Milliseconds without a byte in either direction after which the tunnel is closed; Infinity: it is not. */
  idle: number;
  readonly #client: TunnelSide;
  readonly #upstream: TunnelSide;
  readonly #deadlines: Deadlines;
  readonly #observer: TunnelObserver;
  #closed = false;
  /** Why it is about to end, or ''. */
  #ending = '';

  constructor(client: Transport, upstream: Transport, deadlines: Deadlines, idle: number, observer: TunnelObserver) {
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

  /** Begins to move bytes; what either side had already sent goes first. */
  start(fromClient: Buffer, fromUpstream: Buffer): void {
    if (fromClient.length > 0) this.#client.onBytes(fromClient, 0, fromClient.length);
    if (fromUpstream.length > 0) this.#upstream.onBytes(fromUpstream, 0, fromUpstream.length);
    if (!this.#upstream.transport.pending) this.#client.transport.resume();
    if (!this.#client.transport.pending) this.#upstream.transport.resume();
  }

  onDeadline(): void {
    if (this.#ending !== '') {
      this.close(this.#ending);
      return;
    }
    // A side that takes bytes slowly is not idle, though none may come from the other meanwhile.
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

  /** Gives both sides so many ms to end by themselves. */
  expire(ms: number, code: string): void {
    this.#ending = code;
    this.deadline = this.#deadlines.now + ms;
  }

  /** Ends both sides now. */
  close(code: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#deadlines.delete(this);
    if (code === '') {
      this.#client.transport.destroy();
      this.#upstream.transport.destroy();
    } else {
      // So that neither side takes a broken stream for a finished one.
      this.#client.transport.reset();
      this.#upstream.transport.reset();
    }
    this.#observer.onTunnelClosed(code);
  }

  /** For its sides only. */
  touched(): void {
    if (this.#ending === '') this.deadline = this.#deadlines.now + this.idle;
  }

  /** For its sides only: one of them has not taken all that was written to it. */
  waits(watch: SendWatch | null, transport: Transport): SendWatch {
    const watching = watch ?? new SendWatch(transport, this.#deadlines);
    const look = watching.start(this.idle);
    if (this.#ending === '') this.deadline = look;
    return watching;
  }

  /** For its sides only: one of them has ended. */
  ended(): void {
    if (this.#client.finished && this.#upstream.finished) this.close('');
  }
}

class TunnelSide implements TransportHandler, TunnelFlow {
  readonly transport: Transport;
  peer!: TunnelSide;
  watcher: TunnelWatcher | null = null;
  bytes = 0;
  /** It will send no more, and its peer has been told so and has taken everything. */
  finished = false;
  #ending = false;
  /** null: it has always taken at once what was written. */
  #watch: SendWatch | null = null;
  readonly #tunnel: Tunnel;

  constructor(tunnel: Tunnel, transport: Transport) {
    this.#tunnel = tunnel;
    this.transport = transport;
  }

  onBytes(bytes: Buffer, start: number, end: number): void {
    this.bytes += end - start;
    this.#tunnel.touched();
    if (this.watcher === null) this.pass(bytes, start, end);
    else this.watcher.onBytes(bytes, start, end);
  }

  pass(bytes: Buffer, start: number, end: number): void {
    if (start >= end || this.peer.transport.write('', bytes, start, end, '')) return;
    this.transport.pause();
    this.peer.waits();
  }

  /** Not all that was written here has been taken. */
  waits(): void {
    this.#watch = this.#tunnel.waits(this.#watch, this.transport);
  }

  /** When to look again whether it takes what waits for it; Infinity: nothing waits, or it takes nothing. */
  lookAt(limit: number): number {
    if (this.#watch === null || !this.transport.pending) return Number.POSITIVE_INFINITY;
    const next = this.#watch.look(limit);
    return next === STALLED ? Number.POSITIVE_INFINITY : next;
  }

  /** What came from the peer has been taken here. */
  onDrain(): void {
    this.#tunnel.touched();
    this.peer.transport.resume();
    this.peer.settle();
  }

  onEnd(): void {
    this.#ending = true;
    this.peer.transport.end();
    this.settle();
  }

  settle(): void {
    if (!this.#ending || this.finished || this.peer.transport.pending) return;
    this.finished = true;
    this.#tunnel.ended();
  }

  onClose(code: string): void {
    this.#tunnel.close(code);
  }
}
