/** The policies by their type: one that is planned and not in this table does not compile. Cold. */
import type { PolicyPlan } from '../plan/types.ts';
import { acl } from './acl.ts';
import { headers } from './headers.ts';
import type { Hooks, Policy } from './policy.ts';
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
}

/** Most routes have no policies: they share this. */
const NONE: BoundHooks = { request: [], forward: [], response: [], done: [] };

/** The policy that takes this plan. */
export function policyOf(plan: PolicyPlan): Policy<PolicyPlan> {
  return policies[plan.type];
}

export function bindPolicies(plans: readonly PolicyPlan[]): BoundHooks {
  if (plans.length === 0) return NONE;
  const all = plans.map((plan) => policyOf(plan).bind(plan));
  const backwards = all.toReversed();
  return {
    request: all.flatMap((hooks) => hooks.request ?? []),
    forward: all.flatMap((hooks) => hooks.forward ?? []),
    response: backwards.flatMap((hooks) => hooks.response ?? []),
    done: backwards.flatMap((hooks) => hooks.done ?? []),
  };
}
