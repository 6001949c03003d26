/**
 * A pool: endpoints and the strategy that chooses among them. Hot.
 *
 * Made by runtime/bind.ts for one snapshot; the endpoints' state is older and outlives it. A choice takes two passes:
 * first those that are well (or have their pause behind them and nobody trying them), then those that failed and are
 * being tried. There is no third.
 */
import type { Fields } from '../http/fields.ts';
import type { FixedResponse } from '../http/fixed-response.ts';
import type { Deadlines } from '../net/deadlines.ts';
import type { PoolPlan, PoolTimeouts, QueuePlan } from '../plan/types.ts';
import type { EndpointState } from './endpoint.ts';
import { foresee, type Foresight } from './foresight.ts';
import type { PoolLoad } from './load.ts';
import { Sticky } from './sticky.ts';
import { type Asker, type Candidate, DUE, HEALTHY, type Strategy, UNAVAILABLE } from './strategies/strategy.ts';

export interface PoolTuning {
  readonly queue: QueuePlan;
  /** 0: no limit, in both. */
  readonly maxConnections: number;
  readonly maxRequests: number;
}

/** What holds for one choice, seen by every endpoint of the pool. */
class Choice {
  /** Endpoints that have been tried already. */
  avoided: readonly EndpointState[] = [];
  /** So few are well that health is not asked. */
  panic = false;
}

/** An endpoint as one pool sees it: lasting state under this snapshot's weight. */
export class PoolEndpoint implements Candidate {
  readonly state: EndpointState;
  readonly weight: number;
  readonly #choice: Choice;

  constructor(state: EndpointState, weight: number, choice: Choice) {
    this.state = state;
    this.weight = weight;
    this.#choice = choice;
  }

  get name(): string {
    return this.state.address.text;
  }

  get share(): number {
    return this.weight * this.state.health.share;
  }

  get active(): number {
    return this.state.active;
  }

  get latency(): number {
    return this.state.latency;
  }

  /** May a client that it had before come again? */
  get keeps(): boolean {
    return this.state.health.keeps && !this.state.full && !this.#choice.avoided.includes(this.state);
  }

  tier(): number {
    const { state } = this;
    const choice = this.#choice;
    if (state.full || (choice.avoided.length > 0 && choice.avoided.includes(state))) return UNAVAILABLE;
    if (choice.panic && state.health.duty === 'enabled') return HEALTHY;
    return state.health.tier();
  }
}

const NOBODY: readonly EndpointState[] = [];

export class Pool {
  readonly name: string;
  readonly plan: PoolPlan;
  readonly load: PoolLoad;
  readonly endpoints: readonly PoolEndpoint[];
  /** What one attempt may take. */
  readonly tryTimeouts: PoolTimeouts;
  /** What takes its place when no endpoint can be had. Set once, when all pools of the snapshot are there. */
  fallback: Pool | FixedResponse | null = null;
  /** null: clients are not kept. */
  readonly #sticky: Sticky | null;
  readonly #indexes: ReadonlyMap<EndpointState, number>;
  readonly #strategy: Strategy;
  readonly #choice = new Choice();
  readonly #deadlines: Deadlines;
  readonly #watched: (() => void)[] = [];
  /** When it was last seen whether to panic (monotonic ms). */
  #lookedAt = -1;

  constructor(
    plan: PoolPlan,
    states: readonly { readonly state: EndpointState; readonly weight: number }[],
    load: PoolLoad,
    deadlines: Deadlines,
    strategy: (candidates: readonly Candidate[]) => Strategy,
  ) {
    this.name = plan.name;
    this.plan = plan;
    this.load = load;
    this.#deadlines = deadlines;
    this.endpoints = states.map(({ state, weight }) => new PoolEndpoint(state, weight, this.#choice));
    this.#sticky = plan.sticky === null ? null : new Sticky(plan.sticky);
    this.#indexes = new Map(this.#sticky === null ? [] : states.map(({ state }, i) => [state, i]));
    this.#strategy = strategy(this.endpoints);
    const { timeouts, retries } = plan;
    const firstByte =
      retries.perTryTimeout > 0 ? Math.min(retries.perTryTimeout, timeouts.firstByte) : timeouts.firstByte;
    this.tryTimeouts = { ...timeouts, firstByte };
    if (this.#strategy.changed !== undefined) this.#watch();
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

  /** The endpoint for the next attempt, or null if none may be tried. `avoided`: not these, if there are others. */
  pick(asker: Asker, avoided: readonly EndpointState[] = NOBODY): EndpointState | null {
    if (this.load.full) return null;
    const choice = this.#choice;
    if (this.plan.health.panic > 0 && this.#deadlines.now !== this.#lookedAt) this.#look();
    choice.avoided = avoided;
    let index = this.#sticky === null ? -1 : this.#kept(this.#sticky, asker);
    if (index < 0) index = this.#strategy.pick(HEALTHY, asker);
    if (index < 0) index = this.#strategy.pick(DUE, asker);
    choice.avoided = NOBODY;
    return index < 0 ? null : this.endpoints[index]!.state;
  }

  /** What `pick` would do for a first attempt now, leaving everything as it is. Cold. */
  foresee(asker: Asker): Foresight {
    if (this.load.full) return { how: 'full', index: -1, possible: [] };
    if (this.plan.health.panic > 0) this.#look();
    const kept = this.#sticky === null ? -1 : this.#kept(this.#sticky, asker);
    return foresee(this.#strategy, this.endpoints, kept, asker);
  }

  /** The endpoint that the asker had before, whatever its weight, if it keeps its clients; else -1. */
  #kept(sticky: Sticky, asker: Asker): number {
    const index = sticky.find(asker);
    return index >= 0 && this.endpoints[index]!.keeps ? index : -1;
  }

  /** `response`: of that endpoint to the asker. It gets the cookie that keeps the two together, if that is wanted. */
  mark(asker: Asker, endpoint: EndpointState, response: Fields): void {
    if (this.#sticky === null) return;
    const cookie = this.#sticky.mark(asker, this.#indexes.get(endpoint)!);
    if (cookie !== null) response.add('Set-Cookie', cookie);
  }

  /** Milliseconds until the first of its endpoints may be tried again; 0: one may now. */
  get nextTry(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { state } of this.endpoints) next = Math.min(next, state.health.retryAt - this.#deadlines.now);
    return Math.max(0, next);
  }

  /** Are so few endpoints well that requests go to all of them? */
  get panic(): boolean {
    return this.#choice.panic;
  }

  #look(): void {
    this.#lookedAt = this.#deadlines.now;
    let well = 0;
    for (const { state } of this.endpoints) if (state.health.well) well++;
    this.#choice.panic = well * 100 < this.plan.health.panic * this.endpoints.length;
  }

  /** Is there none to be had only because those that may be tried have as much as they may have? */
  get full(): boolean {
    if (this.load.full) return true;
    return this.endpoints.some(
      ({ state, weight }) => weight > 0 && state.full && (this.panic || state.health.tier() !== UNAVAILABLE),
    );
  }
}
