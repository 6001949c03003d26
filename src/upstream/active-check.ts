/**
 * Asks one endpoint regularly whether it is well, and says so to its health. Cold.
 *
 * Claimed by what is asked, so that reloads neither restart nor double it. It is made inert and starts when its snapshot
 * becomes current; it stops when one becomes current that does not name it, though old ones may still hold it.
 */
import type { Clock, Timer } from '../kit/clock.ts';
import type { Random } from '../kit/random.ts';
import type { CheckPlan } from '../plan/types.ts';
import type { EndpointState } from './endpoint.ts';
import { probe, type Probe } from './probe.ts';

export class ActiveCheck {
  /** Epoch ms of the last answer; 0: there was none yet. */
  lastAt = 0;
  /** '' or what was wrong. */
  lastResult = '';
  readonly #endpoint: EndpointState;
  readonly #clock: Clock;
  readonly #random: Random;
  #plan: CheckPlan;
  #running = false;
  /** Until the next check, or until the one under way has had its time. */
  #timer: Timer | null = null;
  #probe: Probe | null = null;
  /** Results of the same kind in a row: positive if they were good. */
  #streak = 0;

  constructor(endpoint: EndpointState, plan: CheckPlan, clock: Clock, random: Random) {
    this.#endpoint = endpoint;
    this.#plan = plan;
    this.#clock = clock;
    this.#random = random;
  }

  /** Starts, if it has not, and takes the settings that may change. */
  tune(plan: CheckPlan): void {
    this.#plan = plan;
    if (this.#running) return;
    this.#running = true;
    // Many endpoints, not all at the same moment.
    this.#wait((plan.jitter / 100) * plan.interval * this.#random());
  }

  /** No current plan wants it: what it found holds no longer. */
  stop(): void {
    this.close();
    this.#streak = 0;
    this.#endpoint.health.checked(true, '');
  }

  close(): void {
    this.#running = false;
    this.#timer?.cancel();
    this.#timer = null;
    this.#probe?.cancel();
    this.#probe = null;
  }

  #wait(ms: number): void {
    this.#timer = this.#clock.after(ms, () => this.#ask());
  }

  #ask(): void {
    const plan = this.#plan;
    const asked = probe(this.#endpoint.address, plan, (code) => this.#result(code));
    this.#probe = asked;
    this.#timer = this.#clock.after(plan.timeout, () => this.#result(asked.late));
  }

  #result(code: string): void {
    this.#timer?.cancel();
    this.#probe?.cancel();
    this.#probe = null;
    this.lastAt = this.#clock.wall();
    this.lastResult = code;
    const { health, metrics } = this.#endpoint;
    const { healthy, unhealthy, interval, jitter } = this.#plan;
    if (code === '') {
      metrics.checksPassed++;
      this.#streak = Math.max(1, this.#streak + 1);
      if (this.#streak >= healthy) health.checked(true, '');
    } else {
      metrics.checksFailed++;
      this.#streak = Math.min(-1, this.#streak - 1);
      if (-this.#streak >= unhealthy) health.checked(false, code);
    }
    this.#wait(interval * (1 - (jitter / 100) * this.#random()));
  }
}
