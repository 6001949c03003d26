/** Directories of caches in a config. */
import { expect, test } from 'vitest';
import { compileOnce } from '../../src/runtime/compile/compile.ts';
import { run } from '../support/command.ts';
import { place } from '../support/disk.ts';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

test.each([
  ['/var/cache/a', '/var/cache/./a/', 'is the directory of another cache'],
  ['cache/a', 'cache/a/b', 'and that of another cache are one in the other'],
  ['/var/cache/a', '/var/cache', 'and that of another cache are one in the other'],
  ['/var/cache/a', '/var/cache/ab', null],
])('%s and %s', async (one, other, problem) => {
  using at = place();
  mkdirSync(at.path);
  const file = join(at.path, 'gateway.json');
  const caches = { one: { disk: { path: one } }, two: { disk: { path: other } } };
  const routes = [{ name: 'all', match: {}, respond: { status: 204 } }];
  writeFileSync(
    file,
    JSON.stringify({ version: 1, listeners: { web: { address: '127.0.0.1:0' } }, caches, routes }, null, 1),
  );
  const { code, out, err } = await run('check', file);
  if (problem === null) expect([code, err]).toEqual([0, '']);
  else {
    expect(code).not.toBe(0);
    expect(out + err).toContain(problem);
    expect(out + err).toContain('cache one');
  }
});

test('a relative directory starts at the file that names it, as every other path does', () => {
  using at = place();
  mkdirSync(join(at.path, 'more'), { recursive: true });
  const file = join(at.path, 'gateway.json');
  const own = { listeners: { web: { address: '127.0.0.1:0' } }, caches: { 'a.b': { disk: { path: 'cache' } } } };
  writeFileSync(file, JSON.stringify({ version: 1, include: ['more/*.json'], ...own }));
  const included = { caches: { c: { disk: { path: './cache' } }, d: { disk: { path: '/var/cache/d' } } } };
  writeFileSync(join(at.path, 'more', 'caches.json'), JSON.stringify(included));
  const { plan, report } = compileOnce(file, {});
  expect(report).toBe('');
  expect(plan?.caches.map(({ name, disk }) => [name, disk?.path])).toEqual([
    ['a.b', join(at.path, 'cache')],
    ['c', join(at.path, 'more', 'cache')],
    ['d', '/var/cache/d'],
  ]);
});
