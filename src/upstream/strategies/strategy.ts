/**
 * How one of a pool's endpoints is chosen. Hot.
 *
 * A strategy is asked up to twice: first for the endpoints that are well, then, if none is, for those that may be tried. It
 * answers with an index, or -1 if no endpoint is within `tier`. It keeps a cursor at most: what lasts lives in the endpoints.
 * The cursor begins at a random place, since strategies are made anew at every change of their pool, and in every gateway.
 */
import type { Fields } from '../../http/fields.ts';

/** Well, or its pause is over and no request is trying it. */
export const HEALTHY = 0;
/** It failed, and has room for a request that tries it. Only for pools of which no endpoint is well. */
export const DUE = 1;
/** It is out, is being tried by as many as may, or may take no more. */
export const UNAVAILABLE = 2;

/** What a strategy sees of an endpoint. */
export interface Candidate {
  /** What stays the same over reloads: its address as written. */
  readonly name: string;
  /** Its share as configured. */
  readonly weight: number;
  /** Its share as of now: smaller than `weight` while it is being started slowly, but more than 0 if that is. */
  readonly share: number;
  /** Exchanges and tunnels under way. */
  readonly active: number;
  /** Moving average of the time from request to response head (ms); 0: not known. */
  readonly latency: number;
  /** HEALTHY, DUE or UNAVAILABLE. */
  tier(): number;
}

/** What a strategy may know of who asks: an exchange, or a tcp connection. */
export interface LoadBalancerContext {
  /** As rules judge it. */
  readonly clientAddress: string;
  /** '' on tcp. */
  readonly path: string;
  /** The request's; null on tcp. */
  readonly fields: Fields | null;
}

export interface Strategy {
  /** The index of a candidate whose tier is `tier`, or -1. */
  pick(tier: number, context: LoadBalancerContext): number;
  /** What `pick` would answer now; changes nothing. Absent: that is left to chance. Cold. */
  peek?(tier: number, context: LoadBalancerContext): number;
  /** Told when a candidate's `active` has changed; strategies that keep them in order have it. */
  changed?(index: number): void;
}
