/** The policies by type. A type that the plan has and this table lacks does not compile. Cold. */
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
import { type BindScope, type BoundHooks, HOOK_TIMEOUT, type Hooks, type Policy, type RequestStep } from './policy.ts';
import { rewrite } from './rewrite.ts';

type BuiltIn = Exclude<PolicyPlan['type'], 'module'>;

const policies = { acl, buffer, cache, compress, cors, decompress, headers, rewrite } satisfies {
  [T in BuiltIn]: Policy<Extract<PolicyPlan, { type: T }>>;
};

/** All policy types. */
export const policyTypes: readonly string[] = [...Object.keys(policies), 'module'];

/** One policy of one route, and the plan that it was made from. */
export interface BoundPolicy {
  readonly plan: PolicyPlan;
  readonly hooks: Hooks;
}

/** Most routes have no policies: they share this value. */
const NO_HOOKS: BoundHooks = {
  request: [],
  steps: [],
  forward: [],
  response: [],
  local: [],
  refusal: [],
  done: [],
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

/** `bound`: the outermost first. */
export function hooksOf(bound: readonly RefCounted<BoundPolicy>[]): BoundHooks {
  if (bound.length === 0) return NO_HOOKS;
  const all = bound.map(({ value }) => value.hooks);
  const backwards = all.toReversed();
  const response = backwards.flatMap((hooks) => hooks.response ?? []);
  /** The index in `response` of the first hook of the policies before that place. */
  const before = (place: number): number =>
    response.length - all.slice(0, place).filter((hooks) => hooks.response !== undefined).length;
  return {
    request: all.flatMap((hooks) => hooks.request ?? []),
    steps: bound.flatMap(({ value: { plan, hooks } }, i): RequestStep[] => {
      if (hooks.request === undefined) return [];
      const { timeout = HOOK_TIMEOUT } = hooks;
      return [{ type: plan.type, timeout, answersFrom: before(i), subrequestsTo: before(i + 1) }];
    }),
    forward: all.flatMap((hooks) => hooks.forward ?? []),
    response,
    local: backwards.flatMap((hooks) => (hooks.intercepts === true ? [] : (hooks.response ?? []))),
    refusal: backwards.flatMap((hooks) => hooks.refusal ?? []),
    done: backwards.flatMap((hooks) => hooks.done ?? []),
    gates: all.flatMap((hooks) => hooks.allows ?? []),
    lasting: all.filter((hooks) => hooks.allows === undefined),
  };
}
