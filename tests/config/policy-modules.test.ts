/** `module` policies in configs: what the check says of them, where, and what counts as part of the config. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Compiled, compile, compileOnce } from '../../src/runtime/compile/compile.ts';
import type { ModulePolicyPlan } from '../../src/plan/types/module.ts';

const MODULE = `
import { ready } from './lib/ready.ts';
export const schema = {
  type: 'object',
  additionalProperties: false,
  required: ['key'],
  properties: {
    key: { type: 'string', minLength: 3 },
    header: { type: 'string', pattern: '^[a-z-]+$', default: 'x-api-key' },
    wait: { type: 'string', format: 'duration', default: '2s' },
    size: { type: 'string', format: 'size', default: '1KiB' },
    most: { type: 'integer', minimum: 1, default: 1 },
    inner: { $ref: '#/$defs/inner' },
  },
  $defs: { inner: { type: 'object', properties: { idle: { type: 'string', format: 'duration' } }, default: {} } },
};
export default { bind: () => (ready ? {} : {}) };
`;

let folder = '';
const write = (name: string, text: string): string => {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
};
const configOf = (...policies: string[]): string =>
  [
    'version: 1',
    'listeners: { web: { address: "127.0.0.1:0" } }',
    'routes:',
    '  - name: a',
    '    match: {}',
    '    respond: { body: hi }',
    '    policies:',
    ...policies.map((one) => `      - ${one}`),
    '',
  ].join('\n');
const check = (config: string, env = {}): Compiled => compileOnce(write('gateway.yaml', config), env);
const planned = ({ plan, report }: Compiled): ModulePolicyPlan => {
  expect(report).toBe('');
  return plan!.routes[0]!.policies[0] as ModulePolicyPlan;
};
/** `FILE:LINE:COLUMN message`, without the folder. */
const told = ({ problems }: Compiled): string[] =>
  problems.map(({ file, line, column, message }) =>
    `${file}:${line}:${column} ${message}`.replaceAll(`${folder}/`, ''),
  );

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prozy-modules-'));
  write('p.ts', MODULE);
  write('lib/ready.ts', 'export const ready = true;');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the settings of a module', () => {
  test('get the defaults and units of its schema', () => {
    const { config, module } = planned(
      check(configOf('{ type: module, module: ./p.ts, config: { key: abc, size: 2KiB, inner: { idle: 1m } } }')),
    );
    expect(config).toEqual({
      key: 'abc',
      header: 'x-api-key',
      wait: 2000,
      size: 2048,
      most: 1,
      inner: { idle: 60_000 },
    });
    expect(module).toBe(join(folder, 'p.ts'));
  });

  test('may be references, in the type that the schema wants', () => {
    const { config } = planned(
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the config
      check(configOf('{ type: module, module: ./p.ts, config: { key: "${env:KEY}", most: "${env:MOST}" } }'), {
        KEY: '12345',
        MOST: '7',
      }),
    );
    expect(config).toMatchObject({ key: '12345', most: 7 });
  });

  test('have their problems where they stand, with hints, and without secrets', () => {
    const compiled = check(
      configOf(
        '{ type: module, module: ./p.ts, config: { key: "${env:KEY}", hedder: x, wait: 3, most: 0 } }',
        '{ type: module, module: ./p.ts }',
      ),
      { KEY: 'ab' },
    );
    expect(told(compiled)).toEqual([
      'gateway.yaml:8:56 must have at least 3 characters',
      'gateway.yaml:8:70 unknown setting hedder',
      'gateway.yaml:8:87 must be a duration such as 250ms, 30s, 5m or 1h',
      'gateway.yaml:8:96 must be at least 1',
      'gateway.yaml:9:9 needs the setting key',
    ]);
    expect(compiled.report).toContain('did you mean header?');
  });

  test('that the schema calls secret are not shown', () => {
    write(
      'p.ts',
      `export const schema = { properties: { key: { type: 'string', minLength: 9, 'x-secret': true } } };
       export default { bind: () => ({}) };`,
    );
    const bad = check(configOf('{ type: module, module: ./p.ts, config: { key: hush } }'));
    expect(told(bad)).toEqual(['gateway.yaml:8:56 must have at least 9 characters']);
    expect(`${bad.report}${JSON.stringify(bad.problems)}`).not.toContain('hush');
    const { openSecrets } = check(configOf('{ type: module, module: ./p.ts, config: { key: hush-hush } }'));
    expect(openSecrets.map(({ pointer }) => pointer)).toEqual(['/routes/0/policies/0/config/key']);
  });

  test('may have formats that prozy does not know', () => {
    write(
      'p.ts',
      `export const schema = { properties: { mail: { type: 'string', format: 'email' } } };
       export default { bind: () => ({}) };`,
    );
    expect(planned(check(configOf('{ type: module, module: p.ts, config: { mail: x } }'))).config).toEqual({
      mail: 'x',
    });
  });

  test('of a disabled policy are checked too', () => {
    expect(told(check(configOf('{ type: module, module: ./p.ts, enabled: false }')))).toEqual([
      'gateway.yaml:8:9 needs the setting key',
    ]);
  });
});

