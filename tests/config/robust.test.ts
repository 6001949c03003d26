/** Whatever a config file holds: an answer, soon, with places that exist; and never a secret in it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import JSON5 from 'json5';
import { afterAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { type Compiled, compileOnce } from '../../src/runtime/compile/compile.ts';
import { costOf } from '../support/cpu-time.ts';

const everything = fileURLToPath(new URL('../golden/good/everything.yaml', import.meta.url));
const yaml = readFileSync(everything, 'utf8');
const value = parse(yaml) as Record<string, unknown>;
const FORMATS: readonly (readonly [string, string])[] = [
  ['yaml', yaml],
  ['json', JSON.stringify(value, null, 2)],
  ['json5', JSON5.stringify(value, null, 2)],
];
const folder = mkdtempSync(join(tmpdir(), 'prozy-robust-'));
afterAll(() => rmSync(folder, { recursive: true }));

function compile(extension: string, text: string, env: Record<string, string> = {}): Compiled {
  const file = join(folder, `gateway.${extension}`);
  writeFileSync(file, text);
  return compileOnce(file, env);
}

/** Either a plan, or errors; problems at places that there are. */
function sane({ plan, problems, report }: Compiled, text: string): void {
  expect(plan === null).toBe(problems.some(({ level }) => level === 'error'));
  const lines = text.split('\n');
  for (const { line, column, message } of problems) {
    expect(message).not.toBe('');
    expect(line).toBeGreaterThan(0);
    expect(line).toBeLessThanOrEqual(lines.length);
    expect(column).toBeGreaterThan(0);
  }
  expect(report === '').toBe(problems.length === 0);
}

describe.each(FORMATS)('%s', (extension, text) => {
  test('cut off anywhere', () => {
    for (let end = 0; end < text.length; end += 7) {
      const part = text.slice(0, end);
      sane(compile(extension, part), part);
    }
  });

  test('with anything changed, put in or left out', () => {
    const piece = fc.constantFrom(
      '',
      '\0',
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"',
      "'",
      '\n',
      '\t',
      '- ',
      '&a',
      '*a',
      '<<: ',
      '!!js',
      '${',
      '}',
      '${env:X}',
      '${file:/}',
      '~',
      '0x',
      '\u{1f600}',
      '\ud800',
      '#',
      '|',
      '>',
      '?',
      '%',
    );
    fc.assert(
      fc.property(
        fc.nat({ max: text.length }),
        fc.nat({ max: 6 }),
        fc.array(piece, { maxLength: 4 }),
        (at, gone, pieces) => {
          const changed = text.slice(0, at) + pieces.join('') + text.slice(at + gone);
          sane(compile(extension, changed), changed);
        },
      ),
      { numRuns: 400 },
    );
  });
});

test('any value in place of any other', () => {
  const leaf = fc.oneof(
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.double(),
    fc.string(),
    fc.constant([]),
    fc.constant({}),
    fc.constant({ type: 'acl' }),
    fc.constant(['x', 1]),
    fc.constant('__proto__'),
  );
  const paths: string[][] = [];
  const walk = (one: unknown, path: string[]): void => {
    paths.push(path);
    if (typeof one === 'object' && one !== null)
      for (const [key, inner] of Object.entries(one)) walk(inner, [...path, key]);
  };
  walk(value, []);
  fc.assert(
    fc.property(fc.constantFrom(...paths.slice(1)), leaf, (path, put) => {
      const changed = structuredClone(value);
      // A path that was walked leads through objects.
      const parent = path.slice(0, -1).reduce<unknown>((one, key) => (one as Record<string, unknown>)[key], changed);
      (parent as Record<string, unknown>)[path.at(-1)!] = put;
      const text = JSON.stringify(changed, null, 1);
      sane(compile('json', text), text);
    }),
    { numRuns: 1500 },
  );
});

test.each([
  [
    'billion laughs',
    `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
      .split('')
      .map((name, i) => `${name}: &${name} [${`*${'abcdefghi'[i]},`.repeat(9)}]`)
      .join('\n')}\n`,
  ],
  ['an alias of itself', 'a: &a [*a]\nversion: 1\n'],
  ['nesting', `version: ${'['.repeat(5000)}${']'.repeat(5000)}\n`],
  ['a long line', `version: "${'x'.repeat(2_000_000)}"\n`],
])('%s', (_, text) => {
  const { ms } = costOf(() => {
    sane(compile('yaml', text), text);
    sane(compile('json5', text), text);
  });
  expect(ms).toBeLessThan(5000);
});

