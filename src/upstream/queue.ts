/** The queue of waiters for room at a pool, bounded in length and time. Hot only when a pool is full. */
import { NOWHERE } from '../kit/places.ts';
import type { Deadlines, Timed } from '../net/deadlines.ts';
import type { QueuePlan } from '../plan/types/pool.ts';

export interface Waiter {
  /** It does not accept every endpoint, so an endpoint that it refuses may suit the next waiter. */
  readonly choosy: boolean;
  /** There may be room: returns true if the waiter proceeded, false if it found none and stays in the queue. */
  admitted(): boolean;
  /** Its queue timeout has expired. */
  gaveUp(): void;
}

/** A place in the queue. */
export interface Place {
  leave(): void;
}

class Waiting implements Timed, Place {
  readonly waiter: Waiter;
  readonly deadline: number;
  timedPlace = NOWHERE;
  readonly #queue: Queue;
  /** Its neighbours; cleared when it leaves, so that a finished waiter keeps nothing alive. */
  before: Waiting | null = null;
  behind: Waiting | null = null;
  /** It is in the queue. */
  waits = true;

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
  /** A linked list in order of arrival. */
  #first: Waiting | null = null;
  #last: Waiting | null = null;
  #length = 0;
  #plan: QueuePlan;
  #waking = false;

  constructor(plan: QueuePlan, deadlines: Deadlines) {
    this.#plan = plan;
    this.#deadlines = deadlines;
  }

  get length(): number {
    return this.#length;
  }

  tune(plan: QueuePlan): void {
    this.#plan = plan;
  }

  /** null: the queue is full. */
  enter(waiter: Waiter): Place | null {
    const { depth, wait } = this.#plan;
    if (this.#length >= depth) return null;
    const waiting = new Waiting(waiter, this.#deadlines.now + wait, this);
    waiting.before = this.#last;
    if (this.#last === null) this.#first = waiting;
    else this.#last.behind = waiting;
    this.#last = waiting;
    this.#length++;
    this.#deadlines.add(waiting);
    return waiting;
  }

  remove(waiting: Waiting): void {
    if (!waiting.waits) return;
    waiting.waits = false;
    const { before, behind } = waiting;
    if (before === null) this.#first = behind;
    else before.behind = behind;
    if (behind === null) this.#last = before;
    else behind.before = before;
    waiting.before = null;
    waiting.behind = null;
    this.#length--;
    this.#deadlines.delete(waiting);
  }

  /** There may be room: admits as many waiters as find some. */
  wake(): void {
    // An admitted waiter may fail at once and free its slot again: the loop handles that too.
    if (this.#waking) return;
    this.#waking = true;
    for (let next = this.#next(); next !== null; next = this.#next()) {
      if (next.waiter.admitted()) this.remove(next);
      else if (!next.waiter.choosy) break;
      else if (!this.#wakeBehind(next)) break;
    }
    this.#waking = false;
  }

  /** The next waiter, or null. */
  #next(): Waiting | null {
    const { depth, order } = this.#plan;
    return order === 'adaptive_lifo' && this.#length > depth / 2 ? this.#last : this.#first;
  }

  /** The next waiter refused the free slot. Was another one admitted? */
  #wakeBehind(first: Waiting): boolean {
    // A waiter that leaves during its call ends the search: the slot that it frees wakes the queue again.
    for (let waiting = this.#first; waiting !== null; waiting = waiting.behind) {
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
