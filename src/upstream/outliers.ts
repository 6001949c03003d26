/**
 * Endpoints of one pool of which clearly fewer exchanges succeed than of the others. Hot to count, cold to compare.
 *
 * Nobody waits for the time of a comparison: the first exchange that is complete after it makes it, so that a pool at rest
 * costs nothing. What they all suffer from is nobody's fault: it moves the mean.
 */
import type { Deadlines } from '../net/deadlines.ts';
import type { SuccessRatePlan } from '../plan/types.ts';
import type { Health } from './health.ts';

/** An endpoint, as far as it is compared. */
export interface Compared {
  readonly health: Health;
  /** Is it asked at all? */
  readonly wanted: boolean;
}

/**
 * Standard errors of a rate by which it must be below the mean: of a thousand endpoints that are as good as the others, one
 * is further below by mere chance.
 */
const CHANCE = 3;

export class Outliers {
  readonly #deadlines: Deadlines;
  #plan: SuccessRatePlan;
  /** Monotonic ms. */
  #dueAt: number;

  constructor(plan: SuccessRatePlan, deadlines: Deadlines) {
    this.#plan = plan;
    this.#deadlines = deadlines;
    this.#dueAt = deadlines.now + plan.interval;
  }

  tune(plan: SuccessRatePlan): void {
    this.#dueAt += plan.interval - this.#plan.interval;
    this.#plan = plan;
  }

  /** An exchange with one of them was complete. */
  counted(endpoints: Iterable<Compared>): void {
    if (this.#deadlines.now >= this.#dueAt) this.#compare(endpoints);
  }

  #compare(endpoints: Iterable<Compared>): void {
    const { interval, deviations, minEndpoints, minRequests } = this.#plan;
    this.#dueAt = this.#deadlines.now + interval;
    const rated: { readonly health: Health; readonly rate: number; readonly count: number }[] = [];
    for (const { health, wanted } of endpoints) {
      const { good, bad } = health.takeCounts();
      const count = good + bad;
      if (wanted && health.well && count >= minRequests) rated.push({ health, count, rate: good / count });
    }
    if (deviations === 0 || rated.length < minEndpoints) return;
    const mean = rated.reduce((sum, { rate }) => sum + rate, 0) / rated.length;
    const deviation = Math.sqrt(rated.reduce((sum, { rate }) => sum + (rate - mean) ** 2, 0) / rated.length);
    // The worst first: there may be room for one more that is out, and not for two.
    for (const { health, rate, count } of rated.toSorted((a, b) => a.rate - b.rate)) {
      if (mean - rate > this.#gap(mean, deviation, count)) health.fellBehind();
      else health.keptUp();
    }
  }

  /** How far below the mean a rate over so many may be. */
  #gap(mean: number, deviation: number, count: number): number {
    const chance = CHANCE * Math.sqrt((mean * (1 - mean)) / count);
    return Math.max(this.#plan.deviations * deviation, this.#plan.margin / 100, chance);
  }
}
