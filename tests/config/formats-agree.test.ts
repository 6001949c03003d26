/** One config in three formats is one config; and two JSON5 parsers see the same in our examples. */
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import JSON5 from 'json5';
import { afterAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { parseConfig } from '../../src/config/parse.ts';
import { compileOnce } from '../../src/runtime/compile/compile.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'prozy-formats-'));
afterAll(() => rmSync(folder, { recursive: true }));

test.each(globSync('configs/*.{yaml,json5}', { cwd: root }))('%s means the same in each format', (name) => {
  const text = readFileSync(join(root, name), 'utf8');
  const { value, problems } = parseConfig(name, text);
  expect(problems).toEqual([]);
  const plans = [
    ['json', JSON.stringify(value)],
    ['json5', JSON5.stringify(value, null, 2)],
    ['yaml', stringify(value)],
  ].map(([extension, written]) => {
    const file = join(folder, `gateway.${extension}`);
    writeFileSync(file, written!);
    return compileOnce(file, {}).plan;
  });
  expect(plans[0]).not.toBeNull();
  expect(plans[1]).toEqual(plans[0]);
  expect(plans[2]).toEqual(plans[0]);
});

test('any value that JSON can hold is read the same from all three', () => {
  const keys = fc.string().filter((key) => key !== '__proto__' && key !== '<<');
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(keys, tie('tree'), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(keys, tree, { minKeys: 1, maxKeys: 5 }), (value) => {
      const plain = JSON.parse(JSON.stringify(value)) as unknown;
      expect(parseConfig('a.json', JSON.stringify(value)).value).toEqual(plain);
      expect(parseConfig('a.json5', JSON5.stringify(value)).value).toEqual(plain);
      expect(parseConfig('a.yaml', stringify(value)).value).toEqual(plain);
    }),
    { numRuns: 300 },
  );
});

test('our JSON5 reader and the reference implementation agree on what JSON5 is', () => {
  const pieces = [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    "'a'",
    '"b"',
    'c',
    '// x\n',
    '/* y */',
    '+1',
    '.5',
    '0x1F',
    'NaN',
    'null',
    ' ',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (parts) => {
      const text = `{a: ${parts.join('')}}`;
      // As keys without quotes, words that are values elsewhere are JSON5; our reader asks for the quotes.
      if (/(?:null|NaN)(?:\s|\/\/.*\n|\/\*.*?\*\/)*:/.test(text)) return;
      let wanted: unknown;
      try {
        wanted = JSON5.parse(text);
      } catch {
        wanted = undefined;
      }
      const { value, problems } = parseConfig('a.json5', text);
      // A key given twice is JSON5, and a mistake in a config.
      if (problems.some(({ message }) => message.includes('twice'))) return;
      expect(problems.length > 0 ? undefined : value).toEqual(wanted);
    }),
    { numRuns: 3000 },
  );
});
