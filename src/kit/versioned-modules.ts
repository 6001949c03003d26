/**
 * Loads a JavaScript or TypeScript module from given texts, each version anew. Cold, synchronous.
 *
 * Node keeps a module by its URL for the life of the process. So each load has URLs of its own (`file:///a/b.ts?prozy=3`),
 * for the module and for everything that it imports by a relative path. The texts of all of them come from the caller,
 * which therefore knows every file that the module consists of. Other imports (`node:` modules, packages) are Node's:
 * they are loaded from disk, once.
 *
 * Node never frees a module. Equal texts are loaded once, and a process loads MOST_LOADS versions at most.
 */
import { createHash } from 'node:crypto';
import { createRequire, registerHooks, stripTypeScriptTypes } from 'node:module';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The text of a module's file. */
export interface ModuleFile {
  /** Absolute path. */
  readonly path: string;
  readonly text: string;
}

/** Everything that a version of a module consists of. */
export interface ModuleSource {
  /** The absolute path of the module itself. */
  readonly path: string;
  /** Covers the texts of all its files, and where they are relative to the module. */
  readonly digest: string;
  /** The module itself, then what it imports by relative paths, in the order in which it was loaded. */
  readonly files: readonly ModuleFile[];
}

export interface LoadedModule extends ModuleSource {
  readonly exports: Readonly<Record<string, unknown>>;
}

/** The position of the mistake, if it is known. */
export interface ModulePlace {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** A module that can't be loaded. */
export class ModuleError extends Error {
  readonly place: ModulePlace | null;

  constructor(message: string, place: ModulePlace | null) {
    super(message);
    this.name = 'ModuleError';
    this.place = place;
  }
}

/** Returns a file's text, or the reason why it has none. The result is the same for the whole load. */
export type ReadModule = (path: string) => string | { readonly reason: string };

/** The most versions that a process loads. */
const MOST_LOADS = 1000;
/** The most files of one module. */
const MOST_FILES = 200;

const CODE = /\.m?[jt]s$/;
const TYPED = /\.m?ts$/;
const DATA = /\.json$/;

/** Whether a file of this name can be a module. */
export function isModulePath(path: string): boolean {
  return CODE.test(path);
}

/** The versions of each module that this process has loaded, by path: they live as long as the process anyway. */
const versions = new Map<string, LoadedModule[]>();
let loads = 0;

/** How many times this process has loaded a module: none of them is ever freed. */
export function moduleLoads(): number {
  return loads;
}

/** Returns null if this process has not loaded that version. */
export function loadedModule(path: string, digest: string): LoadedModule | null {
  return versions.get(path)?.find((one) => one.digest === digest) ?? null;
}

/** Loads the version unless it is loaded. Throws a ModuleError. */
export function loadSource({ path, digest, files }: ModuleSource): LoadedModule {
  const found = loadedModule(path, digest);
  if (found !== null) return found;
  const texts = new Map(files.map((file) => [file.path, file.text]));
  return loadModule(path, (one) => texts.get(one) ?? { reason: 'there is no such file' });
}

/** Loads the module at this absolute path unless this version is loaded. Throws a ModuleError. */
export function loadModule(path: string, read: ReadModule): LoadedModule {
  const own = read(path);
  if (typeof own !== 'string') throw new ModuleError(own.reason, null);
  // An importer stands before what it imports: up to the first difference only files are read that it still imports.
  const known = versions.get(path)?.find(({ files }) => files.every((file) => read(file.path) === file.text));
  if (known !== undefined) return known;
  if (loads >= MOST_LOADS)
    throw new ModuleError(`this process has loaded ${loads} versions of modules, and Node frees none`, null);
  loads++;
  const load = new Load(loads, path, read);
  const exports = load.run();
  const { files } = load;
  const module = { path, digest: digestOf(path, files), files, exports };
  versions.set(path, [...(versions.get(path) ?? []), module]);
  return module;
}

function digestOf(path: string, files: readonly ModuleFile[]): string {
  const hash = createHash('sha256');
  for (const { path: at, text } of files) hash.update(`${relative(dirname(path), at)}\0${text.length}\0${text}\0`);
  return hash.digest('hex');
}

/** What a module imports as `prozy`: this very package, so that it needs no installation beside the module. */
const PACKAGE = new URL(import.meta.url.endsWith('.ts') ? '../index.ts' : '../index.js', import.meta.url).href;

const requireHere = createRequire(import.meta.url);

/** One load, with hooks into Node's loader for as long as it takes. */
class Load {
  readonly #mark: string;
  readonly #entry: string;
  /** The URL of a module that exports the wanted one: Node drops the mark of what is required by itself. */
  readonly #entryUrl: string;
  readonly #path: string;
  readonly #read: ReadModule;
  readonly files: ModuleFile[] = [];

