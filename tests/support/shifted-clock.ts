/** The system's clock, set forward at will: for what ages. Timers are the system's own; what comes round regularly comes round at once. */
import { type Clock, systemClock, type Timer } from '../../src/kit/clock.ts';

export class ShiftedClock implements Clock {
  #shift = 0;
  readonly #rounds = new Set<() => void>();

  /** Goes forward by `ms`. */
  shift(ms: number): void {
    this.#shift += ms;
    for (const due of this.#rounds) due();
  }

  now(): number {
    return systemClock.now() + this.#shift;
  }

  wall(): number {
    return systemClock.wall() + this.#shift;
  }

  after(ms: number, due: () => void): Timer {
    return systemClock.after(ms, due);
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
