/**
 * Detects that the gateway itself is overloaded: its event loop is late, or its memory is large. Cold.
 *
 * It samples only while a limit is set. proxy/ decides what follows; it reads one flag.
 */
import type { Clock, Timer } from '../kit/clock.ts';
import type { OverloadPlan } from '../plan/types.ts';

/** Milliseconds between two samples. */
const PERIOD = 100;
/** The overload ends below these fractions of a limit. */
const CALM_DELAY = 0.5;
const CALM_MEMORY = 0.9;

export interface OverloadFlag {
  overloaded: boolean;
}

export class Overload {
  readonly #clock: Clock;
  readonly #flag: OverloadFlag;
  readonly #memory: () => number;
  readonly #changed: (overloaded: boolean, reason: string) => void;
  #limits: OverloadPlan = { loopDelay: 0, memory: 0 };
  #timer: Timer | null = null;
  #lookedAt = 0;

  /** `memory`: resident bytes. */
  constructor(
    clock: Clock,
    flag: OverloadFlag,
    changed: (overloaded: boolean, reason: string) => void,
    memory: () => number = () => process.memoryUsage.rss(),
  ) {
    this.#clock = clock;
    this.#flag = flag;
    this.#changed = changed;
    this.#memory = memory;
  }

  tune(limits: OverloadPlan): void {
    this.#limits = limits;
    if (limits.loopDelay === 0 && limits.memory === 0) this.close();
    else if (this.#timer === null) {
      this.#lookedAt = this.#clock.now();
      this.#timer = this.#clock.every(PERIOD, () => this.#look());
    }
  }

  #look(): void {
    const now = this.#clock.now();
    const late = now - this.#lookedAt - PERIOD;
    this.#lookedAt = now;
    const { overloaded } = this.#flag;
    const { loopDelay, memory } = this.#limits;
    const slow = loopDelay > 0 && late > loopDelay * (overloaded ? CALM_DELAY : 1);
    const large = memory > 0 && this.#memory() > memory * (overloaded ? CALM_MEMORY : 1);
    this.#say(slow || large, slow ? 'event loop delay' : large ? 'memory' : '');
  }

  #say(overloaded: boolean, reason: string): void {
    if (overloaded === this.#flag.overloaded) return;
    this.#flag.overloaded = overloaded;
    this.#changed(overloaded, reason);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#say(false, '');
  }
}
