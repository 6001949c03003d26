/** Answers from stored responses, and stores what may be stored (RFC 9111). Hot after bind; what it does is in cache/. */
import { peek } from '../cache/peek.ts';
import { CacheSite } from '../cache/site.ts';
import type { PolicyPlan } from '../plan/types.ts';
import type { Policy } from './policy.ts';

export const cache: Policy<Extract<PolicyPlan, { type: 'cache' }>> = {
  bind: (plan, scope) => {
    const site = new CacheSite(scope.route, plan, scope.cache(plan), scope.clock, scope.deadlines);
    return {
      take: (x, way) => site.request(x, way),
      response: (x) => site.response(x),
    };
  },
  preview: (plan, x, scope) => peek(plan, x, scope.route, scope.upgrade, scope.cache(plan), scope.clock.now()),
};
