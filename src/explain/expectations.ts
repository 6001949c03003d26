/**
 * Checks the expectations in a config: its tests and its invariants. Cold; called by runtime/compile/compile.ts for a
 * complete plan.
 */
import type { LoadedConfig } from '../config/load.ts';
import { configError, inOrder, isError } from '../config/problem.ts';
import type { PlanScope } from '../plan/scope.ts';
import type { Plan } from '../plan/types.ts';
import { runConfigTests } from './config-tests.ts';
import { checkInvariants } from './invariants.ts';

/** Throws a ConfigError that lists every failure. `scope`: the plan's scope, with its warnings. */
export function checkExpectations(plan: Plan, loaded: LoadedConfig, scope: PlanScope): void {
  checkInvariants(plan, loaded, scope);
  runConfigTests(plan, loaded, scope);
  if (scope.problems.some(isError)) throw configError(inOrder(scope.problems), loaded.texts);
}
