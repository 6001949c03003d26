/**
 * The load of one pool, over all its endpoints and generations. Hot.
 *
 * Claimed by the pool's name, so that limits, the retry budget and the queue outlive every reload.
 */
import type { Deadlines } from '../net/deadlines.ts';
import type { PoolMetrics } from '../observe/metrics.ts';
import type { HealthPlan, QueuePlan, RetryBudgetPlan } from '../plan/types/pool.ts';
import type { EndpointConnections } from './connections.ts';
import type { EndpointState } from './endpoint.ts';
import { Outliers } from './outliers.ts';
import { Queue } from './queue.ts';

/** The settings of a pool that may change while its load is kept. */
export interface PoolTuning {
  readonly queue: QueuePlan;
  readonly health: HealthPlan;
  /** Both: 0 is no limit. */
  readonly maxConnections: number;
  readonly maxRequests: number;
}

export class PoolLoad {
  readonly queue: Queue;
  /** Under its pool's name, which a reload may change. */
  metrics: PoolMetrics;
  /** Every endpoint that is still in use. */
  readonly endpoints = new Set<EndpointState>();
  /** Called with endpoints that fail: their DNS name may have new addresses by now. */
  readonly suspecting = new Set<(endpoint: EndpointState) => void>();
  /** Exchanges and tunnels in progress. */
  active = 0;
  /** Attempts in progress beyond the first of their exchange. */
  retries = 0;
  /** Open connections and dials in progress, and the idle ones among them. */
  connections = 0;
  idle = 0;
  readonly #outliers: Outliers;
  #tuning: PoolTuning;

  constructor(tuning: PoolTuning, deadlines: Deadlines, metrics: PoolMetrics) {
    this.#tuning = tuning;
    this.metrics = metrics;
    this.queue = new Queue(tuning.queue, deadlines);
    this.#outliers = new Outliers(tuning.health.passive.successRate, deadlines);
  }

  /** Has the pool reached its limit of requests? */
  get full(): boolean {
    const { maxRequests } = this.#tuning;
    return maxRequests > 0 && this.active >= maxRequests;
  }

  /** Has the pool reached its limit of connections? */
  get connected(): boolean {
    const { maxConnections } = this.#tuning;
    return maxConnections > 0 && this.connections >= maxConnections;
  }

  /** Has the pool exceeded its limit of connections? */
  get crowded(): boolean {
    const { maxConnections } = this.#tuning;
    return maxConnections > 0 && this.connections > maxConnections;
  }

  tune(tuning: PoolTuning): void {
    this.#tuning = tuning;
    this.#outliers.tune(tuning.health.passive.successRate);
    this.queue.tune(tuning.queue);
    this.queue.wake();
  }

  /** `uncounted`: requests in progress that no endpoint counts at the moment. */
  mayRetry({ share, min }: RetryBudgetPlan, uncounted: number): boolean {
    return this.retries < Math.max(min, (share / 100) * (this.active + uncounted));
  }

  /** May one more endpoint be ejected for failed exchanges? */
  mayEject(percent: number): boolean {
    let ejected = 1;
    let wanted = 0;
    for (const endpoint of this.endpoints) {
      if (!endpoint.wanted) continue;
      wanted++;
      if (endpoint.health.ejected) ejected++;
    }
    return ejected <= (percent / 100) * wanted;
  }

  /** An exchange is complete. */
  counted(): void {
    this.#outliers.counted(this.endpoints);
  }

  suspect(endpoint: EndpointState): void {
    for (const told of this.suspecting) told(endpoint);
  }

  /** A slot is free: wakes the queue. */
  freed(): void {
    if (this.queue.length > 0) this.queue.wake();
  }

  /** Closes one idle connection of any endpoint except `asking`, to make room. */
  makeRoom(asking: EndpointConnections): void {
    for (const { connections } of this.endpoints) {
      if (connections === asking || connections.idle === 0) continue;
      connections.retireOldest();
      return;
    }
  }

  close(): void {}
}