describe('a module that cannot be used is a problem where it is named', () => {
  test.each([
    ['is missing', './none.ts', null, /^gateway.yaml:8:33 cannot use \.\/none\.ts: ENOENT, no such file or directory$/],
    ['has another ending', './p.cjs', '', /^gateway.yaml:8:33 must be the path of a \.ts, \.mts, \.js or \.mjs file$/],
    ['does not parse', './b.ts', 'export default {', /cannot use \.\/b\.ts: /],
    ['throws', './b.ts', 'throw new Error("no luck")', /cannot use \.\/b\.ts: Error: no luck$/],
    ['has no policy', './b.ts', 'export const schema = {};', /its default export is no policy$/],
    ['has no bind', './b.ts', 'export const schema = {}; export default {};', /its default export is no policy$/],
    ['has no schema', './b.ts', 'export default { bind() {} };', /it exports no schema$/],
    [
      'has a bad schema',
      './b.ts',
      'export const schema = { type: "objekt" }; export default { bind() {} };',
      /its schema is no JSON Schema: schema is invalid: data\/type must be/,
    ],
    [
      'has a schema with a reference to nothing',
      './b.ts',
      'export const schema = { $ref: "http://127.0.0.1/x" }; export default { bind() {} };',
      /its schema is no JSON Schema: can't resolve reference/,
    ],
  ])('it %s', (_, path, text, message) => {
    if (text !== null) write(path, text);
    const compiled = check(configOf(`{ type: module, module: ${path} }`));
    expect(compiled.plan).toBeNull();
    expect(told(compiled)).toEqual([expect.stringMatching(message)]);
  });

  test('with the place in the module', () => {
    write('lib/ready.ts', 'export const ready = 1;\nthrow new Error("x");');
    expect(check(configOf('{ type: module, module: ./p.ts, config: { key: abc } }')).report).toContain(
      `${folder}/lib/ready.ts:2:7  here\n    2 | throw new Error("x");`,
    );
  });

  test('once for each place, and loaded once', () => {
    write('b.ts', 'globalThis.timesLoaded = (globalThis.timesLoaded ?? 0) + 1; throw 1;');
    const compiled = check(configOf('{ type: module, module: ./b.ts }', '{ type: module, module: b.ts }'));
    expect(told(compiled)).toHaveLength(2);
    expect((globalThis as { timesLoaded?: number }).timesLoaded).toBe(1);
  });
});

describe('the files of a module are files of the config', () => {
  const CONFIG = configOf('{ type: module, module: ./p.ts, config: { key: abc } }');

  test('they are read, kept and count in its digests', () => {
    const first = check(CONFIG);
    const files = ['gateway.yaml', 'p.ts', 'lib/ready.ts'].map((name) => join(folder, name));
    expect(first.files).toEqual(files);
    expect([...first.texts.keys()]).toEqual(files);
    expect([...first.moduleFiles]).toEqual(files.slice(1));
    write('lib/ready.ts', 'export const ready = false;');
    const second = check(CONFIG);
    for (const key of ['digest', 'content', 'planDigest'] as const) expect(second[key]).not.toBe(first[key]);
    expect(planned(second).digest).not.toBe(planned(first).digest);
    expect(compile({ file: first.files[0]!, env: {} }, second)).toBeNull();
  });

  test('their texts may come from elsewhere', () => {
    const { files } = check(CONFIG);
    const given = new Map([[files[2]!, 'export const ready = 5;']]);
    const compiled = compile({ file: files[0]!, env: {}, given })!;
    expect(compiled.plan?.modules[0]?.files.map(({ text }) => text)).toEqual([MODULE, 'export const ready = 5;']);
  });

  test('a path is relative to the file that names it', () => {
    write('gateway.yaml', 'version: 1\ninclude: [routes/*.yaml]\nlisteners: { web: { address: "127.0.0.1:0" } }\n');
    write('routes/p.ts', 'export const schema = {}; export default { bind: () => ({}) };');
    write('routes/a.yaml', 'routes: [{ name: a, match: {}, respond: {}, policies: [{ type: module, module: p.ts }] }]');
    expect(planned(compileOnce(join(folder, 'gateway.yaml'), {})).module).toBe(join(folder, 'routes/p.ts'));
  });
});

test('a config that may have no modules loads none', () => {
  write('b.ts', 'globalThis.wasLoaded = true; export const schema = {}; export default { bind() {} };');
  const file = write('gateway.yaml', configOf('{ type: module, module: ./b.ts }'));
  const compiled = compile({ file, env: {}, modules: false })!;
  expect(told(compiled)).toEqual(['gateway.yaml:8:33 a module is code, and a pushed config may not name any']);
  expect('wasLoaded' in globalThis).toBe(false);
});

test('a process that has loaded many versions says so', () => {
  const config = configOf('{ type: module, module: ./many.ts }');
  const problemsAfter = (n: number): string[] => {
    write('many.ts', `export const n = ${n}; export const schema = {}; export default { bind() {} };`);
    const { plan, problems } = check(config);
    expect(plan).not.toBeNull();
    return problems.map(({ level, message }) => `${level} ${message}`);
  };
  const all = Array.from({ length: 100 }, (_, n) => problemsAfter(n));
  expect(all[0]).toEqual([]);
  expect(all.at(-1)).toEqual([
    'warning this process has loaded more than 100 versions of modules, and Node keeps each in memory',
  ]);
});
