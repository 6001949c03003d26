/** Serves stored responses, and stores responses (RFC 9111). Hot after bind; the implementation is in cache/. */
import { peek } from '../cache/request/peek.ts';
import { CacheHandler } from '../cache/request/cache-handler.ts';
import type { RequestCache } from '../cache/request/shared-fetch.ts';
import type { HttpCache } from '../cache/store/http-cache.ts';
import type { PolicyPlan } from '../plan/types.ts';
import type { Policy } from './policy.ts';

export const cache: Policy<Extract<PolicyPlan, { type: 'cache' }>> = {
  bind: (plan, scope) => {
    const store = scope.claimed(plan.claim) as RequestCache;
    const site = new CacheHandler(scope.route, plan, store, scope.clock, scope.deadlines);
    return {
      intercepts: true,
      request: (x, context) => site.request(x, context),
      response: (x) => site.response(x),
    };
  },
  preview: (plan, x, scope) => {
    const store = scope.claimed(plan.claim) as HttpCache | null;
    return peek(plan, x, scope.route, scope.upgrade, store, scope.clock.now());
  },
};
