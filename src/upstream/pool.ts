/**
 * A pool: endpoints and the strategy that chooses among them. Hot.
 *
 * Made by runtime/bind.ts for one snapshot; the endpoints' state is older and outlives it. Who they are is one object, the
 * lineup, exchanged whole when those of a name change. A choice takes two passes: first those that are well (or have their
 * pause behind them and nobody trying them), then those that failed and are being tried. There is no third.
 */
import type { Fields } from '../http/fields.ts';
import type { FixedResponse } from '../http/fixed-response.ts';
import type { Deadlines } from '../net/deadlines.ts';
import type { HealthPlan, PoolPlan, QueuePlan } from '../plan/types.ts';
import type { EndpointState } from './endpoint.ts';
import type { Foresight } from './foresight.ts';
import { Choice, Lineup, type MakeStrategy, type Member, type PoolEndpoint } from './lineup.ts';
import type { PoolLoad } from './load.ts';
import { type Asker, UNAVAILABLE } from './strategies/strategy.ts';
import { type Terms, termsOf } from './terms.ts';

export interface PoolTuning {
  readonly queue: QueuePlan;
  readonly health: HealthPlan;
  /** 0: no limit, in both. */
  readonly maxConnections: number;
  readonly maxRequests: number;
}

const NOBODY: readonly EndpointState[] = [];

export class Pool {
  readonly name: string;
  readonly plan: PoolPlan;
  readonly load: PoolLoad;
  /** Of exchanges and tunnels whose route says nothing else. */
  readonly terms: Terms;
  /** What takes its place when no endpoint can be had. Set once, when all pools of the snapshot are there. */
  fallback: Pool | FixedResponse | null = null;
  readonly #choice = new Choice();
  readonly #deadlines: Deadlines;
  readonly #strategy: MakeStrategy;
  #lineup: Lineup;
  /** When it was last seen whether to panic (monotonic ms). */
  #lookedAt = -1;

  constructor(
    plan: PoolPlan,
    members: readonly Member[],
    load: PoolLoad,
    deadlines: Deadlines,
    strategy: MakeStrategy,
  ) {
    this.name = plan.name;
    this.plan = plan;
    this.load = load;
    this.#deadlines = deadlines;
    this.#strategy = strategy;
    this.#lineup = new Lineup(members, plan.sticky, this.#choice, strategy);
    this.terms = termsOf(plan.timeouts, plan.retries);
  }

  /** As of now: those of the first priority first. */
  get endpoints(): readonly PoolEndpoint[] {
    return this.#lineup.endpoints;
  }

  /** Other endpoints from now on, or the same with other weights. Strategies begin their rounds anew. Cold. */
  lineUp(members: readonly Member[]): void {
    const old = this.#lineup;
    this.#lineup = new Lineup(members, this.plan.sticky, this.#choice, this.#strategy);
    old.close();
    this.#lookedAt = -1;
    this.load.freed();
  }

  /** The snapshot that it was made for is gone. */
  close(): void {
    this.#lineup.close();
  }

  /** The endpoint for the next attempt, or null if none may be tried. `avoided`: not these, if there are others. */
  pick(asker: Asker, avoided: readonly EndpointState[] = NOBODY): EndpointState | null {
    if (this.load.full) return null;
    const choice = this.#choice;
    if (this.plan.health.panic > 0 && this.#deadlines.now !== this.#lookedAt) this.#look();
    choice.avoided = avoided;
    const lineup = this.#lineup;
    const index = lineup.pick(asker);
    choice.avoided = NOBODY;
    return index < 0 ? null : lineup.endpoints[index]!.state;
  }

  /** What `pick` would do for a first attempt now, leaving everything as it is. Cold. */
  foresee(asker: Asker): Foresight {
    if (this.load.full) return { how: 'full', index: -1, possible: [] };
    if (this.plan.health.panic > 0) this.#look();
    return this.#lineup.foresee(asker);
  }

  /** `response`: of that endpoint to the asker. It gets the cookie that keeps the two together, if that is wanted. */
  mark(asker: Asker, endpoint: EndpointState, response: Fields): void {
    this.#lineup.mark(asker, endpoint, response);
  }

  /** Milliseconds until the first of its endpoints may be tried again; 0: one may now, or it has none yet. */
  get nextTry(): number {
    if (this.endpoints.length === 0) return 0;
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
    this.#choice.panic = this.#lineup.fewWell(this.plan.health.panic);
  }

  /** Is there none to be had only because those that may be tried have as much as they may have? */
  get full(): boolean {
    if (this.load.full) return true;
    return this.endpoints.some(
      ({ state, weight }) => weight > 0 && state.full && (this.panic || state.health.tier() !== UNAVAILABLE),
    );
  }
}
