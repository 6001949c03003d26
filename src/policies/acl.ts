/** Refuses clients whose address a named ACL does not allow: 403. Hot after bind. */
import { AddressAcl, decidingRule, keepsStrangersOut } from '../kit/address-set.ts';
import { problemReply } from '../http/local-reply.ts';
import type { AclPlan, PolicyPlan } from '../plan/types.ts';
import type { Policy } from './policy.ts';

const FORBIDDEN = problemReply(403);

/** An ACL is built once, even if a thousand routes name it. */
const made = new WeakMap<AclPlan, AddressAcl>();

function listsOf(plan: AclPlan): AddressAcl {
  let lists = made.get(plan);
  if (lists === undefined) made.set(plan, (lists = new AddressAcl(plan)));
  return lists;
}

export const acl: Policy<Extract<PolicyPlan, { type: 'acl' }>> = {
  bind: (plan) => {
    const rules = listsOf(plan.acl);
    return {
      request: (x) => (rules.allows(x.clientAddress) ? undefined : FORBIDDEN),
      allows: (_, clientAddress) => rules.allows(clientAddress),
    };
  },
  why: ({ acl: rules }, x) => `${rules.name}: ${decidingRule(rules, x.clientAddress)}`,
  guards: (plan) => keepsStrangersOut(listsOf(plan.acl)),
};
