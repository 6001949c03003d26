/**
 * A pool: endpoints and the strategy that chooses among them. Hot.
 *
 * Made by runtime/bind.ts for one snapshot; the endpoints' state is older and outlives it. A choice takes two passes:
 * first those that are well (or have their pause behind them and nobody trying them), then those that failed and are
 * being tried. There is no third.
 */
import type { PoolPlan } from '../plan/types.ts';
import type { EndpointState } from './endpoint.ts';
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
  readonly #strategy: Strategy;

  constructor(plan: PoolPlan, endpoints: readonly PoolEndpoint[], strategy: Strategy) {
    this.name = plan.name;
    this.plan = plan;
    this.endpoints = endpoints;
    this.#strategy = strategy;
  }

  /** The endpoint for the next attempt, or null if none may be tried. */
  pick(asker: Asker): EndpointState | null {
    let index = this.#strategy.pick(HEALTHY, asker);
    if (index < 0) index = this.#strategy.pick(DUE, asker);
    return index < 0 ? null : this.endpoints[index]!.state;
  }

  /** Is every endpoint unavailable only because it has all the connections that it may have? */
  get full(): boolean {
    return this.endpoints.every((endpoint) => endpoint.state.connections.full);
  }
}
