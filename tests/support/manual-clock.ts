/** A clock that stands still until it is told to go on. */
import type { Clock, Timer } from '../../src/kit/clock.ts';

interface Waiting extends Timer {
  readonly at: number;
  readonly every: number;
  readonly due: () => void;
}

export class ManualClock implements Clock {
  #now = 1000;
  readonly #waiting = new Set<Waiting>();

  now(): number {
    return this.#now;
  }

  wall(): number {
    return Date.UTC(2026, 0, 1) + this.#now;
  }

  after(ms: number, due: () => void): Timer {
    return this.#add(this.#now + ms, 0, due);
  }

  every(ms: number, due: () => void): Timer {
    return this.#add(this.#now + ms, ms, due);
  }

  /** Goes on by `ms`; whatever is due on the way happens in its order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = [...this.#waiting].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#waiting.delete(next);
      this.#now = next.at;
      if (next.every > 0) this.#renew(next);
      next.due();
    }
    this.#now = end;
  }

  /** Milliseconds until something is due; Infinity: nothing is. */
  get next(): number {
    return Math.min(...[...this.#waiting].map(({ at }) => at)) - this.#now;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  #add(at: number, every: number, due: () => void): Timer {
    const timer: Waiting = { at, every, due, cancel: () => this.#cancel(timer) };
    this.#waiting.add(timer);
    return timer;
  }

  /** The same timer, due again: whoever holds it can still cancel it. */
  #renew(timer: Waiting): void {
    Object.assign(timer, { at: timer.at + timer.every });
    this.#waiting.add(timer);
  }

  #cancel(timer: Waiting): void {
    this.#waiting.delete(timer);
  }
}
