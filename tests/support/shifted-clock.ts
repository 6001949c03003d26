/**
 * The system's clock, set forward at will: for what ages. What comes round regularly comes round at once; timers are the
 * system's own, but for those of a clock that shifts `timers` as well.
 */
import { type Clock, systemClock, type Timer } from '../../src/kit/clock.ts';

interface Waiting {
  readonly at: number;
  readonly fire: () => void;
}

export class ShiftedClock implements Clock {
  #shift = 0;
  readonly #timers: boolean;
  readonly #rounds = new Set<() => void>();
  readonly #waiting = new Set<Waiting>();

  constructor({ timers = false } = {}) {
    this.#timers = timers;
  }

  /** Goes forward by `ms`. */
  shift(ms: number): void {
    this.#shift += ms;
    for (const due of this.#rounds) due();
    const now = this.now();
    const due = [...this.#waiting].filter(({ at }) => at <= now).toSorted((a, b) => a.at - b.at);
    for (const one of due) if (this.#waiting.has(one)) one.fire();
  }

  now(): number {
    return systemClock.now() + this.#shift;
  }

  wall(): number {
    return systemClock.wall() + this.#shift;
  }

  after(ms: number, due: () => void): Timer {
    if (!this.#timers) return systemClock.after(ms, due);
    const waiting: Waiting = {
      at: this.now() + ms,
      fire: () => {
        timer.cancel();
        this.#waiting.delete(waiting);
        due();
      },
    };
    const timer = systemClock.after(ms, waiting.fire);
    this.#waiting.add(waiting);
    return {
      cancel: () => {
        timer.cancel();
        this.#waiting.delete(waiting);
      },
    };
  }

  every(ms: number, due: () => void): Timer {
    const timer = systemClock.every(ms, due);
    this.#rounds.add(due);
    return {
      cancel: () => {
        timer.cancel();
        this.#rounds.delete(due);
      },
    };
  }
}
