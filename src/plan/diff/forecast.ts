/**
 * Predicts the effect of a reload on running leases: those that migrate to the new config, those that stay behind, and
 * how the latter end. Cold.
 *
 * It follows the rules of proxy/migration.ts, applied to plans. It does not know the requests: where another route may
 * now match them, the forecast says "unsure".
 */
import { AddressAcl } from '../../kit/address-set.ts';
import type { Claim } from '../../kit/claim.ts';
import { claimBefore } from '../claims.ts';
import { Succession } from '../succession.ts';
import type { AclPlan, ListenerPlan, Plan, RoutePlan } from '../types.ts';
import type { PoolPlan } from '../types/pool.ts';
import type { DrainAction } from '../types/drain.ts';
import type { PlanDiff } from './changes.ts';
import { type ForgottenAdminState, forgottenAdminStates } from './forgotten.ts';
import { type LiveNumbers, type LiveLeases, poolsAt, poolsOf, poolsOfPolicies } from './live.ts';
import { mayMeet } from './overlap.ts';
import { alike } from './reading.ts';

type Stay =
  | 'listener_gone'
  | 'denied_by_listener'
  | 'denied_by_policy'
  | 'route_gone'
  | 'policies_changed'
  | 'pool_changed'
  | 'endpoint_gone';

export interface StaysBehind {
  readonly reason: Stay;
  readonly exchanges: number;
  readonly streams: number;
  /** The action at the deadline; for leases that the new config refuses, the action for those. */
  readonly action: DrainAction | 'keep' | 'drain' | 'cut';
  /** Milliseconds after the reload; null: no deadline, it ends by itself. */
  readonly deadline: number | null;
}

export interface Forecast {
  /** The leases of the current generation. */
  readonly leases: number;
  readonly goes_over: number;
  /**
   * Another route, or none, may now match their requests, for example if their paths are read differently; then they
   * stay behind.
   */
  readonly unsure: number;
  readonly stays: readonly StaysBehind[];
  /** Client connections beyond their listener's new limit. */
  readonly over_limit: number;
  readonly older: number;
  /** Endpoints that an operator has drained or disabled and whose state is lost. */
  readonly forgets: readonly ForgottenAdminState[];
}

export function forecast(before: Plan, after: Plan, diff: PlanDiff, live: LiveNumbers): Forecast {
  const sides = new Sides(before, after, diff);
  const stays = new Map<string, { -readonly [K in keyof StaysBehind]: StaysBehind[K] }>();
  const counts = { leases: 0, goes_over: 0, unsure: 0 };
  for (const one of live.leases) {
    counts.leases += one.count;
    const fate = sides.fateOf(one);
    if (fate === 'goes_over' || fate === 'unsure') {
      counts[fate] += one.count;
      continue;
    }
    const end = sides.endOf(one, fate);
    const key = `${fate} ${end.action} ${end.deadline}`;
    const group = stays.get(key) ?? { reason: fate, exchanges: 0, streams: 0, ...end };
    group[one.kind === 'exchange' || one.kind === 'mirror' ? 'exchanges' : 'streams'] += one.count;
    stays.set(key, group);
  }
  return {
    ...counts,
    stays: [...stays.values()],
    over_limit: overLimit(before, after, live),
    older: live.older,
    forgets: forgottenAdminStates(before, after, live.endpoints),
  };
}

function overLimit(before: Plan, { listeners }: Plan, { connections }: LiveNumbers): number {
  const succession = new Succession(listeners);
  const counts = new Map<ListenerPlan, number>();
  for (const one of before.listeners) {
    const now = succession.of(one);
    if (now !== null) counts.set(now, (counts.get(now) ?? 0) + (connections[one.name] ?? 0));
  }
  let over = 0;
  for (const [{ limits }, count] of counts) if (limits.connections > 0) over += Math.max(0, count - limits.connections);
  return over;
}

interface Side {
  readonly plan: Plan;
  readonly listeners: ReadonlyMap<string, ListenerPlan>;
  readonly routes: ReadonlyMap<string, RoutePlan>;
  readonly pools: ReadonlyMap<string, PoolPlan>;
}

function sideOf(plan: Plan): Side {
  const byName = <T extends { readonly name: string }>(list: readonly T[]): Map<string, T> =>
    new Map(list.map((one) => [one.name, one]));
  return { plan, listeners: byName(plan.listeners), routes: byName(plan.routes), pools: byName(plan.pools) };
}

class Sides {
  readonly #before: Side;
  readonly #after: Side;
  readonly #succession: Succession;
  /** Routes that may now take requests from others. */
  readonly #taking = new Map<string, RoutePlan>();
  /** Whether another route may now take requests from this one, as far as computed. */
  readonly #losing = new Map<string, boolean>();
  readonly #acls = new Map<AclPlan, AddressAcl>();

  constructor(before: Plan, after: Plan, { changes }: PlanDiff) {
    this.#before = sideOf(before);
    this.#after = sideOf(after);
    this.#succession = new Succession(after.listeners);
    for (const { kind, name, order } of changes) {
      const route = kind === 'route' && order !== null ? this.#after.routes.get(name) : undefined;
      if (route !== undefined && order?.effect !== 'none') this.#taking.set(name, route);
    }
  }

