/**
 * Deadlines for many connections at the cost of one number each. Hot.
 *
 * Setting or clearing a deadline is an assignment; one timer looks at all of them ten times a second. Time here is
 * coarse on purpose: reading it costs nothing, and no timeout in a gateway needs to be exact to 100 ms.
 */
import type { Clock, Timer } from '../kit/clock.ts';
import { NOWHERE, Places } from '../kit/places.ts';

/** Milliseconds between two looks. */
const PERIOD = 100;
/** Milliseconds since the last look after which the loop has been held up. */
const HELD_UP = 3 * PERIOD;

/** A configured timeout as ms to add to the time: 0 is none. */
export function limitOf(ms: number): number {
  return ms === 0 ? Number.POSITIVE_INFINITY : ms;
}

export interface Timed {
  /** Monotonic ms at which `onDeadline` is due; Infinity: never. */
  deadline: number;
  /** Where `Deadlines` keeps it; NOWHERE before and after. */
  timedPlace: number;
  /** Due. Set or clear `deadline` here, or it is called again. */
  onDeadline(): void;
}

export class Deadlines {
  /** Monotonic ms, as of the last look. */
  now: number;
  readonly #timed = new Places<Timed>();
  readonly #clock: Clock;
  #timer: Timer | null = null;
  /** The last look judged nobody, since it was late. */
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
    // Timers come before bytes in a turn of the loop. What arrived in time while the loop was held up lies unread: it
    // is read before the next look judges. Once in a row, or a loop that is always late would never judge.
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
