/**
 * The conditions of a cache policy on requests: a field, a cookie or a query parameter. Cold to make, hot to evaluate.
 */
import { cookieOf } from '../../http/cookies.ts';
import type { Exchange } from '../../http/exchange.ts';
import { queryValue } from '../../http/query.ts';
import type { CacheConditionPlan } from '../../plan/types/cache.ts';

/** Does any condition hold? null: there are none. */
export type Condition = ((x: Exchange) => boolean) | null;

export function compileConditions(plans: readonly CacheConditionPlan[]): Condition {
  if (plans.length === 0) return null;
  return (x) => {
    for (let i = 0; i < plans.length; i++) {
      const { value } = plans[i]!;
      const found = valueOf(plans[i]!, x);
      if (found !== undefined && (value === null || found === value)) return true;
    }
    return false;
  };
}

function valueOf(plan: CacheConditionPlan, x: Exchange): string | undefined {
  if (plan.in === 'header') return x.fields.get(plan.name);
  return plan.in === 'query' ? queryValue(x.query, plan.name) : (cookieOf(x.fields, plan.name) ?? undefined);
}
