/** The stages from files to Plan, and what they read. Cold, synchronous; throws a ConfigError. */
import { loadConfig } from '../config/load.ts';
import { ConfigError, type Problem } from '../config/problem.ts';
import { Sources } from '../config/sources.ts';
import { planGateway } from '../plan/plan.ts';
import type { Plan } from '../plan/types.ts';

export interface Compiled {
  /** null: there are problems. */
  readonly plan: Plan | null;
  readonly problems: readonly Problem[];
  /** The problems as people read them. */
  readonly error: ConfigError | null;
  /** Every file that was read or looked for. */
  readonly files: readonly string[];
  /** Over the contents of all of them. */
  readonly digest: string;
}

/** `file`: absolute path. */
export function compile(file: string, env: Readonly<Record<string, string | undefined>>): Compiled {
  const sources = new Sources();
  try {
    const plan = planGateway(loadConfig({ file, env, sources }));
    return { plan, problems: [], error: null, files: sources.files, digest: sources.digest() };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { plan: null, problems: error.problems, error, files: sources.files, digest: sources.digest() };
  }
}

/** The digest of what these files hold now. */
export function digestNow(files: readonly string[]): string {
  const sources = new Sources();
  for (const file of files) sources.read(file);
  return sources.digest();
}
