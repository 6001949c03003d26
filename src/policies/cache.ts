/** Serves stored responses, and stores responses (RFC 9111). Hot after bind; the implementation is in cache/. */
import { peek } from '../cache/request/peek.ts';
import { CacheHandler } from '../cache/request/cache-handler.ts';
import type { PolicyPlan } from '../plan/types.ts';
import type { Policy } from './policy.ts';

export const cache: Policy<Extract<PolicyPlan, { type: 'cache' }>> = {
  bind: (plan, scope) => {
    const site = new CacheHandler(scope.route, plan, scope.cache(plan), scope.clock, scope.deadlines);
    return {
      take: (x, context) => site.request(x, context),
      response: (x) => site.response(x),
    };
  },
  preview: (plan, x, scope) => peek(plan, x, scope.route, scope.upgrade, scope.cache(plan), scope.clock.now()),
};
