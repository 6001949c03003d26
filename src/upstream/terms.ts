/**
 * Timeouts and retries of an exchange at a pool, as one flat record. Cold to make, hot to read.
 *
 * Computed once for each pool when a config takes effect, so that a request computes nothing.
 */
import { limitOf } from '../net/deadlines.ts';
import type { PoolTimeouts, RetriesPlan } from '../plan/types/pool.ts';

/** Milliseconds; Infinity: no limit. `firstByte`: of each attempt. */
export interface Terms extends PoolTimeouts {
  readonly retries: RetriesPlan;
}

export function termsOf(timeouts: PoolTimeouts, retries: RetriesPlan): Terms {
  return {
    connect: timeouts.connect,
    firstByte: Math.min(limitOf(retries.perTryTimeout), limitOf(timeouts.firstByte)),
    idle: limitOf(timeouts.idle),
    stream: limitOf(timeouts.stream),
    tunnel: limitOf(timeouts.tunnel),
    total: limitOf(timeouts.total),
    retries,
  };
}
