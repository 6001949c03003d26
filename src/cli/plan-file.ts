/** A config file as `prozy plan` compares it: its plan, and which of its texts are not to be shown. Cold. */
import { dirname, resolve } from 'node:path';
import { loadConfig } from '../config/load.ts';
import { ConfigError, inOrder, type Problem } from '../config/problem.ts';
import { type ConfigTexts, Sources } from '../config/sources.ts';
import { checkExpectations } from '../explain/expectations.ts';
import { planGateway } from '../plan/plan.ts';
import { PlanScope } from '../plan/scope.ts';
import type { Plan } from '../plan/types.ts';

export interface PlannedFile {
  readonly plan: Plan;
  /** The folder that its relative paths begin at. */
  readonly folder: string;
  /** What its references stand for, and other secrets. */
  readonly secrets: readonly string[];
  /** Does it refer to the environment or to other files? */
  readonly refers: boolean;
  readonly warnings: readonly Problem[];
}

/** Answers with a ConfigError if it has errors, or does not pass its own tests. `given`: what its files said once. */
export function planFile(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
  given: ConfigTexts | null = null,
): PlannedFile | ConfigError {
  try {
    const path = resolve(file);
    const loaded = loadConfig({ file: path, env, sources: new Sources(given?.texts, given?.found) });
    const scope = new PlanScope(loaded);
    const plan = planGateway(loaded, scope);
    checkExpectations(plan, loaded, scope);
    // Shorter ones are no secrets, and would be found everywhere.
    const secrets = loaded.secrets.filter((secret) => secret.length > 2);
    const warnings = inOrder(scope.problems);
    return { plan, folder: dirname(path), secrets, refers: loaded.secrets.length > 0, warnings };
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}
