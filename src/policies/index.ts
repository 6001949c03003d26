/** The policies by type. A type that the plan has and this table lacks does not compile. Cold. */
import type { Verdict, HandlerContext } from '../http/interception.ts';
import type { Exchange } from '../http/exchange.ts';
import { RefCounted } from '../kit/ref-counted.ts';
import type { PolicyPlan } from '../plan/types.ts';
import { acl } from './acl.ts';
import { buffer } from './buffer.ts';
import { cache } from './cache.ts';
import { compress } from './compress.ts';
import { cors } from './cors.ts';
import { decompress } from './decompress.ts';
import { headers } from './headers.ts';
import { modulePolicy } from './module.ts';
import type { BindScope, Gate, Hooks, Policy } from './policy.ts';
import { rewrite } from './rewrite.ts';

type BuiltIn = Exclude<PolicyPlan['type'], 'module'>;

const policies = { acl, buffer, cache, compress, cors, decompress, headers, rewrite } satisfies {
  [T in BuiltIn]: Policy<Extract<PolicyPlan, { type: T }>>;
};

/** All policy types. */
export const policyTypes: readonly string[] = [...Object.keys(policies), 'module'];

/** A request hook, with or without interception. */
export type Asked = (x: Exchange, context: HandlerContext) => Verdict | Promise<Verdict>;

/** A route's hooks by phase, in the order in which they run. */
export interface BoundHooks {
  readonly request: readonly Asked[];
  readonly forward: readonly NonNullable<Hooks['forward']>[];
  readonly response: readonly NonNullable<Hooks['response']>[];
  readonly done: readonly NonNullable<Hooks['done']>[];
  /** The response hooks behind and before the policy that may intercept exchanges. */
  readonly inner: readonly NonNullable<Hooks['response']>[];
  readonly outer: readonly NonNullable<Hooks['response']>[];
  /** The policy type of each request hook. */
  readonly asks: readonly string[];
  /** The gates of policies that only admit or refuse. */
  readonly gates: readonly Gate[];
  /** The complete hooks of all other policies. */
  readonly lasting: readonly Hooks[];
}

/** One policy of one route, and the plan that it was made from. */
export interface BoundPolicy {
  readonly plan: PolicyPlan;
  readonly hooks: Hooks;
}

/** Most routes have no policies: they share this value. */
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

/** Returns the policy for this plan. */
export function policyOf(plan: PolicyPlan): Policy<PolicyPlan> {
  return plan.type === 'module' ? modulePolicy(plan) : policies[plan.type];
}

/** The routes that use the policy hold it; the policy's claims are released with it. */
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
