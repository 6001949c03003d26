/**
 * A pool: endpoints and the strategy that chooses among them. Hot.
 *
 * Made by runtime/snapshot/bind.ts for one snapshot; the endpoints' state is older and outlives it. Who they are is one object, the
 * endpoint set, exchanged whole when those of a name change. A choice takes two passes: first those that are well (or have their
 * pause behind them and nobody trying them); then, if none is well and nothing else takes the pool's place, those that may
 * be tried all the same. Beside the requests, recovery.ts tries what could not be connected to.
 */
import type { Fields } from '../http/fields.ts';
import type { LocalReply } from '../http/local-reply.ts';
import type { Clock } from '../kit/clock.ts';
import type { Random } from '../kit/random.ts';
import type { Deadlines } from '../net/deadlines.ts';
import type { HealthPlan, PoolPlan, QueuePlan } from '../plan/types.ts';
import type { EndpointState } from './endpoint.ts';
import type { PoolPreview } from './pool-preview.ts';
import { Choice, EndpointSet, type MakeStrategy, type Member, type PoolEndpoint } from './endpoint-set.ts';
import type { PoolLoad } from './load.ts';
import { Recovery } from './recovery.ts';
import { type LoadBalancerContext, DUE, HEALTHY, UNAVAILABLE } from './strategies/strategy.ts';
import { type Terms, termsOf } from './terms.ts';

export interface PoolTuning {
  readonly queue: QueuePlan;
  readonly health: HealthPlan;
  /** 0: no limit, in both. */
  readonly maxConnections: number;
  readonly maxRequests: number;
}

/** What a pool is made of besides its plan and its endpoints. */
export interface PoolParts {
  readonly load: PoolLoad;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly random: Random;
  readonly strategy: MakeStrategy;
}

const NOBODY: readonly EndpointState[] = [];

export class Pool {
  readonly name: string;
  readonly plan: PoolPlan;
  readonly load: PoolLoad;
  /** Of exchanges and tunnels whose route says nothing else. */
  readonly terms: Terms;
  /** What takes its place when no endpoint can be had. Set once, when all pools of the snapshot are there. */
  fallback: Pool | LocalReply | null = null;
  readonly #choice = new Choice();
  readonly #deadlines: Deadlines;
  readonly #strategy: MakeStrategy;
  readonly #recovery: Recovery;
  #endpointSet: EndpointSet;
  /** When it was last seen whether to panic (monotonic ms). */
  #lookedAt = -1;

  constructor(plan: PoolPlan, members: readonly Member[], parts: PoolParts) {
    this.name = plan.name;
    this.plan = plan;
    this.load = parts.load;
    this.#deadlines = parts.deadlines;
    this.#strategy = parts.strategy;
    this.#endpointSet = new EndpointSet(members, plan.sticky, this.#choice, parts.strategy);
    this.#recovery = new Recovery(plan, () => this.endpoints, parts);
    this.terms = termsOf(plan.timeouts, plan.retries);
  }

  /** As of now: those of the first priority first. */
  get endpoints(): readonly PoolEndpoint[] {
    return this.#endpointSet.endpoints;
  }

  /** Its snapshot is current: endpoints that are out are tried from now on. Cold. */
  start(): void {
    this.#recovery.start();
  }

  /** Its snapshot is not current any more. `start` may follow. Cold. */
  rest(): void {
    this.#recovery.stop();
  }

  /** Other endpoints from now on, or the same with other weights. Strategies begin their rounds anywhere. Cold. */
  lineUp(members: readonly Member[]): void {
    const old = this.#endpointSet;
    this.#endpointSet = new EndpointSet(members, this.plan.sticky, this.#choice, this.#strategy);
    old.close();
    this.#lookedAt = -1;
    this.#recovery.suspected();
    this.load.freed();
  }

  /** The snapshot that it was made for is gone. */
  close(): void {
    this.#recovery.stop();
    this.#endpointSet.close();
  }

  /** The endpoint for the next attempt, or null if none may be tried. `avoided`: not these, if there are others. */
  pick(context: LoadBalancerContext, avoided: readonly EndpointState[] = NOBODY): EndpointState | null {
    if (this.load.full) return null;
    const choice = this.#choice;
    if (this.plan.health.panic > 0 && this.#deadlines.now !== this.#lookedAt) this.#look();
    choice.avoided = avoided;
    const endpoints = this.#endpointSet;
    const index = endpoints.pick(context, this.fallback === null);
    choice.avoided = NOBODY;
    return index < 0 ? null : endpoints.endpoints[index]!.state;
  }

  /** What `pick` would do for a first attempt now, leaving everything as it is. Cold. */
  foresee(context: LoadBalancerContext): PoolPreview {
    if (this.load.full) return { how: 'full', index: -1, possible: [] };
    if (this.plan.health.panic > 0) this.#look();
    return this.#endpointSet.foresee(context, this.fallback === null);
  }

  /** `response`: of that endpoint to the asker. It gets the cookie that keeps the two together, if that is wanted. */
  addStickyCookie(context: LoadBalancerContext, endpoint: EndpointState, response: Fields): void {
    this.#endpointSet.mark(context, endpoint, response);
  }

  /** Are endpoints tried whose pause is not over? Only if none is well, and nothing else takes the pool's place. */
  get lastResort(): boolean {
    return this.fallback === null && this.#endpointSet.noneWell;
  }

  /**
   * None could be had: may one be soon? Those that may be asked are full, or none is well and others are trying them.
   * `tried`: to be tried by others makes no difference to these.
   */
  worthWaiting(tried: readonly EndpointState[] | null): boolean {
    if (this.full) return true;
    return (
      this.lastResort &&
      this.endpoints.some(
        ({ state, weight }) =>
          weight > 0 && state.health.trials > 0 && state.health.failing && tried?.includes(state) !== true,
      )
    );
  }

  /** Are so few endpoints well that requests go to all of them? */
  get panic(): boolean {
    return this.#choice.panic;
  }

  #look(): void {
    this.#lookedAt = this.#deadlines.now;
    this.#choice.panic = this.#endpointSet.fewWell(this.plan.health.panic);
  }

  /** Is there none to be had only because those that may be tried have as much as they may have? */
  get full(): boolean {
    if (this.load.full) return true;
    const worst = this.panic ? UNAVAILABLE : this.lastResort ? DUE : HEALTHY;
    return this.endpoints.some(({ state, weight }) => weight > 0 && state.full && state.health.tier() <= worst);
  }
}
