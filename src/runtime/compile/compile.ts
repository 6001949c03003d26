/**
 * The stages from files to a Plan that passes its own tests, and the inputs they read. Cold, synchronous; runs in any
 * process.
 */
import type { ConfigInputs } from '../../config/config-source.ts';
import { type LoadedConfig, loadConfig } from '../../config/load.ts';
import {
  ConfigError,
  configError,
  errorAt,
  inOrder,
  isError,
  type Position,
  type Problem,
  render,
} from '../../config/problem.ts';
import { ConfigReader } from '../../config/config-reader.ts';
import type { PolicyConfig } from '../../config/schema.gen.ts';
import { isValidAt } from '../../kit/certificate.ts';
import { certificatePointer } from '../snapshot/served-certificates.ts';
import { modulePointer, routePointer } from '../snapshot/open-error.ts';
import { contentOf } from '../../history/entry.ts';
import { checkExpectations } from '../../explain/expectations.ts';
import { type Clock, systemClock } from '../../kit/clock.ts';
import { digestOf, type Fingerprints, fingerprintsOf } from '../../plan/plan-delta.ts';
import { serializePlan } from '../../plan/serialized-plan.ts';
import { planGateway } from '../../plan/plan.ts';
import { PlanScope } from '../../plan/scope.ts';
import { segment } from '../../config/walk.ts';
import type { Plan } from '../../plan/types.ts';

/** The inputs of the last compilation, to detect changes since. */
export interface Known extends ConfigInputs {
  /** Covers the contents of everything read. */
  readonly digest: string;
}

/** The stages that a config has to pass. */
export type Stage = 'parsed' | 'validated' | 'planned' | 'tested';

export interface OpenedPlace extends Position {
  /** Absent: the pointer under which it is found. */
  readonly pointer?: string;
}

export interface Passed {
  readonly stage: Stage;
  /** Epoch ms. */
  readonly at: number;
  /** The duration of the stage. */
  readonly ms: number;
}

export interface Verdict extends Known {
  /** The stages passed, in order. */
  readonly passed: readonly Passed[];
  /** The text of each config file and module as written; empty for a refused config. */
  readonly texts: ReadonlyMap<string, string>;
  /** The paths among them that belong to modules; empty for a refused config. */
  readonly moduleFiles: ReadonlySet<string>;
  /** Secrets that are written out instead of referenced. */
  readonly openSecrets: readonly Problem[];
  /**
   * The positions, by pointer, of the settings that name sockets and files to open, and of the policies of routes with
   * modules: only opening and binding them shows whether they work. Also of certificates that are not valid at this
   * time: they are refused if better ones are in effect.
   */
  readonly opened: ReadonlyMap<string, OpenedPlace>;
  /** The files found for each pattern. */
  readonly found: ReadonlyMap<string, readonly string[]>;
  /** A digest of those texts, also of a refused config's: see history/entry.ts. */
  readonly content: string;
  /** Only warnings if there is a plan. */
  readonly problems: readonly Problem[];
  /** The number of further problems that the compile process did not send. */
  readonly leftOut?: number;
  /** The problems as text for people; '' if there are none. */
  readonly report: string;
}

export interface Compiled extends Verdict {
  /** null: there are errors. */
  readonly plan: Plan | null;
  /** Equal for plans that mean the same; '' if there is no plan. */
  readonly planDigest: string;
}

