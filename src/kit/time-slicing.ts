/** Runs long work in short slices, so that traffic continues between them. Cold. */
import { setImmediate } from 'node:timers/promises';
import type { Clock } from './clock.ts';

/** Milliseconds of work in one slice. A request that arrives meanwhile waits no longer than this. */
const SLICE = 0.25;
/** Milliseconds between slices. An occasional request meets one slice, and hardly ever two. */
const PAUSE = 1;
/** Items to process in one step if each costs almost nothing. */
export const FEW = 100;
/** The stride for items that cost about a microsecond each, because reading the clock has a cost too. */
export const TINY = 16;

/** Slices one task. All loops of the task share one slicer, since a slice may begin in one loop and end in the next. */
export class TimeSlicer {
  readonly #clock: Clock;
  readonly #urgent: boolean;
  #began: number;

  /** `urgent`: a caller waits for the result. The task yields to the event loop after each slice, without a pause. */
  constructor(clock: Clock, urgent = false) {
    this.#clock = clock;
    this.#urgent = urgent;
    this.#began = clock.now();
  }

  /** Calls `work` for each item in order. Checks the clock once for every `stride` items. */
  async each<T>(items: Iterable<T>, work: (item: T) => void, stride = 1): Promise<void> {
    let left = stride;
    for (const item of items) {
      work(item);
      if (--left > 0) continue;
      left = stride;
      if (this.#over) await this.#pause();
    }
  }

  /** Runs all steps of a generator. */
  async all(steps: Iterable<unknown>, stride = 1): Promise<void> {
    await this.each(steps, () => {}, stride);
  }

  /** Yields to other work if the slice is over. */
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
