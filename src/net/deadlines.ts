/**
 * Deadlines for many connections at the cost of one number each. Hot.
 *
 * Setting or clearing a deadline is an assignment; one timer checks all of them ten times a second. Time here is coarse
 * on purpose: reading it costs nothing, and no timeout in a gateway needs to be exact to 100 ms.
 */
import type { Clock, Timer } from '../kit/clock.ts';
import { NOWHERE, Places } from '../kit/places.ts';

/** Milliseconds between two checks. */
const PERIOD = 100;
/** Milliseconds since the last check after which the event loop counts as delayed. */
const HELD_UP = 3 * PERIOD;

/** Converts a configured timeout to a duration in ms; 0 means no timeout. */
export function limitOf(ms: number): number {
  return ms === 0 ? Number.POSITIVE_INFINITY : ms;
}

export interface Timed {
  /** Monotonic ms at which `onDeadline` is due; Infinity: never. */
  deadline: number;
  /** Its place in `Deadlines`; NOWHERE while it is not in there. */
  timedPlace: number;
  /** Called when the deadline has passed. Must set or clear `deadline`, or it is called again. */
  onDeadline(): void;
}

export class Deadlines {
  /** Monotonic ms at the last check. */
  now: number;
  readonly #timed = new Places<Timed>();
  readonly #clock: Clock;
  #timer: Timer | null = null;
  /** The last check was late, so it expired no deadlines. */
  #waited = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.now = clock.now();
  }

  add(timed: Timed): void {
    if (timed.timedPlace !== NOWHERE) return;
    timed.timedPlace = this.#timed.enter(timed);
    if (this.#timer !== null) return;
    this.now = this.#clock.now();
    this.#timer = this.#clock.every(PERIOD, () => this.#look());
  }

  delete(timed: Timed): void {
    if (timed.timedPlace === NOWHERE) return;
    this.#timed.leave(timed.timedPlace);
    timed.timedPlace = NOWHERE;
    if (this.#timed.size > 0 || this.#timer === null) return;
    this.#timer.cancel();
    this.#timer = null;
  }

  /** For leak checks. */
  get size(): number {
    return this.#timed.size;
  }

  #look(): void {
    const now = this.#clock.now();
    // Timers run before I/O in a turn of the event loop. Bytes that arrived in time while the loop was delayed are
    // still unread; they are read before the next check. Only one check in a row is skipped, or a loop that is always
    // late would never expire anything.
    this.#waited = !this.#waited && now - this.now > HELD_UP;
    this.now = now;
    if (this.#waited) return;
    const timed = this.#timed;
    for (let place = 0; place < timed.length; place++) {
      const one = timed.at(place);
      if (one !== null && one.deadline <= now) one.onDeadline();
    }
  }
}
