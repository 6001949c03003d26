/**
 * A pool: endpoints and the strategy that chooses among them. Hot.
 *
 * Made by runtime/bind.ts for one snapshot; the endpoints' state is older and outlives it. A choice takes two passes:
 * first those that are well (or have their pause behind them and nobody trying them), then those that failed and are
 * being tried. There is no third.
 */
import type { Fields } from '../http/fields.ts';
import type { PoolPlan } from '../plan/types.ts';
import type { EndpointState } from './endpoint.ts';
import { Sticky } from './sticky.ts';
import { type Asker, type Candidate, DUE, HEALTHY, type Strategy } from './strategies/strategy.ts';

/** An endpoint as one pool sees it: lasting state under this snapshot's weight. */
export class PoolEndpoint implements Candidate {
  readonly state: EndpointState;
  readonly weight: number;

  constructor(state: EndpointState, weight: number) {
    this.state = state;
    this.weight = weight;
  }

  get name(): string {
    return this.state.address.text;
  }

  get share(): number {
    return this.weight;
  }

  get active(): number {
    return this.state.active;
  }

  get latency(): number {
    return this.state.latency;
  }

  tier(): number {
    return this.state.tier();
  }
}

export class Pool {
  readonly name: string;
  readonly plan: PoolPlan;
  readonly endpoints: readonly PoolEndpoint[];
  /** null: clients are not kept. */
  readonly #sticky: Sticky | null;
  readonly #indexes: ReadonlyMap<EndpointState, number>;
  readonly #strategy: Strategy;
  readonly #watched: (() => void)[] = [];

  constructor(plan: PoolPlan, endpoints: readonly PoolEndpoint[], strategy: Strategy) {
    this.name = plan.name;
    this.plan = plan;
    this.endpoints = endpoints;
    this.#sticky = plan.sticky === null ? null : new Sticky(plan.sticky);
    this.#indexes = new Map(this.#sticky === null ? [] : endpoints.map(({ state }, i) => [state, i]));
    this.#strategy = strategy;
    if (strategy.changed !== undefined) this.#watch();
  }

  #watch(): void {
    this.endpoints.forEach(({ state }, i) => {
      const watcher = (): void => this.#strategy.changed?.(i);
      this.#watched.push(watcher);
      state.watch(watcher);
    });
  }

  /** The snapshot that it was made for is gone. */
  close(): void {
    this.#watched.forEach((watcher, i) => this.endpoints[i]!.state.unwatch(watcher));
  }

  /** The endpoint for the next attempt, or null if none may be tried. */
  pick(asker: Asker): EndpointState | null {
    let index = this.#sticky === null ? -1 : this.#kept(this.#sticky, asker);
    if (index < 0) index = this.#strategy.pick(HEALTHY, asker);
    if (index < 0) index = this.#strategy.pick(DUE, asker);
    return index < 0 ? null : this.endpoints[index]!.state;
  }

  /** The endpoint that the asker had before, whatever its weight, if it is well; else -1. */
  #kept(sticky: Sticky, asker: Asker): number {
    const index = sticky.find(asker);
    return index >= 0 && this.endpoints[index]!.tier() === HEALTHY ? index : -1;
  }

  /** `response`: of that endpoint to the asker. It gets the cookie that keeps the two together, if that is wanted. */
  mark(asker: Asker, endpoint: EndpointState, response: Fields): void {
    if (this.#sticky === null) return;
    const cookie = this.#sticky.mark(asker, this.#indexes.get(endpoint)!);
    if (cookie !== null) response.add('Set-Cookie', cookie);
  }

  /** Is every endpoint unavailable only because it has all the connections that it may have? */
  get full(): boolean {
    return this.endpoints.every((endpoint) => endpoint.state.connections.full);
  }
}