  #mayLose(route: RoutePlan): boolean {
    const { name } = route;
    let losing = this.#losing.get(name);
    if (losing === undefined) {
      losing = this.#taking.has(name) || [...this.#taking.values()].some((other) => mayMeet(other, route));
      this.#losing.set(name, losing);
    }
    return losing;
  }

  fateOf(one: LiveLeases): Stay | 'goes_over' | 'unsure' {
    const old = this.#before.listeners.get(one.listener);
    const now = old === undefined ? null : this.#succession.of(old);
    if (one.kind === 'mirror') return this.#atRoute(one, [], []);
    if (now === null || old?.protocol !== now.protocol) return 'listener_gone';
    if (!this.#allows(now.acl, one.client)) return 'denied_by_listener';
    if (one.kind !== 'tcp') {
      const fate = this.#atRoute({ ...one, listener: now.name }, old.policies, now.policies);
      return fate === 'goes_over' && !alike(old.paths, now.paths) ? 'unsure' : fate;
    }
    const fate = this.#atPools(poolsAt(old, this.#before.plan), poolsAt(now, this.#after.plan), one);
    const sameRoutes = alike(old.tlsRoutes, now.tlsRoutes) && (old.tls === null) === (now.tls === null);
    return fate === 'goes_over' && !sameRoutes ? 'unsure' : fate;
  }

  /** `outer`, `outerNow`: the policies of its listener. */
  #atRoute(one: LiveLeases, outer: Policies, outerNow: Policies): Stay | 'goes_over' | 'unsure' {
    const [old, now] = [this.#before.routes.get(one.route), this.#after.routes.get(one.route)];
    // The request is not routed yet, or no route matched: it ends at once.
    if (one.route === '') return 'goes_over';
    if (old === undefined || now === undefined) return 'route_gone';
    if (now.listeners?.includes(one.listener) === false) return 'route_gone';
    for (const policy of [...outerNow, ...now.policies])
      if (policy.type === 'acl' && !this.#allows(policy.acl, one.client)) return 'denied_by_policy';
    if (!this.#samePolicies([...outer, ...old.policies], [...outerNow, ...now.policies])) return 'policies_changed';
    // It waits in a request hook of a route that answers by itself.
    if (!sendsOn(old) && !alike(old.action, now.action)) return sendsOn(now) ? 'pool_changed' : 'policies_changed';
    const fate = this.#atPools(poolsOf(old, this.#before.plan), poolsOf(now, this.#after.plan), one);
    return fate === 'goes_over' && this.#mayLose(now) ? 'unsure' : fate;
  }

  /** A policy whose pools change is bound anew. */
  #samePolicies(old: Policies, now: Policies): boolean {
    const pools = ({ plan, pools: all }: Side, policies: Policies): unknown[] =>
      poolsOfPolicies(policies, plan).map((name) => all.get(name));
    return alike(lasting(old), lasting(now)) && alike(pools(this.#before, old), pools(this.#after, now));
  }

  /** A lease with an endpoint migrates if its pool still has that endpoint; a lease without one needs an equal pool. */
  #atPools(old: readonly string[], now: readonly string[], { endpoint }: LiveLeases): Stay | 'goes_over' {
    const identity = (side: Side, name: string): string | undefined => {
      const pool = side.pools.get(name);
      const known = ({ identity: own, ...claim }: Claim): string =>
        (pool === undefined ? null : claimBefore({ identity: own, ...claim }, name, pool.renamedFrom))?.identity ?? own;
      const configured = pool?.endpoints.find(({ address }) => address.text === endpoint);
      // Otherwise a DNS name found it, and finds it again if the names are looked up as before.
      return configured === undefined
        ? pool?.dns?.names.map(({ claim }) => known(claim)).join()
        : known(configured.claim);
    };
    const asked = endpoint === '' ? old : old.filter((pool) => identity(this.#before, pool) !== undefined);
    const names = new Map(now.map((name) => [this.#after.pools.get(name)?.renamedFrom ?? name, name]));
    const there = asked.filter((pool) => names.has(pool));
    const goes = (pool: string): boolean =>
      endpoint === ''
        ? alike(this.#before.pools.get(pool), this.#after.pools.get(names.get(pool)!))
        : identity(this.#after, names.get(pool)!) === identity(this.#before, pool);
    if (asked.length === 0 || there.some(goes)) return 'goes_over';
    return endpoint !== '' && there.length > 0 ? 'endpoint_gone' : 'pool_changed';
  }

  /** Assumes that an unknown client is allowed. */
  #allows(acl: AclPlan | null, client: string | null): boolean {
    if (acl === null || client === null) return true;
    let rules = this.#acls.get(acl);
    if (rules === undefined) this.#acls.set(acl, (rules = new AddressAcl(acl)));
    return rules.allows(client);
  }

  /** The drain rule of its route, else of its listener, else of the gateway, in the config that the lease runs on. */
  endOf({ listener, route }: LiveLeases, reason: Stay): Pick<StaysBehind, 'action' | 'deadline'> {
    const { tightened } = this.#after.plan.reload;
    if (reason.startsWith('denied') && tightened !== 'drain') return { action: tightened, deadline: null };
    const general = this.#before.plan.reload.drain;
    const own = this.#before.routes.get(route)?.drain;
    const its = this.#before.listeners.get(listener)?.drain;
    const action = own?.action ?? its?.action ?? general.action;
    const deadline = own?.deadline ?? its?.deadline ?? general.deadline;
    return { action, deadline: action === 'finish' ? null : deadline };
  }
}

function sendsOn({ action: { type } }: RoutePlan): boolean {
  return type === 'pool' || type === 'split';
}

type Policies = RoutePlan['policies'];

/** The policies besides ACLs: an ACL is just evaluated again. */
function lasting(policies: Policies): Policies {
  return policies.filter(({ type }) => type !== 'acl');
}
