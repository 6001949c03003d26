/**
 * A pool: endpoints, and the strategy that chooses among them. Hot.
 *
 * runtime/snapshot/bind.ts makes it for one snapshot; the endpoints' state is older and outlives it. The endpoint set
 * is one object, replaced as a whole when DNS results change. A choice takes two passes. The first considers healthy
 * endpoints, and those whose pause is over and that no trial is probing. The second runs if none is healthy and the
 * pool has no fallback, and considers endpoints that may be tried anyway. Independently of requests, recovery.ts probes
 * unreachable endpoints.
 */
import type { Fields } from '../http/fields.ts';
import type { LocalReply } from '../http/local-reply.ts';
import type { Clock } from '../kit/clock.ts';
import type { Random } from '../kit/random.ts';
import type { Deadlines } from '../net/deadlines.ts';
import type { ClientTls } from '../net/tls/client-tls.ts';
import type { PoolPlan } from '../plan/types/pool.ts';
import type { EndpointState } from './endpoint.ts';
import type { PoolPreview } from './pool-preview.ts';
import { Choice, EndpointSet, type MakeStrategy, type Member, type PoolEndpoint } from './endpoint-set.ts';
import type { PoolLoad } from './load.ts';
import { Recovery } from './recovery.ts';
import { type LoadBalancerContext, DUE, HEALTHY, UNAVAILABLE } from './strategies/strategy.ts';
import { type Terms, termsOf } from './terms.ts';

/** The dependencies of a pool besides its plan and its endpoints. */
export interface PoolParts {
  readonly load: PoolLoad;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly random: Random;
  readonly strategy: MakeStrategy;
  /** The TLS of its endpoints; null: they have none. */
  readonly tls: ClientTls | null;
}

const NONE: readonly EndpointState[] = [];

export class Pool {
  readonly name: string;
  readonly plan: PoolPlan;
  readonly load: PoolLoad;
  readonly tls: ClientTls | null;
  /** The TLS of a connection depends on the host that the endpoint gets. */
  readonly tlsByHost: boolean;
  /** For exchanges and tunnels whose route overrides nothing. */
  readonly terms: Terms;
  /** Used when no endpoint is available. Set once, when all pools of the snapshot exist. */
  fallback: Pool | LocalReply | null = null;
  readonly #choice = new Choice();
  readonly #deadlines: Deadlines;
  readonly #strategy: MakeStrategy;
  readonly #recovery: Recovery;
  #endpointSet: EndpointSet;
  /** When panic mode was last evaluated (monotonic ms). */
  #lookedAt = -1;

  constructor(plan: PoolPlan, members: readonly Member[], parts: PoolParts) {
    this.name = plan.name;
    this.plan = plan;
    this.load = parts.load;
    this.tls = parts.tls;
    this.tlsByHost = plan.tls?.serverName === 'from_host';
    this.#deadlines = parts.deadlines;
    this.#strategy = parts.strategy;
    this.#endpointSet = new EndpointSet(members, plan.sticky, this.#choice, parts.strategy);
    this.#recovery = new Recovery(plan, () => this.endpoints, parts);
    this.terms = termsOf(plan.timeouts, plan.retries);
  }

  /** Current endpoints, ordered by priority, highest first. */
  get endpoints(): readonly PoolEndpoint[] {
    return this.#endpointSet.endpoints;
  }

  /** Its snapshot is current: starts the probes of endpoints that are out. Cold. */
  start(): void {
    this.#recovery.start();
  }

  /** Its snapshot is no longer current. `start` may follow. Cold. */
  rest(): void {
    this.#recovery.stop();
  }

  /** Replaces the endpoints, or their weights. Strategies start at a random place of their rounds. Cold. */
  replaceEndpoints(members: readonly Member[]): void {
    const old = this.#endpointSet;
    this.#endpointSet = new EndpointSet(members, this.plan.sticky, this.#choice, this.#strategy);
    old.close();
    this.#lookedAt = -1;
    this.#recovery.suspected();
    this.load.freed();
  }

  /** Its snapshot is gone. */
  close(): void {
    this.#recovery.stop();
    this.#endpointSet.close();
  }

  /** The endpoint for the next attempt, or null if none is available. `avoided`: endpoints to skip. */
  pick(context: LoadBalancerContext, avoided: readonly EndpointState[] = NONE): EndpointState | null {
    if (this.load.full) return null;
    const choice = this.#choice;
    if (this.plan.health.panic > 0 && this.#deadlines.now !== this.#lookedAt) this.#look();
    choice.avoided = avoided;
    const endpoints = this.#endpointSet;
    const index = endpoints.pick(context, this.fallback === null);
    choice.avoided = NONE;
    return index < 0 ? null : endpoints.endpoints[index]!.state;
  }

  /** Previews `pick` for a first attempt without any side effect. Cold. */
  preview(context: LoadBalancerContext): PoolPreview {
    if (this.load.full) return { how: 'full', index: -1, possible: [] };
    if (this.plan.health.panic > 0) this.#look();
    return this.#endpointSet.preview(context, this.fallback === null);
  }

  /**
   * `response`: from that endpoint to the client. Adds the sticky cookie if the pool is sticky and the client lacks it.
   */
  addStickyCookie(context: LoadBalancerContext, endpoint: EndpointState, response: Fields): void {
    this.#endpointSet.mark(context, endpoint, response);
  }

  /** May endpoints be tried before their pause is over? Only if none is healthy and the pool has no fallback. */
  get lastResort(): boolean {
    return this.fallback === null && this.#endpointSet.noneWell;
  }

  /**
   * No endpoint is available: may one be soon? Either the available ones are full, or none is healthy and trials of
   * others are in progress. `tried`: trials of these do not count.
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

  /** Is the pool in panic mode: so few endpoints are healthy that requests go to all of them? */
  get panic(): boolean {
    return this.#choice.panic;
  }

  #look(): void {
    this.#lookedAt = this.#deadlines.now;
    this.#choice.panic = this.#endpointSet.fewWell(this.plan.health.panic);
  }

  /** Is no endpoint available only because those that may be used have reached their limits? */
  get full(): boolean {
    if (this.load.full) return true;
    const worst = this.panic ? UNAVAILABLE : this.lastResort ? DUE : HEALTHY;
    return this.endpoints.some(({ state, weight }) => weight > 0 && state.full && state.health.tier() <= worst);
  }
}
