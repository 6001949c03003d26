/** A latency histogram with fixed buckets: one array slot per observation. Hot. */

/** Upper bounds in milliseconds; the last bucket has none. */
export const BOUNDS: readonly number[] = [
  0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000,
];

const bounds = Float64Array.from(BOUNDS);

export class Histogram {
  /** Observations per bucket, not cumulative. */
  readonly counts = new Float64Array(bounds.length + 1);
  /** Sum of all observations, in milliseconds. */
  sum = 0;

  observe(ms: number): void {
    this.sum += ms;
    let i = 0;
    while (i < bounds.length && ms > bounds[i]!) i++;
    this.counts[i]!++;
  }

  get count(): number {
    return this.counts.reduce((all, one) => all + one, 0);
  }
}
