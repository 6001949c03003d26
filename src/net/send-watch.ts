/**
 * Detects whether a peer takes written data, measured in bytes rather than whole writes. Cold: for slow peers.
 *
 *     start ──▶ look ── bytes were taken, or that is not known yet ──▶ look again after a quarter of the limit
 *                 └──── none were taken for the whole limit ──▶ stalled
 *
 * A connection creates it when its peer first leaves bytes pending; its owner's deadline says when to look. libuv's
 * queue is visible at once. If that does not change, the kernel is asked for its queue (send-queues.ts). The first
 * answer says nothing about the time before it, so a peer that takes nothing at all is disconnected after up to 1.25
 * times the limit.
 */
import type { Deadlines } from './deadlines.ts';
import { type QueueTaker, type SendQueues, sendQueues } from './send-queues.ts';
import type { Transport } from './transport.ts';

/** The peer has taken nothing for too long. */
export const STALLED = -1;

/** From this step on, looks happen at whole seconds, so that many peers share one reading of the kernel's lists. */
const SHARED = 1000;
/** Milliseconds until the next look while a query to the kernel is open. */
const SOON = 100;

export class SendWatch implements QueueTaker {
  readonly #transport: Transport;
  readonly #deadlines: Deadlines;
  readonly #queues: SendQueues;
  /** Monotonic ms when bytes were last seen to be taken, or when the watch began. */
  #since = 0;
  /** Bytes that the kernel had taken then. */
  #sent = 0;
  /** Bytes that the peer is known to have acknowledged; -1 if unknown. */
  #acknowledged = -1;
  /** When the last answered query and the open one were made; -1 for none. */
  #answered = -1;
  #asking = -1;
  /** The kernel does not report its queue. */
  #blind = false;

  constructor(transport: Transport, deadlines: Deadlines, queues: SendQueues = sendQueues) {
    this.#transport = transport;
    this.#deadlines = deadlines;
    this.#queues = queues;
  }

  /** Starts after a write that does not complete at once. Returns when to look. `limit` is in ms. */
  start(limit: number): number {
    this.#since = this.#deadlines.now;
    this.#sent = this.#transport.bytesSent;
    return this.#next(limit);
  }

  /** Returns when to look again, or STALLED. */
  look(limit: number): number {
    const { now } = this.#deadlines;
    const sent = this.#transport.bytesSent;
    if (sent > this.#sent) {
      this.#sent = sent;
      this.#since = now;
      return this.#next(limit);
    }
    if (now - this.#since >= limit && (this.#blind || this.#answered >= this.#since + limit)) return STALLED;
    if (this.#asking < 0 && !this.#blind) {
      this.#blind = !this.#queues.ask(this.#transport.addresses(), this);
      if (!this.#blind) this.#asking = now;
    }
    return this.#next(limit);
  }

  onSendQueue(bytes: number): void {
    this.#answered = this.#asking;
    this.#asking = -1;
    if (this.#transport.closed) return;
    if (bytes < 0) {
      this.#blind = true;
      return;
    }
    const acknowledged = this.#transport.bytesSent - bytes;
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