test('what a reference stands for is never shown, wherever it stands', () => {
  const SECRET = 'Tr0ub4dor&3';
  let places = 0;
  const replaceAt = (one: unknown, wanted: { left: number }): unknown => {
    if (typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean')
      return wanted.left-- === 0 ? '${env:SECRET}' : one;
    if (Array.isArray(one)) return one.map((inner) => replaceAt(inner, wanted));
    if (typeof one !== 'object' || one === null) return one;
    return Object.fromEntries(Object.entries(one).map(([key, inner]) => [key, replaceAt(inner, wanted)]));
  };
  for (let i = 0; ; i++) {
    const wanted = { left: i };
    const changed = replaceAt(value, wanted);
    if (wanted.left >= 0) break;
    places++;
    for (const secret of [SECRET, `/${SECRET}`, `${SECRET}.test`, `(${SECRET}`, `${SECRET}:80`, `10.0.0.0/${SECRET}`]) {
      const { report, problems } = compile('yaml', stringify(changed), { SECRET: secret });
      expect(`${report}${JSON.stringify(problems)}`).not.toContain('Tr0ub');
    }
  }
  expect(places).toBeGreaterThan(60);
});

describe('what is no text of a config is a problem, and keeps nobody waiting', () => {
  const place = (name: string): string => join(folder, name);
  const read = (file: string): Compiled => {
    const { result, ms } = costOf(() => compileOnce(file, {}));
    expect(ms).toBeLessThan(5000);
    return result;
  };

  test.each([
    ['a pipe', 'mkfifo', 'is no file'],
    ['a directory', 'mkdir', 'is a directory, not a file'],
  ])('%s in its place', (_, command, message) => {
    const file = place(`${command}.yaml`);
    execFileSync(command, [file]);
    expect(read(file).problems).toMatchObject([{ file, line: 1, column: 1, message }]);
  });

  test('a device that it refers to', () => {
    writeFileSync(
      place('zero.yaml'),
      'version: 1\nlisteners: { web: { address: "127.0.0.1:0" } }\nroutes:\n  - { name: a, match: {}, respond: { body: "${file:/dev/zero}" } }\n',
    );
    expect(read(place('zero.yaml')).problems).toMatchObject([
      { line: 4, message: 'cannot read the file of ${file:/dev/zero}: it is no file' },
    ]);
  });

  test.each([
    ['UTF-16', Buffer.from('\ufeffversion: 1\n', 'utf16le')],
    ['Latin-1', Buffer.from('version: 1 # é\n', 'latin1')],
    ['an overlong form', Buffer.from([0x76, 0xc0, 0xaf])],
  ])('%s', (_, bytes) => {
    writeFileSync(place('bytes.yaml'), bytes);
    expect(read(place('bytes.yaml')).problems).toMatchObject([{ message: 'is not UTF-8' }]);
  });

  test('a byte order mark is nothing', () => {
    for (const extension of ['json', 'json5', 'yaml']) {
      writeFileSync(place(`mark.${extension}`), '\ufeff{"version":1,"listeners":{"web":{"address":"127.0.0.1:0"}}}');
      expect(read(place(`mark.${extension}`)).problems).toEqual([]);
    }
  });

  test('more than 32 MiB', () => {
    writeFileSync(place('huge.yaml'), `version: 1 #${'x'.repeat(32 * 1024 * 1024)}`);
    expect(read(place('huge.yaml')).problems).toMatchObject([{ message: 'is larger than 32 MiB' }]);
  });

  test('a pattern over whole trees of directories', () => {
    writeFileSync(place('trees.yaml'), 'version: 1\ninclude: ["/**/*.yaml"]\n');
    expect(read(place('trees.yaml')).problems).toMatchObject([{ line: 2, pointer: '/include/0' }]);
  });
});

test.each([
  ['lists', '['.repeat(200), ']'.repeat(200)],
  ['lists that overflow the stack', '['.repeat(100_000), ']'.repeat(100_000)],
  ['maps', '{"a":'.repeat(200) + '1', '}'.repeat(200)],
])('more levels than anybody writes: %s', (_, open, close) => {
  for (const [extension] of FORMATS) {
    const { problems } = compile(extension, `{"version": ${open}${close}}`);
    expect(problems).toMatchObject([{ message: 'has more than 100 levels' }]);
  }
});

test('a text that ends within an escape comes to an end', () => {
  for (const [extension] of FORMATS)
    for (const text of ['{"a": "x\\', "{'a': 'x\\", '{"a": "x\\u', '{"a\\', '\\', '"\\x'])
      expect(compile(extension, text).problems.length).toBeGreaterThan(0);
});

test('very many problems, and very many aliases, take no more than their number', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['yaml', Array.from({ length: 10_000 }, (_, i) => `k${i}: 1`).join('\n')],
    ['json', `{${Array.from({ length: 10_000 }, (_, i) => `"k${i}": 1`).join()}}`],
    ['yaml', `a: &a [x]\n${Array.from({ length: 3000 }, (_, i) => `b${i}: *a`).join('\n')}`],
  ];
  for (const [extension, text] of cases) {
    const { result, ms } = costOf(() => compile(extension, text));
    // What takes the square of it takes minutes.
    expect(ms).toBeLessThan(15_000);
    expect(result.report.length).toBeLessThan(500_000);
  }
}, 60_000);
