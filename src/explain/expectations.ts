/** What a config demands of itself: its tests and its invariants. Cold; called by runtime/compile.ts for a plan that stands. */
import { inOrder, type LoadedConfig } from '../config/load.ts';
import { configError } from '../config/problem.ts';
import { PlanScope } from '../plan/scope.ts';
import type { Plan } from '../plan/types.ts';
import { runConfigTests } from './config-tests.ts';
import { checkInvariants } from './invariants.ts';

/** Throws a ConfigError with everything that does not hold. */
export function checkExpectations(plan: Plan, loaded: LoadedConfig): void {
  const scope = new PlanScope(loaded);
  checkInvariants(plan, loaded, scope);
  runConfigTests(plan, loaded, scope);
  if (scope.problems.length > 0) throw configError(inOrder(scope.problems), loaded.texts);
}
