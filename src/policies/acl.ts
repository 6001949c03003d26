/** Refuses clients whose address a named ACL does not allow: 403. Hot after bind. */
import { AddressAcl, decidingRule, keepsStrangersOut } from '../kit/address-set.ts';
import { problemResponse } from '../http/fixed-response.ts';
import type { PolicyPlan } from '../plan/types.ts';
import type { Policy } from './policy.ts';

const FORBIDDEN = problemResponse(403);

export const acl: Policy<Extract<PolicyPlan, { type: 'acl' }>> = {
  bind: (plan) => {
    const rules = new AddressAcl(plan.acl);
    return {
      request: (x) => (rules.allows(x.clientAddress) ? undefined : FORBIDDEN),
      allows: (_, clientAddress) => rules.allows(clientAddress),
    };
  },
  why: ({ acl: rules }, x) => `${rules.name}: ${decidingRule(rules, x.clientAddress)}`,
  guards: (plan) => keepsStrangersOut(plan.acl),
};
