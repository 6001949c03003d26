/** Modules are loaded from given texts, each version anew and once. */
import { describe, expect, test } from 'vitest';
import {
  type LoadedModule,
  loadedModule,
  loadModule,
  loadSource,
  ModuleError,
  moduleLoads,
} from '../../src/kit/versioned-modules.ts';

let folders = 0;
/** A folder that is not on disk, with these files. */
function folder(files: Record<string, string>) {
  const at = `/nowhere/${++folders}`;
  const read: string[] = [];
  const load = (): LoadedModule =>
    loadModule(`${at}/main.ts`, (path) => {
      read.push(path.slice(at.length + 1));
      return files[path.slice(at.length + 1)] ?? { reason: 'it is not there' };
    });
  return { at, files, read, load };
}

function refusal(files: Record<string, string>): { message: string; place: string } {
  const { at, load } = folder(files);
  try {
    load();
  } catch (error) {
    if (!(error instanceof ModuleError)) throw error;
    const { message, place } = error;
    const text = place === null ? '' : `${place.path.replace(`${at}/`, '')}:${place.line}:${place.column}`;
    return { message: message.replaceAll(at, ''), place: text };
  }
  throw new Error('it was loaded');
}

describe('a module', () => {
  test('is loaded with what it imports by relative paths, from the texts', () => {
    const { at, load } = folder({
      'main.ts': `import { twice } from './lib/twice.ts';
        import data from './data.json' with { type: 'json' };
        import { basename } from 'node:path';
        export const value: string = basename('/a/b') + twice(data.n as number);`,
      'lib/twice.ts': `import { two } from '../two.mjs'; export const twice = (n: number): number => two * n;`,
      'two.mjs': 'export const two = 2;',
      'data.json': '{ "n": 21 }',
    });
    const { exports, files, path } = load();
    expect(exports['value']).toBe('b42');
    expect(path).toBe(`${at}/main.ts`);
    expect(files.map((file) => file.path.slice(at.length + 1)).toSorted()).toEqual([
      'data.json',
      'lib/twice.ts',
      'main.ts',
      'two.mjs',
    ]);
    expect(files[0]?.path).toBe(path);
  });

  test('may import the package that loads it, wherever the module is', () => {
    const { load } = folder({
      'main.ts': `import { problemReply } from 'prozy'; export const status: number = problemReply(403).status;`,
    });
    expect(load().exports['status']).toBe(403);
  });

  test('runs once for the same texts, and anew for others; older versions go on', () => {
    const { files, load } = folder({
      'main.ts': `import { name } from './name.ts'; export const say = () => name;`,
      'name.ts': `export const name = 'a';`,
    });
    const before = moduleLoads();
    const first = load();
    expect(load()).toBe(first);
    files['name.ts'] = `export const name = 'b';`;
    const second = load();
    expect(second.digest).not.toBe(first.digest);
    expect([first, second].map(({ exports }) => (exports['say'] as () => string)())).toEqual(['a', 'b']);
    files['name.ts'] = `export const name = 'a';`;
    expect(load()).toBe(first);
    expect(moduleLoads()).toBe(before + 2);
  });

  test('reads no file that this version no longer imports', () => {
    const it = folder({ 'main.ts': `import './gone.ts'; export const n = 1;`, 'gone.ts': '' });
    it.load();
    it.files['main.ts'] = 'export const n = 2;';
    it.read.length = 0;
    it.load();
    expect(new Set(it.read)).toEqual(new Set(['main.ts']));
  });

  test('is loaded again from its source, and found by its digest', () => {
    const { at, load } = folder({ 'main.ts': 'export const n = 1;' });
    const { path, digest, files } = load();
    expect(loadedModule(path, digest)?.exports['n']).toBe(1);
    expect(loadSource({ path, digest, files })).toBe(load());
    // Equal texts elsewhere have the same digest, and are another module.
    const moved = loadSource({
      path: `${at}/x/main.ts`,
      digest,
      files: [{ path: `${at}/x/main.ts`, text: files[0]!.text }],
    });
    expect([moved.digest, moved === load()]).toEqual([digest, false]);
  });
});

describe('a module is refused', () => {
  test.each([
    ['that is missing', {}, 'it is not there', ''],
    [
      'that is no TypeScript',
      { 'main.ts': 'export const a = 1;\n\nconst = 2;' },
      /Expected|Expression|Unexpected/,
      'main.ts:3:7',
    ],
    ['with a part that has no plain JavaScript', { 'main.ts': 'enum A { B }' }, /enum is not supported/, 'main.ts:1:1'],
    [
      'whose import is no TypeScript',
      { 'main.ts': `import './b.ts';`, 'b.ts': '\nlet = ;' },
      /Express|Expected|Unexpected/,
      /^b\.ts:2:/,
    ],
    [
      'that throws',
      { 'main.ts': 'const a = 1;\n  throw new TypeError("no such luck");' },
      'TypeError: no such luck',
      'main.ts:2:9',
    ],
    ['that throws no error', { 'main.ts': 'throw 5;' }, 'it throws 5 as it is loaded', ''],
    ['that waits', { 'main.ts': 'await Promise.resolve(); export const a = 1;' }, /await at its top level/, ''],
    ['whose import is missing', { 'main.ts': `import './b.ts';` }, 'it imports /b.ts: it is not there', ''],
    [
      'whose import lacks an export',
      { 'main.ts': `import { b } from './b.ts'; b;`, 'b.ts': '' },
      /export named 'b'/,
      '',
    ],
    ['whose package is missing', { 'main.ts': `import 'no-such-package-anywhere';` }, /no-such-package-anywhere/, ''],
  ])('%s', (_, files, message, place) => {
    const told = refusal(files);
    expect(told.message).toMatch(message);
    expect(told.place).toMatch(typeof place === 'string' ? new RegExp(`^${place.replaceAll('.', '\\.')}$`) : place);
  });

  test('and loaded once it is mended', () => {
    const { files, load } = folder({ 'main.ts': 'throw new Error();' });
    expect(load).toThrow(ModuleError);
    files['main.ts'] = 'export const n = 1;';
    expect(load().exports['n']).toBe(1);
  });
});
