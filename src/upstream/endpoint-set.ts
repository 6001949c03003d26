/**
 * A pool's endpoints as of now, and the strategies that choose among them. Hot.
 *
 * It never changes: when endpoints come or go (runtime/snapshot/membership.ts), the pool gets another one in its place. Endpoints of
 * one priority have a strategy of their own; those of the next are asked only if none of the ones before may be.
 */
import type { Fields } from '../http/fields.ts';
import type { Claim } from '../kit/claim.ts';
import type { CheckPlan, EndpointPlan } from '../plan/types.ts';
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

/** One of a pool's endpoints, as configured or as found. */
export interface Member {
  readonly plan: EndpointPlan;
  readonly state: EndpointState;
  /** 0 comes first. */
  readonly priority: number;
  /** What its cookie says, if clients are kept. */
  readonly cookie: string;
  /** null: it is not checked. */
  readonly check: { readonly claim: Claim; readonly plan: CheckPlan } | null;
  /** The name that it was found by; null: its address is in the config. */
  readonly name: string | null;
}

/** What holds for one choice, seen by every endpoint of the pool. */
export class Choice {
  /** Endpoints that have been tried already. */
  avoided: readonly EndpointState[] = [];
  /** So few are well that health is not asked. */
  panic = false;
}

/** An endpoint as one pool sees it: lasting state under this snapshot's weight. */
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

  /** May a client that it had before come again? */
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
  /** Those of the first priority first. */
  readonly endpoints: readonly PoolEndpoint[];
  readonly #levels: readonly Level<PoolEndpoint>[];
  /** null: clients are not kept. */
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
    for (const { state } of this.endpoints) state.joinLineup();
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

  /** Another one is in its place, or its pool is gone. */
  close(): void {
    for (const unwatch of this.#watched) unwatch();
    for (const { state } of this.endpoints) state.leaveLineup();
  }

  /** The two passes: first those that are well; if none is, and `mayTry`, those that may be tried. -1: none may be. */
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

  /** What `pick` would do, leaving everything as it is. Cold. */
  foresee(context: LoadBalancerContext, mayTry: boolean): PoolPreview {
    const had = this.#sticky === null ? -1 : this.#sticky.find(context);
    const kept = had >= 0 && this.endpoints[had]!.keeps ? had : -1;
    const well = previewPool(this.#levels, kept, context, [HEALTHY]);
    if (well.how !== 'nobody' || !mayTry || !this.noneWell) return well;
    return previewPool(this.#levels, had >= 0 && this.endpoints[had]!.tier() === DUE ? had : -1, context, [DUE]);
  }

  /** Is there no endpoint that is well, of those that strategies choose among? */
  get noneWell(): boolean {
    const { endpoints } = this;
    for (let i = 0; i < endpoints.length; i++) {
      const { weight, state } = endpoints[i]!;
      if (weight > 0 && state.health.well) return false;
    }
    return true;
  }

  /** `response`: of that endpoint to the asker. It gets the cookie that keeps the two together, if that is wanted. */
  mark(context: LoadBalancerContext, endpoint: EndpointState, response: Fields): void {
    if (this.#sticky === null) return;
    const index = this.#indexes.get(endpoint);
    // It is not there any more: nobody could be brought back to it.
    if (index === undefined) return;
    const cookie = this.#sticky.mark(context, index);
    if (cookie !== null) response.add('Set-Cookie', cookie);
  }

  /** Is there no priority of which at least so many percent are well? */
  fewWell(percent: number): boolean {
    return this.#levels.every(({ endpoints }) => {
      let well = 0;
      for (const { state } of endpoints) if (state.health.well) well++;
      return well * 100 < percent * endpoints.length;
    });
  }
}
