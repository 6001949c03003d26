/**
 * One endpoint's lasting state: its load, its health, its connections. Hot.
 *
 * Claimed by identity (runtime/snapshot/state-registry.ts), so that it outlives every reload that still names the address; what a
 * reload may change about it arrives through `tune`.
 */
import type { Clock } from '../kit/clock.ts';
import type { GatewayError } from '../kit/errors.ts';
import type { Random } from '../kit/random.ts';
import type { Deadlines } from '../net/deadlines.ts';
import type { EndpointMetrics } from '../observe/metrics.ts';
import type { AddressPlan, HealthPlan, KeepalivePlan } from '../plan/types.ts';
import type { ResponsesPlan } from '../plan/types/responses.ts';
import { EndpointConnections } from './connections.ts';
import { type AdminState, Health, type HealthObserver, type HealthState } from './health.ts';
import type { PoolLoad } from './load.ts';

/** How far one response moves the average latency. */
const LATENCY_STEP = 0.1;

export interface EndpointTuning {
  readonly keepalive: KeepalivePlan;
  /** Milliseconds for connections that nobody waits for. */
  readonly connectTimeout: number;
  /** Connections at a time; 0: no limit. */
  readonly maxConnections: number;
  /** Exchanges and tunnels at a time; 0: no limit. */
  readonly maxRequests: number;
  readonly health: HealthPlan;
  readonly responses: ResponsesPlan;
  /** Its name or address as a Host field has it. */
  readonly host: string;
}

/** What an endpoint is made of besides its address. */
export interface EndpointParts {
  readonly pool: string;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly random: Random;
  readonly metrics: EndpointMetrics;
  readonly load: PoolLoad;
  /** Told when its health changes. */
  readonly changed: (endpoint: EndpointState, from: HealthState) => void;
}

export class EndpointState implements HealthObserver {
  /** Its pool's name, which a reload may change, and what is counted under it. */
  pool: string;
  metrics: EndpointMetrics;
  readonly address: AddressPlan;
  readonly load: PoolLoad;
  readonly health: Health;
  readonly connections: EndpointConnections;
  /** Exchanges and tunnels under way. */
  active = 0;
  /** Moving average of the time from request to response head (ms); 0: not known. */
  latency = 0;
  readonly #changed: EndpointParts['changed'];
  /** Pools that keep their endpoints in the order of their load. */
  readonly #watchers: (() => void)[] = [];
  /** Its name or address as a Host field has it. */
  host: string;
  #maxRequests: number;
  /** Endpoint sets that it is in. */
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
    this.connections = new EndpointConnections(address, tuning, deadlines, this);
    this.load.endpoints.add(this);
  }

  /** Has it as much as it may have? */
  get full(): boolean {
    return (this.#maxRequests > 0 && this.active >= this.#maxRequests) || this.connections.full;
  }

  /** May anything new be sent to it? Else what runs is all that is left of it. */
  get wanted(): boolean {
    return this.#lineups > 0;
  }

  joinLineup(): void {
    this.#lineups++;
  }

  /** Once for each `joinLineup`. */
  leaveLineup(): void {
    if (--this.#lineups === 0) this.connections.retireIdle();
  }

  tune(tuning: EndpointTuning): void {
    this.#maxRequests = tuning.maxRequests;
    this.host = tuning.host;
    this.health.tune(tuning.health);
    this.connections.tune(tuning);
  }

  /** One more exchange or tunnel. Answers whether it is to try if the endpoint is well: `leave` wants to know. */
  enter(): boolean {
    this.active++;
    this.load.active++;
    if (this.#watchers.length > 0) this.#tellWatchers();
    return this.health.beginTrial();
  }

  /** Once for each `enter`. */
  leave(trial: boolean): void {
    this.active--;
    this.load.active--;
    if (trial) this.health.endTrial();
    if (this.#watchers.length > 0) this.#tellWatchers();
    this.load.freed();
  }

  /** What was to show if it is well has shown it, and goes on. */
  trialOver(): void {
    this.health.endTrial();
    this.load.freed();
  }

  /** `watcher` is called whenever `active` has changed, until `unwatch`. */
  watch(watcher: () => void): void {
    this.#watchers.push(watcher);
  }

  unwatch(watcher: () => void): void {
    this.#watchers.splice(this.#watchers.indexOf(watcher), 1);
  }

  #tellWatchers(): void {
    // The last first: one that stops watching meanwhile moves none that has yet to be told.
    for (let i = this.#watchers.length - 1; i >= 0; i--) this.#watchers[i]!();
  }

  /** A connection could not be made. */
  connectFailed(error: GatewayError): void {
    // What this machine has run out of is nobody else's fault.
    if (error.source !== 'upstream') return;
    this.health.connectFailed(error.code);
    this.load.suspect(this);
  }

  /** A response head came, `ms` after its request. Answers whether that is fine. */
  answered(status: number, ms: number): boolean {
    this.latency = this.latency === 0 ? ms : this.latency + (ms - this.latency) * LATENCY_STEP;
    return this.health.answered(status, ms);
  }

  /** The whole of a response came, and its head had been fine. */
  completed(): void {
    this.health.completed();
    this.load.counted();
  }

  /** An operator's word. */
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

  /** The last snapshot that named it is gone. */
  close(): void {
    this.connections.close();
    this.load.endpoints.delete(this);
  }
}
