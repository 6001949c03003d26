/**
 * A pool's current endpoints, and the strategies that choose among them. Hot.
 *
 * It is immutable: when endpoints come or go (runtime/snapshot/membership.ts), the pool gets a new one. The endpoints
 * of each priority have their own strategy; a lower priority is used only if no endpoint of a higher one is available.
 */
import type { Fields } from '../http/fields.ts';
import type { Claim } from '../kit/claim.ts';
import type { CheckPlan, EndpointPlan } from '../plan/types/pool.ts';
import type { StickyPlan } from '../plan/types/sticky.ts';
import type { EndpointState } from './endpoint.ts';
import { previewPool, type PoolPreview, type Level } from './pool-preview.ts';
import { Sticky } from './sticky.ts';
import {
  type LoadBalancerContext,
  type Candidate,
  DUE,
  HEALTHY,
  type Strategy,
  UNAVAILABLE,
} from './strategies/strategy.ts';

/** One of a pool's endpoints, as configured or as resolved. */
export interface Member {
  readonly plan: EndpointPlan;
  readonly state: EndpointState;
  /** 0 is the highest priority. */
  readonly priority: number;
  /** Its sticky cookie value, if the pool is sticky. */
  readonly cookie: string;
  /** null: it has no active check. */
  readonly check: { readonly claim: Claim; readonly plan: CheckPlan } | null;
  /** The DNS name that it was resolved from; null: its address is in the config. */
  readonly name: string | null;
}

/** State of the choice in progress, shared by all endpoints of the pool. */
export class Choice {
  /** Endpoints that were tried already. */
  avoided: readonly EndpointState[] = [];
  /** So few endpoints are healthy that the pool ignores health. */
  panic = false;
}

/** An endpoint as one pool sees it: lasting state, with this snapshot's weight. */
export class PoolEndpoint implements Candidate {
  readonly member: Member;
  readonly state: EndpointState;
  readonly weight: number;
  readonly #choice: Choice;

  constructor(member: Member, choice: Choice) {
    this.member = member;
    this.state = member.state;
    this.weight = member.plan.weight;
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

  /** May a sticky client come back to it? */
  get keeps(): boolean {
    return this.state.health.keeps && !this.state.full && !this.#choice.avoided.includes(this.state);
  }

  tier(): number {
    const { state } = this;
    const choice = this.#choice;
    if (state.full || (choice.avoided.length > 0 && choice.avoided.includes(state))) return UNAVAILABLE;
    if (choice.panic && state.health.adminState === 'enabled') return HEALTHY;
    return state.health.tier();
  }
}

export type MakeStrategy = (candidates: readonly Candidate[]) => Strategy;

export class EndpointSet {
  /** Ordered by priority, highest first. */
  readonly endpoints: readonly PoolEndpoint[];
  readonly #levels: readonly Level<PoolEndpoint>[];
  /** null: the pool is not sticky. */
  readonly #sticky: Sticky | null;
  readonly #indexes: ReadonlyMap<EndpointState, number>;
  readonly #watched: (() => void)[] = [];

  constructor(members: readonly Member[], sticky: StickyPlan | null, choice: Choice, make: MakeStrategy) {
    const ordered = members.toSorted((a, b) => a.priority - b.priority);
    this.endpoints = ordered.map((member) => new PoolEndpoint(member, choice));
    const priorities = [...new Set(ordered.map(({ priority }) => priority))];
    let from = 0;
    this.#levels = priorities.map((priority) => {
      const endpoints = this.endpoints.filter(({ member }) => member.priority === priority);
      const level = { endpoints, strategy: make(endpoints), from };
      from += endpoints.length;
      return level;
    });
    this.#sticky =
      sticky === null
        ? null
        : new Sticky(
            sticky,
            ordered.map(({ cookie }) => cookie),
          );
    this.#indexes = new Map(this.#sticky === null ? [] : ordered.map(({ state }, i) => [state, i]));
    for (const { state } of this.endpoints) state.joinEndpointSet();
    for (const level of this.#levels) this.#watch(level);
  }

  #watch({ strategy, endpoints }: Level<PoolEndpoint>): void {
    if (strategy.changed === undefined) return;
    endpoints.forEach(({ state }, i) => {
      const watcher = (): void => strategy.changed?.(i);
      state.watch(watcher);
      this.#watched.push(() => state.unwatch(watcher));
    });
  }

  /** Another set has replaced it, or its pool is gone. */
  close(): void {
    for (const unwatch of this.#watched) unwatch();
    for (const { state } of this.endpoints) state.leaveLineup();
  }

  /**
   * Two passes: the healthy endpoints first; if there is none, and `mayTry`, those that may be tried anyway. -1: none.
   */
  pick(context: LoadBalancerContext, mayTry: boolean): number {
    const had = this.#sticky === null ? -1 : this.#sticky.find(context);
    if (had >= 0 && this.endpoints[had]!.keeps) return had;
    const well = this.#pick(HEALTHY, context);
    if (well >= 0 || !mayTry || !this.noneWell) return well;
    return had >= 0 && this.endpoints[had]!.tier() === DUE ? had : this.#pick(DUE, context);
  }

  #pick(tier: number, context: LoadBalancerContext): number {
    const levels = this.#levels;
    for (let i = 0; i < levels.length; i++) {
      const { strategy, from } = levels[i]!;
      const index = strategy.pick(tier, context);
      if (index >= 0) return from + index;
    }
    return -1;
  }

  /** Previews `pick` without any side effect. Cold. */
  preview(context: LoadBalancerContext, mayTry: boolean): PoolPreview {
    const had = this.#sticky === null ? -1 : this.#sticky.find(context);
    const kept = had >= 0 && this.endpoints[had]!.keeps ? had : -1;
    const well = previewPool(this.#levels, kept, context, [HEALTHY]);
    if (well.how !== 'none' || !mayTry || !this.noneWell) return well;
    return previewPool(this.#levels, had >= 0 && this.endpoints[had]!.tier() === DUE ? had : -1, context, [DUE]);
  }

  /** Is no endpoint with a weight healthy? */
  get noneWell(): boolean {
    const { endpoints } = this;
    for (let i = 0; i < endpoints.length; i++) {
      const { weight, state } = endpoints[i]!;
      if (weight > 0 && state.health.well) return false;
    }
    return true;
  }

  /**
   * `response`: from that endpoint to the client. Adds the sticky cookie if the pool is sticky and the client lacks it.
   */
  mark(context: LoadBalancerContext, endpoint: EndpointState, response: Fields): void {
    if (this.#sticky === null) return;
    const index = this.#indexes.get(endpoint);
    // The endpoint is no longer in the set, so a cookie for it would be useless.
    if (index === undefined) return;
    const cookie = this.#sticky.mark(context, index);
    if (cookie !== null) response.add('Set-Cookie', cookie);
  }

  /** Is every priority below this percentage of healthy endpoints? */
  fewWell(percent: number): boolean {
    return this.#levels.every(({ endpoints }) => {
      let well = 0;
      for (const { state } of endpoints) if (state.health.well) well++;
      return well * 100 < percent * endpoints.length;
    });
  }
}
