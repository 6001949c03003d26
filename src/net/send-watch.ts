/**
 * Whether a peer takes what is written to it, judged by bytes and not by whole writes. Cold: for peers that are slow.
 *
 *     start ──▶ look ── it has taken bytes, or that is not known yet ──▶ look again after a quarter of the limit
 *                 └──── it has taken none for the whole limit ──▶ stalled
 *
 * Made by a connection when its peer first leaves bytes waiting; its owner's deadline says when to look. What libuv still
 * holds is seen at once. Where that does not change, the kernel is asked what it holds (send-queues.ts): the first answer
 * says nothing about the time before it, so a peer that takes nothing at all is given up after up to 1.25 times the limit.
 */
import type { Deadlines } from './deadlines.ts';
import { type QueueTaker, type SendQueues, sendQueues } from './send-queues.ts';
import type { Transport } from './transport.ts';

/** The peer has taken nothing for too long. */
export const STALLED = -1;

/** From here on looks come at whole seconds, so that those of many peers share one reading of the kernel's lists. */
const SHARED = 1000;
/** Milliseconds until the next look while the kernel is being asked. */
const SOON = 100;

export class SendWatch implements QueueTaker {
  readonly #transport: Transport;
  readonly #deadlines: Deadlines;
  readonly #queues: SendQueues;
  /** When bytes were last seen to be taken, or it began (monotonic ms). */
  #since = 0;
  /** Bytes that the kernel had taken then. */
  #sent = 0;
  /** Bytes that the peer's system is known to have acknowledged; -1: not known. */
  #acknowledged = -1;
  /** When the kernel was asked what it has last answered, and what it is being asked now; -1: neither. */
  #answered = -1;
  #asking = -1;
  /** The kernel does not tell. */
  #blind = false;

  constructor(transport: Transport, deadlines: Deadlines, queues: SendQueues = sendQueues) {
    this.#transport = transport;
    this.#deadlines = deadlines;
    this.#queues = queues;
  }

  /** Something has been written that does not leave at once. Answers when to look, with a limit in ms. */
  start(limit: number): number {
    this.#since = this.#deadlines.now;
    this.#sent = this.#transport.bytesSent;
    return this.#next(limit);
  }

  /** Answers when to look again, or STALLED. */
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
