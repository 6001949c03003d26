/** A clock that goes as another does, and leaps when it is told to. */
import type { Clock, Timer } from '../../../src/kit/clock.ts';

export class LeapingClock implements Clock {
  readonly #under: Clock;
  readonly #regular = new Set<() => void>();
  #ahead = 0;

  constructor(under: Clock) {
    this.#under = under;
  }

  now(): number {
    return this.#under.now() + this.#ahead;
  }

  wall(): number {
    return this.#under.wall() + this.#ahead;
  }

  after(ms: number, due: () => void): Timer {
    return this.#under.after(ms, due);
  }

  every(ms: number, due: () => void): Timer {
    const timer = this.#under.every(ms, due);
    this.#regular.add(due);
    return {
      cancel: () => {
        this.#regular.delete(due);
        timer.cancel();
      },
    };
  }

  /** What is done regularly is done once: who keeps the time of its last look would otherwise be left behind. */
  leap(ms: number): void {
    this.#ahead += ms;
    for (const due of this.#regular) due();
  }
}
