/**
 * Configs with what becomes of them beside each: `good/X` has its plan in `X.plan.json`, `bad/X` its problems in
 * `X.problems.txt`. A new case is a new file; UPDATE_GOLDEN=1 writes what is there now, to be read before it is committed.
 */
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { compileOnce } from '../../src/runtime/compile/compile.ts';

const folder = fileURLToPath(new URL('../golden/', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));
const ENV = { WORD: 'hush-hush', BAD_REGEX: '(hush+)+' };
const cases = (kind: string): string[] =>
  globSync(`${kind}/*.{yaml,json,json5,toml}`, { cwd: folder, exclude: ['**/*.plan.json'] });

function agrees(path: string, text: string): void {
  const shown = text.replaceAll(folder, '').replaceAll(root, '');
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, shown);
  expect(existsSync(path) ? readFileSync(path, 'utf8') : 'a file that is missing').toBe(shown);
}

test.each(cases('bad'))('%s has these problems', (name) => {
  const { plan, report, problems } = compileOnce(join(folder, name), ENV);
  expect(plan).toBeNull();
  expect(`${report}${JSON.stringify(problems)}`).not.toContain('hush');
  agrees(join(folder, `${name}.problems.txt`), `${report}\n`);
});

test.each(cases('good'))('%s means this', (name) => {
  const { plan, problems } = compileOnce(join(folder, name), ENV);
  expect(problems).toEqual([]);
  agrees(join(folder, `${name}.plan.json`), `${JSON.stringify(plan, null, 2)}\n`);
});
