/** Compiles a cache policy's conditions on requests: a field, cookie or parameter. Cold to compile, hot to evaluate. */
import { cookiesOf } from '../../http/cookies.ts';
import type { Exchange } from '../../http/exchange.ts';
import { queryValue } from '../../http/query.ts';
import type { CacheConditionPlan } from '../../plan/types/cache.ts';

const NONE: readonly string[] = [];

/** Whether any condition holds; null: there are none. */
export type Condition = ((x: Exchange) => boolean) | null;

export function compileConditions(plans: readonly CacheConditionPlan[]): Condition {
  if (plans.length === 0) return null;
  return (x) => {
    for (let i = 0; i < plans.length; i++) {
      const { value } = plans[i]!;
      const found = valuesOf(plans[i]!, x);
      if (value === null ? found.length > 0 : found.includes(value)) return true;
    }
    return false;
  };
}

/** Readers differ in which of several cookies counts: each does. */
function valuesOf(plan: CacheConditionPlan, x: Exchange): readonly string[] {
  if (plan.in === 'cookie') return cookiesOf(x.fields, plan.name);
  const value = plan.in === 'header' ? x.fields.get(plan.name) : queryValue(x.query, plan.name);
  return value === undefined ? NONE : [value];
}
