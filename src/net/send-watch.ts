/**
 * Detects whether a peer takes written data, measured in bytes rather than whole writes. Cold: for slow peers.
 *
 *     start ──▶ look ── bytes were taken, or that is not known yet ──▶ look again after a quarter of the limit
 *                 └──── none were taken for the whole limit ──▶ stalled
 *
 * A connection creates it when its peer first leaves bytes pending; its owner's deadline says when to look. The bytes
 * that have left the gateway are visible at once. If they do not change, the kernel is asked for its queue
 * (send-queues.ts), unless the stream shares its connection. The first answer says nothing about the time before it, so
 * a peer that takes nothing at all is disconnected after up to 1.25 times the limit.
 */
import type { ByteStream } from './byte-stream.ts';
import type { Deadlines } from './deadlines.ts';
import { type QueueTaker, type SendQueues, sendQueues } from './send-queues.ts';

/** The peer has taken nothing for too long. */
export const STALLED = -1;

/** From this step on, looks happen at whole seconds, so that many peers share one reading of the kernel's lists. */
const SHARED = 1000;
/** Milliseconds until the next look while a query to the kernel is open. */
const SOON = 100;

export class SendWatch implements QueueTaker {
  readonly #stream: ByteStream;
  readonly #deadlines: Deadlines;
  readonly #queues: SendQueues;
  /** Monotonic ms when bytes were last seen to be taken, or when the watch began. */
  #since = 0;
  /** Bytes that had left then. */
  #sent = 0;
  /** Bytes that the peer is known to have acknowledged; -1 if unknown. */
  #acknowledged = -1;
  /** When the last answered query and the open one were made; -1 for none. */
  #answered = -1;
  #asking = -1;
  /** The kernel does not report its queue, or not the part of this stream. */
  #blind = false;

  constructor(stream: ByteStream, deadlines: Deadlines, queues: SendQueues = sendQueues) {
    this.#stream = stream;
    this.#deadlines = deadlines;
    this.#queues = queues;
  }

  /** Starts after a write that does not complete at once. Returns when to look. `limit` is in ms. */
  start(limit: number): number {
    this.#since = this.#deadlines.now;
    this.#sent = this.#stream.bytesSent;
    return this.#next(limit);
  }

  /** Returns when to look again, or STALLED. */
  look(limit: number): number {
    const { now } = this.#deadlines;
    const sent = this.#stream.bytesSent;
    if (sent > this.#sent) {
      this.#sent = sent;
      this.#since = now;
      return this.#next(limit);
    }
    if (now - this.#since >= limit && (this.#blind || this.#answered >= this.#since + limit)) return STALLED;
    if (this.#asking < 0 && !this.#blind) {
      const addresses = this.#stream.addresses();
      this.#blind = addresses === null || !this.#queues.ask(addresses, this);
      if (!this.#blind) this.#asking = now;
    }
    return this.#next(limit);
  }

  onSendQueue(bytes: number): void {
    this.#answered = this.#asking;
    this.#asking = -1;
    if (this.#stream.closed) return;
    if (bytes < 0) {
      this.#blind = true;
      return;
    }
    const acknowledged = this.#stream.bytesSent - bytes;
    if (acknowledged > this.#acknowledged) this.#since = Math.max(this.#since, this.#answered);
    this.#acknowledged = acknowledged;
  }

  #next(limit: number): number {
    const { now } = this.#deadlines;
    const due = this.#since + limit;
    if (due <= now) return now + SOON;
    const step = limit / 4;
    const next = step < SHARED ? now + step : Math.ceil((now + step) / SHARED) * SHARED;
    return Math.min(next, due);
  }
}
