/** A request hook that takes its time: its deadline, and the signal that tells it of the end. Hot where there is one. */
import { NOWHERE } from '../kit/places.ts';
import type { Deadlines, Timed } from '../net/deadlines.ts';

export class PendingHook implements Timed {
  /** Monotonic ms. */
  readonly deadline: number;
  timedPlace = NOWHERE;
  readonly #deadlines: Deadlines;
  readonly #late: () => void;

  /** `timeout`: ms; Infinity: no limit. `late`: called when that has passed. */
  constructor(deadlines: Deadlines, now: number, timeout: number, late: () => void) {
    this.#deadlines = deadlines;
    this.#late = late;
    this.deadline = now + timeout;
    if (timeout !== Number.POSITIVE_INFINITY) deadlines.add(this);
  }

  onDeadline(): void {
    this.#late();
  }

  /** It is not waited for any more. */
  over(): void {
    this.#deadlines.delete(this);
  }
}
