/** The pools that policies send subrequests to. Cold. */
import type { PolicyPlan } from './types.ts';

/** The names of the pools that a policy may send subrequests to. */
export function poolsOfPolicy(policy: PolicyPlan): readonly string[] {
  return policy.type === 'module' ? policy.pools : [];
}

/** Throws if the policy's plan does not name that pool. */
export function checkPoolOfPolicy(policy: PolicyPlan, pool: string): void {
  if (!poolsOfPolicy(policy).includes(pool)) throw new RangeError(`pool ${pool} is not in the policy's pools`);
}
