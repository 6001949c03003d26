/** Refuses clients whose address or certificate a named ACL does not allow: 403. Hot after bind. */
import { AccessList, decidingAccessRule } from '../kit/access-list.ts';
import type { ClientCertificate } from '../kit/client-certificate.ts';
import type { Exchange } from '../http/exchange.ts';
import { problemReply } from '../http/local-reply.ts';
import type { AclPlan, PolicyPlan } from '../plan/types.ts';
import type { Policy } from './policy.ts';

const FORBIDDEN = problemReply(403);

/** An ACL is built once, even if a thousand routes name it. */
const made = new WeakMap<AclPlan, AccessList>();

function listsOf(plan: AclPlan): AccessList {
  let lists = made.get(plan);
  if (lists === undefined) made.set(plan, (lists = new AccessList(plan)));
  return lists;
}

function clientOf({ connection: { tls } }: Exchange): ClientCertificate | null {
  return tls === null ? null : tls.client;
}

export const acl: Policy<Extract<PolicyPlan, { type: 'acl' }>> = {
  bind: (plan) => {
    const rules = listsOf(plan.acl);
    return {
      request: (x) => (rules.allows(x.clientAddress, clientOf(x)) ? undefined : FORBIDDEN),
      allows: (x, clientAddress) => rules.allows(clientAddress, clientOf(x)),
    };
  },
  why: ({ acl: rules }, x) => `${rules.name}: ${decidingAccessRule(rules, x.clientAddress, clientOf(x))}`,
  guards: (plan) => listsOf(plan.acl).keepsStrangersOut,
};
