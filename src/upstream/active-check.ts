/**
 * Active health checks of one endpoint: probes it at regular intervals and reports the results to its health. Cold.
 *
 * Claimed by what is probed, so that reloads neither restart nor duplicate it. It is created inert, and starts when its
 * snapshot becomes current. It stops when a snapshot without it becomes current, although older ones may still hold it.
 */
import { serverNameOf } from '../http/authority.ts';
import type { Clock, Timer } from '../kit/clock.ts';
import type { Random } from '../kit/random.ts';
import type { CheckPlan } from '../plan/types/pool.ts';
import type { EndpointState } from './endpoint.ts';
import { probe, type Probe } from './probe.ts';

export class ActiveCheck {
  /** Epoch ms of the last result; 0: none yet. */
  lastAt = 0;
  /** '' or the error code. */
  lastResult = '';
  readonly #endpoint: EndpointState;
  readonly #clock: Clock;
  readonly #random: Random;
  #plan: CheckPlan;
  #running = false;
  /** Runs until the next check, or until the check in progress times out. */
  #timer: Timer | null = null;
  #probe: Probe | null = null;
  /** Number of equal results in a row: positive for passed checks, negative for failed ones. */
  #streak = 0;

  constructor(endpoint: EndpointState, plan: CheckPlan, clock: Clock, random: Random) {
    this.#endpoint = endpoint;
    this.#plan = plan;
    this.#clock = clock;
    this.#random = random;
  }

  /** Starts the checks if they are stopped, and applies settings that may change. */
  tune(plan: CheckPlan): void {
    this.#plan = plan;
    if (this.#running) return;
    this.#running = true;
    // Spreads the first checks of many endpoints over time.
    this.#wait((plan.jitter / 100) * plan.interval * this.#random());
  }

  /** The current plan has no such check: its results are void. */
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
    const { address, connections } = this.#endpoint;
    const target = connections.tls?.target(serverNameOf(plan.host ?? '')) ?? null;
    const asked = probe(address, target, plan, (code, detail) => this.#result(code, detail));
    this.#probe = asked;
    this.#timer = this.#clock.after(plan.timeout, () => this.#result(asked.late));
  }

  #result(code: string, detail = ''): void {
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
      if (-this.#streak >= unhealthy) health.checked(false, code, detail);
    }
    this.#wait(interval * (1 - (jitter / 100) * this.#random()));
  }
}
