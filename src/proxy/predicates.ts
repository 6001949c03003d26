/** The conditions of a route beyond host and path, compiled. Cold to compile, hot to run. */
import type { Exchange } from '../http/exchange.ts';
import { queryValue } from '../http/query.ts';
import { compileRegex } from '../kit/linear-regex.ts';
import type { FieldMatchPlan, MatchPlan } from '../plan/types/match.ts';

export type Predicate = (x: Exchange) => boolean;

/** One predicate for all of a match's methods, headers and query parameters, or null if there are none. */
export function compilePredicate(match: MatchPlan): Predicate | null {
  const parts: Predicate[] = [];
  if (match.methods !== null) {
    const methods = new Set(match.methods);
    parts.push((x) => methods.has(x.method));
  }
  for (const plan of match.headers) {
    const holds = compileValue(plan);
    parts.push((x) => holds(x.fields.get(plan.name)));
  }
  for (const plan of match.query) {
    const holds = compileValue(plan);
    parts.push((x) => holds(queryValue(x.query, plan.name)));
  }
  if (parts.length <= 1) return parts[0] ?? null;
  return (x) => {
    for (const part of parts) if (!part(x)) return false;
    return true;
  };
}

export function compileValue(plan: FieldMatchPlan): (value: string | undefined) => boolean {
  if (plan.kind === 'present') {
    const wanted = plan.value === 'true';
    return (value) => (value !== undefined) === wanted;
  }
  if (plan.kind === 'exact') return (value) => value === plan.value;
  const pattern = compileRegex(plan.value);
  return (value) => value !== undefined && pattern.test(value);
}
