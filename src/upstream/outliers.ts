/**
 * Outlier detection: finds endpoints of a pool whose success rate is clearly below that of the others. Hot to count,
 * cold to compare.
 *
 * No timer runs for the comparison: the first exchange that completes after it is due performs it, so an idle pool
 * costs nothing. A failure common to all endpoints ejects none: it moves the mean.
 */
import type { Deadlines } from '../net/deadlines.ts';
import type { SuccessRatePlan } from '../plan/types/pool.ts';
import type { Health } from './health.ts';

/** An endpoint, as the comparison needs it. */
export interface Compared {
  readonly health: Health;
  /** Is it in any endpoint set? */
  readonly wanted: boolean;
}

/**
 * Standard errors that a rate must be below the mean: of a thousand equally good endpoints, one is further below by
 * mere chance.
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

  /** An exchange with one of the endpoints is complete. */
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
    // Worst first: there may be room to eject one more, and not two.
    for (const { health, rate, count } of rated.toSorted((a, b) => a.rate - b.rate)) {
      if (mean - rate > this.#gap(mean, deviation, count)) health.fellBehind();
      else health.keptUp();
    }
  }

  /** How far below the mean a rate over `count` exchanges may be. */
  #gap(mean: number, deviation: number, count: number): number {
    const chance = CHANCE * Math.sqrt((mean * (1 - mean)) / count);
    return Math.max(this.#plan.deviations * deviation, this.#plan.margin / 100, chance);
  }
}
