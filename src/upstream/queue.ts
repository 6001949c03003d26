/** Those who wait for room at a pool, bounded in number and time. Hot only when a pool is full. */
import type { Deadlines, Timed } from '../net/deadlines.ts';
import type { QueuePlan } from '../plan/types.ts';

export interface Waiter {
  /** It would not go to every endpoint: what it does not take may be for the next. */
  readonly choosy: boolean;
  /** There may be room: true if it went on its way, false if it found none and waits on. */
  admitted(): boolean;
  /** It has waited long enough. */
  gaveUp(): void;
}

/** A place in the queue. */
export interface Place {
  leave(): void;
}

class Waiting implements Timed, Place {
  readonly waiter: Waiter;
  readonly deadline: number;
  readonly #queue: Queue;

  constructor(waiter: Waiter, deadline: number, queue: Queue) {
    this.waiter = waiter;
    this.deadline = deadline;
    this.#queue = queue;
  }

  onDeadline(): void {
    this.leave();
    this.waiter.gaveUp();
  }

  leave(): void {
    this.#queue.remove(this);
  }
}

export class Queue {
  readonly #deadlines: Deadlines;
  /** In the order of their coming. */
  readonly #waiting = new Set<Waiting>();
  #plan: QueuePlan;
  #waking = false;

  constructor(plan: QueuePlan, deadlines: Deadlines) {
    this.#plan = plan;
    this.#deadlines = deadlines;
  }

  get length(): number {
    return this.#waiting.size;
  }

  tune(plan: QueuePlan): void {
    this.#plan = plan;
  }

  /** Null: it is full. */
  enter(waiter: Waiter): Place | null {
    const { depth, wait } = this.#plan;
    if (this.#waiting.size >= depth) return null;
    const waiting = new Waiting(waiter, this.#deadlines.now + wait, this);
    this.#waiting.add(waiting);
    this.#deadlines.add(waiting);
    return waiting;
  }

  remove(waiting: Waiting): void {
    if (this.#waiting.delete(waiting)) this.#deadlines.delete(waiting);
  }

  /** Room may have been made. Lets as many in as find some. */
  wake(): void {
    // One that is let in may fail at once and so make room again: the loop sees to that too.
    if (this.#waking) return;
    this.#waking = true;
    for (let next = this.#next(); next !== null; next = this.#next()) {
      if (next.waiter.admitted()) this.remove(next);
      else if (!next.waiter.choosy) break;
      else if (!this.#wakeBehind(next)) break;
    }
    this.#waking = false;
  }

  /** Who is next, or null. */
  #next(): Waiting | null {
    const { depth, order } = this.#plan;
    const overloaded = order === 'adaptive_lifo' && this.#waiting.size > depth / 2;
    return (overloaded ? [...this.#waiting].at(-1) : this.#waiting.values().next().value) ?? null;
  }

  /** The one whose turn it is does not take what there is. Did another? */
  #wakeBehind(first: Waiting): boolean {
    for (const waiting of this.#waiting) {
      if (waiting === first) continue;
      if (waiting.waiter.admitted()) {
        this.remove(waiting);
        return true;
      }
      if (!waiting.waiter.choosy) return false;
    }
    return false;
  }
}
