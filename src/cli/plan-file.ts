/** Loads a config file for `prozy plan`: its plan, and the texts that must not be shown. Cold. */
import { dirname, resolve } from 'node:path';
import { loadConfig } from '../config/load.ts';
import { ConfigError, inOrder, type Problem } from '../config/problem.ts';
import { type ConfigTexts, ConfigReader } from '../config/config-reader.ts';
import { checkExpectations } from '../explain/expectations.ts';
import { systemClock } from '../kit/clock.ts';
import { planGateway } from '../plan/plan.ts';
import { PlanScope } from '../plan/scope.ts';
import type { Plan } from '../plan/types.ts';

export interface PlannedFile {
  readonly plan: Plan;
  /** The folder that its relative paths start from. */
  readonly folder: string;
  /** The values of its references, and other secrets. */
  readonly secrets: readonly string[];
  /** True if the file refers to the environment or to other files. */
  readonly refers: boolean;
  readonly warnings: readonly Problem[];
}

/** Returns a ConfigError if the config has errors or fails its own tests. `given`: earlier contents of its files. */
export function planFile(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
  given: ConfigTexts | null = null,
): PlannedFile | ConfigError {
  try {
    const path = resolve(file);
    const loaded = loadConfig({
      file: path,
      env,
      reader: new ConfigReader(given?.texts, given?.found),
      now: systemClock.wall(),
    });
    const scope = new PlanScope(loaded);
    const plan = planGateway(loaded, scope);
    checkExpectations(plan, loaded, scope);
    // Shorter texts are not secrets, and would match everywhere.
    const secrets = loaded.secrets.filter((secret) => secret.length > 2);
    const warnings = inOrder(scope.problems);
    return { plan, folder: dirname(path), secrets, refers: loaded.secrets.length > 0, warnings };
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}
