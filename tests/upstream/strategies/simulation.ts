/** Requests that come at random and take their time at endpoints of different speed: load on a clock of its own. */
import { seededRandom } from '../../../src/kit/random.ts';
import { client, type Made } from './strategy.suite.ts';

export interface Simulated {
  /** The most that one endpoint had under way at a moment, for the mean of all at that moment; the worst such moment. */
  readonly worst: number;
  /** What each had under way on average. */
  readonly means: readonly number[];
}

/** `times`: how long each endpoint takes (ms), give or take half. `between`: ms from one request to the next, on average. */
export function simulate({ all, strategy }: Made, times: readonly number[], between: number): Simulated {
  const random = seededRandom(11);
  const ends: { readonly at: number; readonly index: number; readonly took: number }[] = [];
  const sums = times.map(() => 0);
  let now = 0;
  let worst = 0;
  let looked = 0;
  const slowest = Math.max(...times);
  for (let i = 0; now < 15 * slowest; i++) {
    now += -Math.log(1 - random()) * between;
    for (let e = ends.length - 1; e >= 0; e--) {
      if (ends[e]!.at > now) continue;
      const [{ index, took }] = ends.splice(e, 1) as [(typeof ends)[0]];
      const one = all[index]!;
      one.active--;
      one.latency = one.latency === 0 ? took : one.latency + (took - one.latency) * 0.1;
    }
    const index = strategy.pick(0, client(i));
    all[index]!.active++;
    const took = times[index]! * (0.5 + random());
    ends.push({ at: now + took, index, took });
    // First the load has to build up.
    if (now < 5 * slowest) continue;
    const active = all.map((one) => one.active);
    const mean = active.reduce((sum, one) => sum + one, 0) / all.length;
    worst = Math.max(worst, Math.max(...active) / mean);
    active.forEach((one, k) => (sums[k]! += one));
    looked++;
  }
  return { worst, means: sums.map((sum) => sum / looked) };
}
