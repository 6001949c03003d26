/** Long work in short slices, so that traffic goes on between them. Cold. */
import { setImmediate } from 'node:timers/promises';
import type { Clock } from './clock.ts';

/** Milliseconds of work after which others have their turn: a request that comes meanwhile waits no longer. */
const SLICE = 0.25;
/** Milliseconds that they have then: whoever comes seldom meets a slice, and hardly ever two. */
const PAUSE = 1;
/** Items of a loop that are passed over in one step where each is next to nothing. */
export const FEW = 100;
/** For items that are a microsecond or so of work each: to look at the clock takes its time too. */
export const TINY = 16;

/** Of one piece of work: one for all its loops, since a slice may begin in one of them and end in the next. */
export class TimeSlicer {
  readonly #clock: Clock;
  readonly #urgent: boolean;
  #began: number;

  /** `urgent`: somebody waits for the end of it. The event loop turns after each slice, and it goes on. */
  constructor(clock: Clock, urgent = false) {
    this.#clock = clock;
    this.#urgent = urgent;
    this.#began = clock.now();
  }

  /** Does `work` for each item in order. `stride`: items for which the clock is looked at once. */
  async each<T>(items: Iterable<T>, work: (item: T) => void, stride = 1): Promise<void> {
    let left = stride;
    for (const item of items) {
      work(item);
      if (--left > 0) continue;
      left = stride;
      if (this.#over) await this.#pause();
    }
  }

  /** Does all steps of something. */
  async all(steps: Iterable<unknown>, stride = 1): Promise<void> {
    await this.each(steps, () => {}, stride);
  }

  /** Others have their turn if the slice is over. */
  async turn(): Promise<void> {
    if (this.#over) await this.#pause();
  }

  get #over(): boolean {
    return this.#clock.now() - this.#began >= SLICE;
  }

  async #pause(): Promise<void> {
    if (this.#urgent) await setImmediate();
    else await new Promise<void>((resolve) => this.#clock.after(PAUSE, resolve));
    this.#began = this.#clock.now();
  }
}