  constructor(number: number, path: string, read: ReadModule) {
    this.#mark = `?prozy=${number}`;
    this.#entry = `prozy:${number}`;
    this.#entryUrl = pathToFileURL(resolve(`/prozy-${number}.mjs`)).href;
    this.#path = path;
    this.#read = read;
  }

  run(): Readonly<Record<string, unknown>> {
    const hooks = registerHooks({
      resolve: (specifier, context, next) => {
        const { importAttributes, parentURL } = context;
        const url = this.#urlOf(specifier, parentURL);
        if (url === PACKAGE) return next(PACKAGE, { ...context, parentURL: PACKAGE });
        if (url !== null) return { url, format: formatOf(specifier), importAttributes, shortCircuit: true };
        return next(specifier, { ...context, parentURL: this.#unmarked(parentURL) });
      },
      load: (url, context, next) => {
        if (url === this.#entryUrl) return { format: 'module', source: this.#entrySource(), shortCircuit: true };
        const path = this.#pathOf(url);
        if (path === null) return next(url, context);
        return { format: formatOf(path), source: this.#source(path), shortCircuit: true };
      },
    });
    try {
      const { it } = requireHere(this.#entry) as { readonly it: Readonly<Record<string, unknown>> };
      return it;
    } catch (error) {
      throw error instanceof ModuleError ? error : this.#errorOf(error);
    } finally {
      hooks.deregister();
      delete requireHere.cache[fileURLToPath(this.#entryUrl)];
    }
  }

  #entrySource(): string {
    return `export * as it from ${JSON.stringify(`${pathToFileURL(this.#path).href}${this.#mark}`)};`;
  }

  /** The marked URL of an import that belongs to the module; null: it is Node's. */
  #urlOf(specifier: string, parent: string | undefined): string | null {
    if (specifier === this.#entry) return this.#entryUrl;
    if (specifier.endsWith(this.#mark)) return specifier;
    if (parent === undefined || !parent.endsWith(this.#mark)) return null;
    if (specifier === 'prozy') return PACKAGE;
    if (!/^\.{0,2}\//.test(specifier) || !(CODE.test(specifier) || DATA.test(specifier))) return null;
    return `${new URL(specifier, this.#unmarked(parent)).href}${this.#mark}`;
  }

  #unmarked(url: string | undefined): string | undefined {
    return url?.endsWith(this.#mark) === true ? url.slice(0, -this.#mark.length) : url;
  }

  #pathOf(url: string): string | null {
    return url.endsWith(this.#mark) ? fileURLToPath(url.slice(0, -this.#mark.length)) : null;
  }

  #source(path: string): string {
    const text = this.#read(path);
    if (typeof text !== 'string') throw new ModuleError(`it imports ${path}: ${text.reason}`, null);
    this.files.push({ path, text });
    if (this.files.length > MOST_FILES) throw new ModuleError(`it imports more than ${MOST_FILES} files`, null);
    if (!TYPED.test(path)) return text;
    try {
      return stripTypeScriptTypes(text);
    } catch (error) {
      const { message, stack = '' } = error as Error;
      // The first line of the stack is `FILE:LINE`; a caret below the text marks the column.
      const line = Number(/^[^\n]*:(\d+)\n/.exec(stack)?.[1] ?? 1);
      const column = 1 + (/^( *)\^/m.exec(stack)?.[1]?.length ?? 0);
      throw new ModuleError(message, { path, line, column });
    }
  }

  #errorOf(error: unknown): ModuleError {
    if (!(error instanceof Error)) return new ModuleError(`it throws ${String(error)} as it is loaded`, null);
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_REQUIRE_ASYNC_MODULE')
      return new ModuleError('it has an await at its top level, and loading must not wait', null);
    const place = this.#placeIn(error.stack ?? '');
    return new ModuleError(firstLine(`${error.name}: ${error.message}`), place);
  }

  /** The first position in a file of the module. */
  #placeIn(stack: string): ModulePlace | null {
    const mark = this.#mark.replace('?', String.raw`\?`);
    const [, url, line, column] = new RegExp(String.raw`(file://[^\s()]*)${mark}:(\d+)(?::(\d+))?`).exec(stack) ?? [];
    if (url === undefined) return null;
    const caret = /^( *)\^/m.exec(stack)?.[1]?.length ?? 0;
    return { path: fileURLToPath(url), line: Number(line), column: column === undefined ? caret + 1 : Number(column) };
  }
}

function formatOf(path: string): 'json' | 'module' {
  return DATA.test(path) ? 'json' : 'module';
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!;
}
