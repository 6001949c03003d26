/**
 * Loads the modules that `module` policies name, and checks their settings by the schemas that the modules export. Cold.
 *
 * A module's files are files of the config: they count in its digest, the watcher follows them, and the history keeps
 * them. Checking a config therefore runs the modules' top-level code, in the process that checks it.
 */
import { dirname, resolve } from 'node:path';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import {
  isModulePath,
  type LoadedModule,
  loadModule,
  ModuleError,
  moduleLoads,
  type ModulePlace,
  type ModuleSource,
} from '../kit/versioned-modules.ts';
import type { Locate } from './merge.ts';
import { errorAt, type Problem } from './problem.ts';
import type { ConfigReader } from './config-reader.ts';
import { makeValidator, validateBy } from './validate.ts';
import { convertUnits, isRecord, segment, type SchemaNode, writeOut } from './walk.ts';

export interface ModuleCheck {
  readonly reader: ConfigReader;
  readonly locate: Locate;
  /** Whether a value comes from a reference or is a secret. */
  readonly hidden: (pointer: string) => boolean;
  /** Called with each secret that is written out instead of referenced. */
  readonly noteSecret: (text: string, pointer: string) => void;
  /** The value of a reference as its schema wants it. */
  readonly asWanted: (text: string, schema: SchemaNode) => unknown;
  /** Whether the config may have modules. If not, none is loaded. */
  readonly allowed: boolean;
}

export interface CheckedModules {
  readonly problems: readonly Problem[];
  /** By absolute path. */
  readonly modules: ReadonlyMap<string, ModuleSource>;
}

/** A module with its exports checked. */
interface PolicyModule extends ModuleSource {
  readonly schema: SchemaNode;
  readonly valid: ValidateFunction;
}

interface Refused {
  readonly message: string;
  readonly place: ModulePlace | null;
  readonly hint?: string;
}

/** A process that has loaded a multiple of so many modules is worth a warning. */
const MANY_LOADS = 100;

/**
 * Checks the modules of a document with its references replaced, in place: paths become absolute, settings get their
 * defaults and units.
 */
export function checkModules(document: Record<string, unknown>, check: ModuleCheck): CheckedModules {
  const { reader, locate } = check;
  const problems: Problem[] = [];
  const modules = new Map<string, ModuleSource>();
  const seen = new Map<string, PolicyModule | Refused>();
  let last: string | null = null;
  for (const [policy, pointer] of modulePolicies(document)) {
    const at = `${pointer}/module`;
    if (!check.allowed) {
      const hint = 'change the file itself, or set admin.push.modules in it';
      problems.push(errorAt(locate(at), at, 'a module is code, and a pushed config may not name any', hint));
      continue;
    }
    const path = resolve(dirname(locate(at).file), policy.module);
    const known = seen.get(path) ?? policyModule(path, (one) => reader.config(one));
    seen.set(path, known);
    if ('message' in known) {
      problems.push(problemOf(known, policy.module, at, locate));
      continue;
    }
    policy.module = path;
    modules.set(path, known);
    problems.push(...checkSettings(policy, known, `${pointer}/config`, check));
    last = at;
  }
  const many = Math.floor(moduleLoads() / MANY_LOADS) * MANY_LOADS;
  if (last !== null && many > 0) {
    const message = `this process has loaded more than ${many} versions of modules, and Node keeps each in memory`;
    const hint = 'restart it when that suits you';
    problems.push({ ...errorAt(locate(last), last, message, hint), level: 'warning' });
  }
  return { problems, modules };
}

interface WrittenPolicy {
  module: string;
  config: unknown;
}

/** The module policies of routes and listeners, with their pointers. What the schema refuses is left out. */
function* modulePolicies({ routes, listeners }: Record<string, unknown>): Generator<[WrittenPolicy, string]> {
  const holders: [unknown, string][] = [];
  if (isRecord(listeners))
    for (const [name, one] of Object.entries(listeners)) holders.push([one, `/listeners/${segment(name)}`]);
  if (Array.isArray(routes)) routes.forEach((one, i) => holders.push([one, `/routes/${i}`]));
  for (const [holder, pointer] of holders) {
    const policies = isRecord(holder) ? holder['policies'] : undefined;
    if (!Array.isArray(policies)) continue;
    for (const [i, policy] of (policies as unknown[]).entries()) {
      if (!isRecord(policy) || policy['type'] !== 'module' || !isRecord(policy['config'])) continue;
      const { module } = policy;
      if (typeof module === 'string' && isModulePath(module))
        yield [policy as unknown as WrittenPolicy, `${pointer}/policies/${i}`];
    }
  }
}

const ready = new WeakMap<LoadedModule, PolicyModule>();

function policyModule(path: string, read: Parameters<typeof loadModule>[1]): PolicyModule | Refused {
  let loaded: LoadedModule;
  try {
    loaded = loadModule(path, read);
  } catch (error) {
    if (!(error instanceof ModuleError)) throw error;
    return { message: error.message, place: error.place };
  }
  const known = ready.get(loaded);
  if (known !== undefined) return known;
  const { path: at, digest, files, exports } = loaded;
  const { schema, default: policy } = exports;
  const wrong = (message: string, hint?: string): Refused => ({
    message,
    place: null,
    ...(hint === undefined ? {} : { hint }),
  });
  if (!isRecord(policy) || typeof policy['bind'] !== 'function')
    return wrong('its default export is no policy', 'write export default { bind(config, scope) { return {…} } }');
  if (!isRecord(schema))
    return wrong('it exports no schema', "write export const schema = { type: 'object', properties: {…} }");
  try {
    const module = { path: at, digest, files, schema: schema as SchemaNode, valid: makeValidator(schema) };
    ready.set(loaded, module);
    return module;
  } catch (error) {
    return wrong(`its schema is no JSON Schema: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function problemOf({ message, place, hint }: Refused, written: string, pointer: string, locate: Locate): Problem {
  const problem = errorAt(locate(pointer), pointer, `cannot use ${written}: ${message}`, hint);
  if (place === null) return problem;
  const { path: file, line, column } = place;
  return { ...problem, related: [{ file, line, column, message: 'here' }] };
}

function checkSettings(
  policy: WrittenPolicy,
  { schema, valid }: PolicyModule,
  pointer: string,
  { locate, hidden, noteSecret, asWanted }: ModuleCheck,
): Problem[] {
  const text = (value: string, at: string, node: SchemaNode): unknown => {
    if (hidden(at)) return asWanted(value, node);
    if (node['x-secret'] === true) noteSecret(value, at);
    return value;
  };
  policy.config = writeOut(policy.config, schema, pointer, text, schema);
  const problems = validateBy(valid, policy.config, pointer, locate, hidden);
  if (problems.length === 0) convertUnits(policy.config, schema, schema);
  return problems;
}
