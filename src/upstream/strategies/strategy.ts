/**
 * How one of a pool's endpoints is chosen. Hot.
 *
 * A strategy is asked up to twice: first for the endpoints that are well, then for those whose retry is due. It answers
 * with an index, or -1 if no endpoint is within `tier`. It keeps a cursor at most: what lasts lives in the endpoints.
 */

/** Well. */
export const HEALTHY = 0;
/** It failed, enough time has passed to try it again, and somebody is doing so. */
export const DUE = 1;
/** It failed a short while ago, or may take no more. */
export const UNAVAILABLE = 2;

/** What a strategy sees of an endpoint. */
export interface Candidate {
  readonly weight: number;
  /** Exchanges and tunnels under way. */
  readonly active: number;
  /** HEALTHY, DUE or UNAVAILABLE. */
  tier(): number;
}

export interface Strategy {
  /** The index of a candidate whose tier is `tier`, or -1. */
  pick(tier: number): number;
}