/** The result of compiling in this thread. */
export interface CompiledHere extends Compiled {
  /** The plan's fingerprints; null: there is no plan. */
  readonly fingerprints: Fingerprints | null;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The input of a compilation. */
export interface CompileInput {
  /** Absolute path. */
  readonly file: string;
  readonly env: Environment;
  /** Texts that replace the contents of files, by absolute path. */
  readonly given?: ReadonlyMap<string, string>;
  /** The files that these patterns match, instead of those on disk. */
  readonly found?: ReadonlyMap<string, readonly string[]>;
  /** Whether the config may name modules, which run their code when they are loaded (default: yes). */
  readonly modules?: boolean;
  readonly clock?: Clock;
}

/** The most times that files are read again because they changed while being read. */
const MOST_READINGS = 5;

/** Returns null if nothing has changed since `known`. */
export function compile(input: CompileInput, known: Known | null = null): CompiledHere | null {
  const { file, clock = systemClock } = input;
  const started = clock.now();
  if (known !== null && digestNow(known, input) === known.digest) return null;
  let compiled = compileAt(started, input);
  // Files are read one after the other: if one changes meanwhile, the texts may not belong together.
  for (let i = 1; digestNow(compiled, input) !== compiled.digest; i++) {
    if (i === MOST_READINGS) return unsettled(file, compiled);
    compiled = compileAt(started, input);
  }
  return compiled;
}

/** Refuses the config. Like every refused config it is read again a little later. */
function unsettled(file: string, { files, globs, digest, found, content }: Verdict): CompiledHere {
  const problem = errorAt({ file, line: 1, column: 1 }, '', 'changes faster than it can be read');
  const { problems, report } = configError([problem], new Map());
  return { ...NOTHING, passed: [], problems, report, files, globs, digest, found, content };
}

/** The parts that a refused config lacks. */
const NOTHING = {
  plan: null,
  planDigest: '',
  fingerprints: null,
  texts: new Map<string, string>(),
  moduleFiles: new Set<string>(),
  opened: new Map<string, OpenedPlace>(),
  openSecrets: [],
} as const;

/** Compiles regardless of earlier compilations. `file`: absolute path. */
export function compileOnce(file: string, env: Environment): Compiled {
  return compileAt(systemClock.now(), { file, env });
}

/** `started`: when the first stage began. */
function compileAt(
  started: number,
  { file, env, given, found, modules = true, clock = systemClock }: CompileInput,
): CompiledHere {
  const reader = new ConfigReader(given, found);
  const passed: Passed[] = [];
  let mark = started;
  const pass = (stage: Stage): void => {
    const now = clock.now();
    passed.push({ stage, at: clock.wall(), ms: now - mark });
    mark = now;
  };
  const seen = () => ({
    passed,
    files: reader.files,
    globs: reader.globs,
    digest: reader.digest(),
    found: reader.texts.found,
    content: contentOf(reader.texts),
  });
  try {
    const loaded = loadConfig({ file, env, reader, now: clock.wall(), modules, parsed: () => pass('parsed') });
    // If there are problems, planning looks for more of them and then refuses the config.
    if (!loaded.problems.some(isError)) pass('validated');
    const scope = new PlanScope(loaded);
    const plan = planGateway(loaded, scope);
    const serialized = serializePlan(plan);
    const fingerprints = fingerprintsOf(serialized);
    const planDigest = digestOf(serialized, fingerprints);
    pass('planned');
    checkExpectations(plan, loaded, scope);
    pass('tested');
    const warnings = inOrder(scope.problems);
    const texts = new Map([...loaded.texts.keys()].map((path) => [path, reader.read(path) ?? '']));
    return {
      plan,
      planDigest,
      fingerprints,
      texts,
      moduleFiles: new Set([...loaded.modules.values()].flatMap(({ files }) => files.map(({ path }) => path))),
      opened: openedBy(loaded, clock.wall()),
      openSecrets: openSecretsOf(loaded),
      problems: warnings,
      report: render(warnings, loaded.texts),
      ...seen(),
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { ...NOTHING, problems: error.problems, report: error.report, ...seen() };
  }
}

function openSecretsOf({ openSecrets, locate }: LoadedConfig): Problem[] {
  const message = 'is a secret and must be a reference';
  return openSecrets.map((pointer) => errorAt(locate(pointer), pointer, message, 'such as ${file:secret}'));
}

function openedBy({ config, certificates, locate }: LoadedConfig, now: number): Map<string, OpenedPlace> {
  const pointers = Object.keys(config.listeners).map((name) => `/listeners/${segment(name)}/address`);
  const places = new Map<string, OpenedPlace>(
    ['/admin/address', '/logging/access/path', ...pointers].map((one) => [one, locate(one)]),
  );
  for (const [name, { pair, entry }] of certificates)
    if (name === entry && !isValidAt(pair, now)) places.set(certificatePointer(name), locate(certificatePointer(name)));
  // A plan knows its routes by name. Binding runs the code of modules.
  const note = (policies: readonly PolicyConfig[], holder: string, own: string): void => {
    for (const [i, policy] of policies.entries()) {
      if (policy.type !== 'module') continue;
      const pointer = `${own}/policies/${i}/module`;
      places.set(modulePointer(holder, policy.module), { ...locate(pointer), pointer });
    }
  };
  config.routes.forEach(({ name, policies }, i) => note(policies, routePointer(name), `/routes/${i}`));
  for (const [name, { policies }] of Object.entries(config.listeners))
    note(policies, `/listeners/${segment(name)}`, `/listeners/${segment(name)}`);
  return places;
}

/** The digest of the inputs as they are now. */
function digestNow({ files, globs }: ConfigInputs, { given, found }: CompileInput): string {
  const reader = new ConfigReader(given, found);
  for (const file of files) reader.read(file);
  for (const glob of globs) reader.glob(glob);
  return reader.digest();
}
