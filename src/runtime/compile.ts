/** The stages from files to a Plan that passes its own tests, and what they read. Cold, synchronous; runs in any thread. */
import { loadConfig } from '../config/load.ts';
import { ConfigError, configError, type Problem } from '../config/problem.ts';
import { Sources } from '../config/sources.ts';
import { checkExpectations } from '../explain/expectations.ts';
import { digestOfParcel, wrapPlan } from '../plan/parcel.ts';
import { planGateway } from '../plan/plan.ts';
import type { Plan } from '../plan/types.ts';

/** What was looked at: a change of any of it may change the plan. */
export interface Watched {
  /** Every file that was read or looked for. */
  readonly files: readonly string[];
  /** Patterns of included files, absolute. */
  readonly globs: readonly string[];
}

/** What was last compiled, to tell whether anything has changed since. */
export interface Known extends Watched {
  /** Over the contents of everything read. */
  readonly digest: string;
}

export interface Verdict extends Known {
  readonly problems: readonly Problem[];
  /** The problems as people read them; '' if there are none. */
  readonly report: string;
}

export interface Compiled extends Verdict {
  /** null: there are problems. */
  readonly plan: Plan | null;
  /** Equal for plans that mean the same; '' if there is none. */
  readonly planDigest: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Times that files are read anew because they changed while they were read. */
const MOST_READINGS = 5;

/** `file`: absolute path. Answers null if all is still as `known`. */
export function compile(file: string, env: Environment, known: Known | null = null): Compiled | null {
  if (known !== null && digestNow(known) === known.digest) return null;
  let compiled = compileOnce(file, env);
  // Files are read one after the other: if one has changed meanwhile, what was read may be of two minds.
  for (let i = 1; digestNow(compiled) !== compiled.digest; i++) {
    if (i === MOST_READINGS) return unsettled(file, compiled);
    compiled = compileOnce(file, env);
  }
  return compiled;
}

/** Refused, and like all that is refused looked at again a little later. */
function unsettled(file: string, { files, globs, digest }: Known): Compiled {
  const problem = { file, line: 1, column: 1, pointer: '', message: 'changes faster than it can be read' };
  const { problems, report } = configError([problem], new Map());
  return { plan: null, planDigest: '', problems, report, files, globs, digest };
}

/** Whatever was compiled before. `file`: absolute path. */
export function compileOnce(file: string, env: Environment): Compiled {
  const sources = new Sources();
  const seen = (): Known => ({ files: sources.files, globs: sources.globs, digest: sources.digest() });
  try {
    const loaded = loadConfig({ file, env, sources });
    const plan = planGateway(loaded);
    checkExpectations(plan, loaded);
    return { plan, planDigest: digestOfParcel(wrapPlan(plan)), problems: [], report: '', ...seen() };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { plan: null, planDigest: '', problems: error.problems, report: error.report, ...seen() };
  }
}

/** The digest of what is there now. */
function digestNow({ files, globs }: Watched): string {
  const sources = new Sources();
  for (const file of files) sources.read(file);
  for (const glob of globs) sources.glob(glob);
  return sources.digest();
}
