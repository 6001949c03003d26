/** The policies by their type: one that is planned and not in this table does not compile. Cold. */
import type { Verdict, HandlerContext } from '../http/interception.ts';
import type { Exchange } from '../http/exchange.ts';
import { RefCounted } from '../kit/ref-counted.ts';
import type { PolicyPlan } from '../plan/types.ts';
import { acl } from './acl.ts';
import { headers } from './headers.ts';
import { cache } from './cache.ts';
import type { BindScope, Gate, Hooks, Policy } from './policy.ts';
import { rewrite } from './rewrite.ts';

const policies = { acl, cache, headers, rewrite } satisfies {
  [T in PolicyPlan['type']]: Policy<Extract<PolicyPlan, { type: T }>>;
};

/** Every type that there is. */
export const policyTypes: readonly string[] = Object.keys(policies);

/** A request hook, of whichever sort. */
export type Asked = (x: Exchange, context: HandlerContext) => Verdict | Promise<Verdict>;

/** A route's hooks by phase, in the order in which they run. */
export interface BoundHooks {
  readonly request: readonly Asked[];
  readonly forward: readonly NonNullable<Hooks['forward']>[];
  readonly response: readonly NonNullable<Hooks['response']>[];
  readonly done: readonly NonNullable<Hooks['done']>[];
  /** The response hooks behind and before the policy that may take exchanges over. */
  readonly inner: readonly NonNullable<Hooks['response']>[];
  readonly outer: readonly NonNullable<Hooks['response']>[];
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
const NONE: BoundHooks = {
  request: [],
  forward: [],
  response: [],
  done: [],
  inner: [],
  outer: [],
  asks: [],
  gates: [],
  lasting: [],
};

/** The policy that takes this plan. */
export function policyOf(plan: PolicyPlan): Policy<PolicyPlan> {
  return policies[plan.type];
}

/** Held by the routes that have it; what a policy claims is released with it. */
export function bindPolicy(
  plan: PolicyPlan,
  scope: BindScope,
  releases: readonly (() => void)[],
): RefCounted<BoundPolicy> {
  return new RefCounted({ plan, hooks: policyOf(plan).bind(plan, scope) }, releases);
}

export function hooksOf(bound: readonly RefCounted<BoundPolicy>[]): BoundHooks {
  if (bound.length === 0) return NONE;
  const all = bound.map(({ value }) => value.hooks);
  const backwards = all.toReversed();
  const taker = all.findIndex((hooks) => hooks.take !== undefined);
  const responses = (hooks: readonly Hooks[]) => hooks.flatMap((one) => one.response ?? []);
  return {
    request: all.flatMap((hooks): Asked[] => [hooks.request ?? hooks.take ?? []].flat()),
    forward: all.flatMap((hooks) => hooks.forward ?? []),
    response: responses(backwards),
    done: backwards.flatMap((hooks) => hooks.done ?? []),
    inner: taker < 0 ? [] : responses(all.slice(taker + 1).toReversed()),
    outer: taker < 0 ? [] : responses(all.slice(0, taker).toReversed()),
    asks: bound.flatMap(({ value: { plan, hooks } }) => ((hooks.request ?? hooks.take) === undefined ? [] : plan.type)),
    gates: all.flatMap((hooks) => hooks.allows ?? []),
    lasting: all.filter((hooks) => hooks.allows === undefined),
  };
}
