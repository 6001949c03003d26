/**
 * One endpoint's lasting state: its load, its health, its connections. Hot.
 *
 * Claimed by identity (runtime/carryover.ts), so that it outlives every reload that still names the address; what a
 * reload may change about it arrives through `tune`.
 */
import type { Clock } from '../kit/clock.ts';
import type { GatewayError } from '../kit/errors.ts';
import type { Deadlines } from '../net/deadlines.ts';
import type { EndpointMetrics } from '../observe/metrics.ts';
import type { AddressPlan } from '../plan/types.ts';
import { EndpointConnections } from './connections.ts';
import { DUE, HEALTHY, UNAVAILABLE } from './strategies/strategy.ts';

/** First pause after a failure to connect, and the longest; it doubles with each failure in a row (ms). */
const FIRST_BACKOFF = 5_000;
const LONGEST_BACKOFF = 300_000;

/** How far one response moves the average latency. */
const LATENCY_STEP = 0.1;

export interface EndpointTuning {
  /** Idle connections kept, and for how long (ms). */
  readonly keepalive: { readonly connections: number; readonly idle: number };
  /** Connections at a time; 0: no limit. */
  readonly maxConnections: number;
}

export class EndpointState {
  readonly address: AddressPlan;
  readonly metrics: EndpointMetrics;
  readonly connections: EndpointConnections;
  /** Moving average of the time from request to response head (ms); 0: not known. */
  latency = 0;
  /** Failures to connect in a row. */
  failures = 0;
  /** Monotonic ms from which a failed endpoint may be tried again. */
  retryAt = 0;
  /** Epoch ms of the last change between well and failing. */
  since: number;
  lastError = '';
  /** Pools that keep their endpoints in the order of their load. */
  readonly #watchers: (() => void)[] = [];
  #active = 0;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;

  constructor(
    address: AddressPlan,
    tuning: EndpointTuning,
    clock: Clock,
    deadlines: Deadlines,
    metrics: EndpointMetrics,
  ) {
    this.address = address;
    this.metrics = metrics;
    this.#clock = clock;
    this.#deadlines = deadlines;
    this.since = clock.wall();
    this.connections = new EndpointConnections(address, tuning, deadlines, metrics);
  }

  /** Exchanges and tunnels under way. */
  get active(): number {
    return this.#active;
  }

  set active(count: number) {
    this.#active = count;
    for (let i = 0; i < this.#watchers.length; i++) this.#watchers[i]!();
  }

  /** `watcher` is called whenever `active` has changed, until `unwatch`. */
  watch(watcher: () => void): void {
    this.#watchers.push(watcher);
  }

  unwatch(watcher: () => void): void {
    this.#watchers.splice(this.#watchers.indexOf(watcher), 1);
  }

  /**
   * HEALTHY, DUE or UNAVAILABLE, as strategies ask. When its pause is over, one request at a time has it in turn with the
   * others, or it would never be found well again while they are; those that come meanwhile take it only if they must.
   */
  tier(): number {
    if (this.connections.full) return UNAVAILABLE;
    if (this.failures === 0) return HEALTHY;
    if (this.#deadlines.now < this.retryAt) return UNAVAILABLE;
    return this.connections.dialing === 0 ? HEALTHY : DUE;
  }

  tune(tuning: EndpointTuning): void {
    this.connections.tune(tuning);
  }

  /** A connection could not be made. */
  failed(error: GatewayError): void {
    if (this.failures === 0) this.since = this.#clock.wall();
    this.failures++;
    this.lastError = error.code;
    this.retryAt = this.#deadlines.now + Math.min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** (this.failures - 1));
  }

  /** A connection was made, or one that was there brought an answer. */
  succeeded(): void {
    if (this.failures === 0) return;
    this.failures = 0;
    this.lastError = '';
    this.since = this.#clock.wall();
  }

  /** A response head came `ms` after its request. */
  answeredAfter(ms: number): void {
    this.latency = this.latency === 0 ? ms : this.latency + (ms - this.latency) * LATENCY_STEP;
  }

  /** The last snapshot that named it is gone. */
  close(): void {
    this.connections.close();
  }
}
