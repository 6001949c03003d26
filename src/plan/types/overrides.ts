/** Part of the Plan: the listener and pool settings that a route overrides. Cold. */
import type { ListenerLimits, ListenerTimeouts } from './listener-limits.ts';
import type { PoolTimeouts, RetriesPlan } from './pool.ts';

/** Milliseconds; 0: no limit. */
export type RouteTimeoutsPlan = Partial<
  Pick<ListenerTimeouts, 'body' | 'send'> & Pick<PoolTimeouts, 'firstByte' | 'idle' | 'stream' | 'tunnel' | 'total'>
>;

/** Bytes; 0: no limit. */
export type RouteLimitsPlan = Partial<Pick<ListenerLimits, 'bodySize'>>;

export type RouteRetriesPlan = Partial<
  Pick<RetriesPlan, 'attempts' | 'on' | 'statuses' | 'nonIdempotent' | 'perTryTimeout' | 'bodySize'>
>;

/** null, in all of these: the route overrides none of them. */
export interface OverridesPlan {
  readonly timeouts: RouteTimeoutsPlan | null;
  readonly limits: RouteLimitsPlan | null;
  readonly retries: RouteRetriesPlan | null;
}
