/**
 * The interface of load balancing strategies: how a pool picks an endpoint. Hot.
 *
 * A pool calls a strategy up to twice: first for the healthy endpoints, then, if there is none, for those that may be
 * tried. A strategy returns an index, or -1 if no endpoint is of `tier`. It keeps a cursor at most; lasting state lives
 * in the endpoints. The cursor starts at a random place, since every change of the pool, and every gateway, creates a
 * new strategy.
 */
import type { Fields } from '../../http/fields.ts';

/** Healthy, or its pause is over and no trial is in progress. */
export const HEALTHY = 0;
/** It failed, and has room for a trial. Used only if no endpoint of the pool is healthy. */
export const DUE = 1;
/** It is out, or has as many trials as it may have, or has reached its limits. */
export const UNAVAILABLE = 2;

/** An endpoint, as a strategy sees it. */
export interface Candidate {
  /** Stable across reloads: its address as written. */
  readonly name: string;
  /** Its configured weight. */
  readonly weight: number;
  /** Its current share: less than `weight` during slow start, but more than 0 if `weight` is. */
  readonly share: number;
  /** Exchanges and tunnels in progress. */
  readonly active: number;
  /** Moving average of the time from request to response head (ms); 0: unknown. */
  readonly latency: number;
  /** HEALTHY, DUE or UNAVAILABLE. */
  tier(): number;
}

/** What a strategy knows of the request: an exchange, or a tcp connection. */
export interface LoadBalancerContext {
  /** As access rules see it. */
  readonly clientAddress: string;
  /** '' for tcp. */
  readonly path: string;
  /** The request's; null for tcp. */
  readonly fields: Fields | null;
}

export interface Strategy {
  /** The index of a candidate whose tier is `tier`, or -1. */
  pick(tier: number, context: LoadBalancerContext): number;
  /** Previews `pick`; changes nothing. Absent: the pick is random. Cold. */
  peek?(tier: number, context: LoadBalancerContext): number;
  /** Called when a candidate's `active` has changed; implemented by strategies that order candidates by load. */
  changed?(index: number): void;
}
