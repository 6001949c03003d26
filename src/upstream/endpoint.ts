/**
 * One endpoint's lasting state: its load, its health, its connections. Hot.
 *
 * Claimed by identity (runtime/snapshot/state-registry.ts), so it outlives every reload that keeps the address.
 * Settings that a reload may change arrive through `tune`.
 */
import type { Clock } from '../kit/clock.ts';
import type { GatewayError } from '../kit/errors.ts';
import type { Random } from '../kit/random.ts';
import type { Deadlines } from '../net/deadlines.ts';
import type { EndpointMetrics } from '../observe/metrics.ts';
import type { AddressPlan } from '../plan/types/address.ts';
import type { HealthPlan, KeepalivePlan } from '../plan/types/pool.ts';
import type { ResponsesPlan } from '../plan/types/responses.ts';
import { EndpointConnections } from './connections.ts';
import type { EndpointTlsTuning } from './endpoint-tls.ts';
import { type AdminState, Health, type HealthObserver, type HealthState } from './health.ts';
import type { PoolLoad } from './load.ts';

/** Weight of one response in the average latency. */
const LATENCY_STEP = 0.1;

export interface EndpointTuning {
  readonly keepalive: KeepalivePlan;
  /** Milliseconds for prewarmed connections. */
  readonly connectTimeout: number;
  /** Maximum number of connections; 0: no limit. */
  readonly maxConnections: number;
  /** Maximum number of exchanges and tunnels; 0: no limit. */
  readonly maxRequests: number;
  readonly health: HealthPlan;
  readonly responses: ResponsesPlan;
  /** Its name or address as a Host field value. */
  readonly host: string;
  /** null: connections have no TLS. */
  readonly tls: EndpointTlsTuning | null;
}

/** The dependencies of an endpoint besides its address. */
export interface EndpointParts {
  readonly pool: string;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly random: Random;
  readonly metrics: EndpointMetrics;
  readonly load: PoolLoad;
  /** Called when its health changes. */
  readonly changed: (endpoint: EndpointState, from: HealthState) => void;
}

export class EndpointState implements HealthObserver {
  /** Its pool's name, which a reload may change, and the counters under that name. */
  pool: string;
  metrics: EndpointMetrics;
  readonly address: AddressPlan;
  readonly load: PoolLoad;
  readonly health: Health;
  readonly connections: EndpointConnections;
  /** Exchanges and tunnels in progress. */
  active = 0;
  /** Moving average of the time from request to response head (ms); 0: unknown. */
  latency = 0;
  readonly #changed: EndpointParts['changed'];
  /** Strategies that order their endpoints by load. */
  readonly #watchers: (() => void)[] = [];
  /** Its name or address as a Host field value. */
  host: string;
  #maxRequests: number;
  /** Number of endpoint sets that contain it. */
  #lineups = 0;
  #state: HealthState = 'healthy';

  constructor(address: AddressPlan, tuning: EndpointTuning, parts: EndpointParts) {
    const { clock, deadlines, random } = parts;
    this.pool = parts.pool;
    this.address = address;
    this.metrics = parts.metrics;
    this.load = parts.load;
    this.#changed = parts.changed;
    this.#maxRequests = tuning.maxRequests;
    this.host = tuning.host;
    this.health = new Health(tuning.health, clock, deadlines, random, this);
    this.connections = new EndpointConnections(address, tuning, deadlines, () => clock.wall(), this);
    this.load.endpoints.add(this);
  }

  /** Has it reached one of its limits? */
  get full(): boolean {
    return (this.#maxRequests > 0 && this.active >= this.#maxRequests) || this.connections.full;
  }

  /** Is it in any endpoint set? If not, it only finishes the work that it has. */
  get wanted(): boolean {
    return this.#lineups > 0;
  }

  joinEndpointSet(): void {
    this.#lineups++;
  }

  /** Called once for each `joinLineup`. */
  leaveLineup(): void {
    if (--this.#lineups === 0) this.connections.retireIdle();
  }

  tune(tuning: EndpointTuning): void {
    this.#maxRequests = tuning.maxRequests;
    this.host = tuning.host;
    this.health.tune(tuning.health);
    this.connections.tune(tuning);
  }

  /** Counts one more exchange or tunnel. Returns whether this is a trial of a failing endpoint, for `leave`. */
  enter(): boolean {
    this.active++;
    this.load.active++;
    if (this.#watchers.length > 0) this.#tellWatchers();
    return this.health.beginTrial();
  }

  /** Called once for each `enter`. */
  leave(trial: boolean): void {
    this.active--;
    this.load.active--;
    if (trial) this.health.endTrial();
    if (this.#watchers.length > 0) this.#tellWatchers();
    this.load.freed();
  }

  /** A trial has given its result, and its tunnel goes on. */
  trialOver(): void {
    this.health.endTrial();
    this.load.freed();
  }

  /** Calls `watcher` whenever `active` changes, until `unwatch`. */
  watch(watcher: () => void): void {
    this.#watchers.push(watcher);
  }

  unwatch(watcher: () => void): void {
    this.#watchers.splice(this.#watchers.indexOf(watcher), 1);
  }

  #tellWatchers(): void {
    // From last to first: a watcher that removes itself meanwhile shifts none that is still to be called.
    for (let i = this.#watchers.length - 1; i >= 0; i--) this.#watchers[i]!();
  }

  /** A connection attempt failed. */
  connectFailed(error: GatewayError): void {
    // A lack of local resources is not the endpoint's failure.
    if (error.source !== 'upstream') return;
    this.health.connectFailed(error.code, error.detail);
    this.load.suspect(this);
  }

  /** A response head arrived, `ms` after its request. Returns whether it counts as a success. */
  answered(status: number, ms: number): boolean {
    this.latency = this.latency === 0 ? ms : this.latency + (ms - this.latency) * LATENCY_STEP;
    return this.health.answered(status, ms);
  }

  /** A response whose head counted as a success is complete. */
  completed(): void {
    this.health.completed();
    this.load.counted();
  }

  /** Applies an operator's command. */
  command(adminState: AdminState): void {
    this.health.command(adminState);
    if (adminState === 'disabled') this.connections.retireIdle();
  }

  mayEject(percent: number): boolean {
    return this.load.mayEject(percent);
  }

  changed(): void {
    const from = this.#state;
    this.#state = this.health.state;
    this.#changed(this, from);
    if (this.health.well) this.load.freed();
    else if (this.health.adminState === 'enabled') this.load.suspect(this);
  }

  /** The last snapshot with this endpoint is gone. */
  close(): void {
    this.connections.close();
    this.load.endpoints.delete(this);
  }
}
