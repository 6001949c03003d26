/** The policies by their type: one that is planned and not in this table does not compile. Cold. */
import { Kept } from '../kit/kept.ts';
import type { PolicyPlan } from '../plan/types.ts';
import { acl } from './acl.ts';
import { headers } from './headers.ts';
import type { Gate, Hooks, Policy } from './policy.ts';
import { rewrite } from './rewrite.ts';

const policies = { acl, headers, rewrite } satisfies {
  [T in PolicyPlan['type']]: Policy<Extract<PolicyPlan, { type: T }>>;
};

/** Every type that there is. */
export const policyTypes: readonly string[] = Object.keys(policies);

/** A route's hooks by phase, in the order in which they run. */
export interface BoundHooks {
  readonly request: readonly NonNullable<Hooks['request']>[];
  readonly forward: readonly NonNullable<Hooks['forward']>[];
  readonly response: readonly NonNullable<Hooks['response']>[];
  readonly done: readonly NonNullable<Hooks['done']>[];
  /** Types of the policies that the request hooks are of. */
  readonly asks: readonly string[];
  /** Of those that only let in or refuse. */
  readonly gates: readonly Gate[];
  /** The others, each as a whole. */
  readonly lasting: readonly Hooks[];
}

/** One policy of one route, and what it was made from. */
export interface BoundPolicy {
  readonly plan: PolicyPlan;
  readonly hooks: Hooks;
}

/** Most routes have no policies: they share this. */
const NONE: BoundHooks = { request: [], forward: [], response: [], done: [], asks: [], gates: [], lasting: [] };

/** The policy that takes this plan. */
export function policyOf(plan: PolicyPlan): Policy<PolicyPlan> {
  return policies[plan.type];
}

/** Held by the routes that have it; what a policy claims is released with it. */
export function bindPolicy(plan: PolicyPlan): Kept<BoundPolicy> {
  return new Kept({ plan, hooks: policyOf(plan).bind(plan) });
}

export function hooksOf(bound: readonly Kept<BoundPolicy>[]): BoundHooks {
  if (bound.length === 0) return NONE;
  const all = bound.map(({ value }) => value.hooks);
  const backwards = all.toReversed();
  return {
    request: all.flatMap((hooks) => hooks.request ?? []),
    forward: all.flatMap((hooks) => hooks.forward ?? []),
    response: backwards.flatMap((hooks) => hooks.response ?? []),
    done: backwards.flatMap((hooks) => hooks.done ?? []),
    asks: bound.flatMap(({ value: { plan, hooks } }) => (hooks.request === undefined ? [] : plan.type)),
    gates: all.flatMap((hooks) => hooks.allows ?? []),
    lasting: all.filter((hooks) => hooks.allows === undefined),
  };
}
