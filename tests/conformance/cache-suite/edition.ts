/** An edition of the outside suite of cache tests (http-cache-tests): where its parts lie, and its tests as data. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** `required` is what the RFC demands, `optimal` what a good cache does, `check` is there to learn how caches behave. */
export type Kind = 'required' | 'optimal' | 'check';
export const KINDS: readonly Kind[] = ['required', 'optimal', 'check'];

export interface SuiteTest {
  readonly id: string;
  readonly name: string;
  readonly kind: Kind;
  readonly needs: readonly string[];
}

export interface Edition {
  readonly folder: string;
  /** The folder of its client and server. */
  readonly engine: string;
  /** Until 0.4.5 it brought a fetch of its own; since then it uses the platform's. */
  readonly ownFetch: boolean;
  /** Those that run from the command line: not what only a browser can be asked. */
  readonly tests: readonly SuiteTest[];
}

interface RawSuite {
  readonly tests: readonly {
    readonly id: string;
    readonly name: string;
    readonly kind?: Kind;
    readonly depends_on?: readonly string[];
    readonly browser_only?: boolean;
  }[];
}

/** The folder of the edition that is pinned in package.json. */
export const PINNED = dirname(fileURLToPath(import.meta.resolve('http-cache-tests/package.json')));

/** Throws with a plain sentence if there is no such edition. */
export async function editionIn(folder: string): Promise<Edition> {
  const root = resolve(folder);
  const index = join(root, 'tests/index.mjs');
  if (!existsSync(index))
    throw new Error(`${root} is no checkout of http-tests/cache-tests: it has no tests/index.mjs`);
  const moved = existsSync(join(root, 'test-engine'));
  if (moved) needUndici(root);
  const { default: suites } = (await import(pathToFileURL(index).href)) as { default: readonly RawSuite[] };
  const tests = suites
    .flatMap((suite) => suite.tests)
    .filter((test) => test.browser_only !== true)
    .map(({ id, name, kind = 'required', depends_on: needs = [] }) => ({ id, name, kind, needs }));
  return { folder: root, engine: moved ? join(root, 'test-engine') : root, ownFetch: !moved, tests };
}

/** Its client gives a dispatcher of undici's to the platform's fetch: of another major, it would see no header fields. */
function needUndici(root: string): void {
  const major = (version = ''): string => version.split('.')[0]!;
  const wanted = major(process.versions['undici']);
  const file = join(root, 'node_modules/undici/package.json');
  const { version } = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }) : {};
  if (major(version) === wanted) return;
  const has = version === undefined ? 'no undici' : `undici ${version}`;
  throw new Error(
    `${root} has ${has}, its client needs ${wanted}.x here: run npm install --no-save undici@${wanted} there`,
  );
}
