import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeDirectories } from '../../src/kit/make-directories.ts';

const folder = mkdtempSync(join(tmpdir(), 'prozy-directories-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (...parts: string[]): string => join(folder, ...parts);

test('makes what is missing, and tells the first; what is there is fine', () => {
  expect(makeDirectories(at('a', 'b', 'c'), 0o700)).toBe(at('a'));
  expect(statSync(at('a', 'b', 'c')).mode & 0o777).toBe(0o700);
  expect(makeDirectories(at('a', 'b', 'd'), 0o700)).toBe(at('a', 'b', 'd'));
  expect(makeDirectories(at('a', 'b'), 0o700)).toBeUndefined();
  symlinkSync(at('a'), at('link'));
  expect(makeDirectories(at('link'), 0o700)).toBeUndefined();
  expect(makeDirectories(at('link', 'e'), 0o700)).toBe(at('link', 'e'));
});

test('throws what the system says', () => {
  writeFileSync(at('file'), '');
  symlinkSync(at('nowhere'), at('dangling'));
  expect(() => makeDirectories(at('file'), 0o700)).toThrow(/EEXIST/);
  expect(() => makeDirectories(at('file', 'a'), 0o700)).toThrow(/ENOTDIR/);
  expect(() => makeDirectories(at('dangling'), 0o700)).toThrow(/EEXIST/);
});

test.runIf(existsSync('/proc/self'))('where no directory can be made, it says so and does not go on for ever', () => {
  expect(() => makeDirectories('/proc/prozy/cache', 0o700)).toThrow(/ENOENT/);
});
