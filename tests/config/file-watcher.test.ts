/** When a change of files is hinted at: at once if they are replaced, when it is quiet if they are written in place. */
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FileWatcher } from '../../src/config/file-watcher.ts';
import { ManualClock } from '../support/manual-clock.ts';

// Each test runs in one go: what the system tells would come later, so that only the looks at the files count.
const LOOK = 2000;
const SETTLE = 300;

let directory: string;
let file: string;
let clock: ManualClock;
let watcher: FileWatcher;
let hints: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'prozy-watch-'));
  file = join(directory, 'gateway.yaml');
  writeFileSync(file, 'old');
  clock = new ManualClock();
  hints = 0;
  watcher = new FileWatcher(clock, () => hints++);
});

afterEach(async () => {
  await watcher.close();
  rmSync(directory, { recursive: true });
});

function watch(files = [file], globs: string[] = [], on = true): void {
  watcher.update(files, globs, { watch: on, settle: SETTLE });
  clock.advance(500);
  hints = 0;
}

test('a file written in place is hinted at when it has not changed for the settle time', () => {
  watch();
  writeFileSync(file, 'half');
  clock.advance(LOOK - 500);
  expect([hints, watcher.unsettled]).toEqual([0, true]);
  writeFileSync(file, 'half and more');
  clock.advance(SETTLE);
  expect(hints).toBe(0);
  clock.advance(SETTLE - 1);
  expect(hints).toBe(0);
  clock.advance(1);
  expect([hints, watcher.unsettled]).toEqual([1, false]);
});

test('a file replaced by a rename is hinted at at once, and so is a link that is pointed elsewhere', () => {
  const link = join(directory, 'current');
  symlinkSync(file, link);
  watch([link]);
  writeFileSync(`${file}.new`, 'new');
  renameSync(`${file}.new`, file);
  clock.advance(LOOK - 500);
  expect([hints, watcher.unsettled]).toEqual([1, false]);
  watch([link]);
  writeFileSync(join(directory, 'other'), 'other');
  symlinkSync(join(directory, 'other'), `${link}.new`);
  renameSync(`${link}.new`, link);
  clock.advance(LOOK - 500);
  expect(hints).toBe(1);
});

test('a file that is written in place holds up what else changes: all of it is read together', () => {
  const secret = join(directory, 'secret');
  writeFileSync(secret, 'a');
  watch([file, secret]);
  writeFileSync(secret, 'bc');
  writeFileSync(`${file}.new`, 'new');
  renameSync(`${file}.new`, file);
  clock.advance(LOOK - 500);
  expect(hints).toBe(0);
  clock.advance(SETTLE);
  expect(hints).toBe(1);
});

test('the same for a file that an include pattern matches', () => {
  const route = join(directory, 'a.yaml');
  writeFileSync(route, 'a');
  watch([file, route], [join(directory, '?.yaml')]);
  writeFileSync(route, 'half');
  clock.advance(LOOK - 500);
  expect(hints).toBe(0);
  clock.advance(SETTLE);
  expect(hints).toBe(1);
});

test('without watching there is no hint and no timer', () => {
  watch([file], [], false);
  writeFileSync(file, 'new');
  clock.advance(10 * LOOK);
  expect([hints, watcher.unsettled, clock.waiting]).toEqual([0, false, 0]);
});

test('of many files a lot is looked at in turn, and all of them within the time of a look', () => {
  const files = Array.from({ length: 1200 }, (_, i) => join(directory, `${i}.pem`));
  for (const path of files) writeFileSync(path, 'old');
  watch([file, ...files], [join(directory, '*.pem')]);
  for (const path of [files[0]!, files[1199]!, file]) {
    renameSync(path, `${path}.old`);
    writeFileSync(path, 'newer');
    clock.advance(LOOK);
    expect(hints).toBe(1);
    clock.advance(LOOK);
    expect(hints).toBe(1);
    watch([file, ...files], [join(directory, '*.pem')]);
  }
  writeFileSync(join(directory, 'another.pem'), 'new');
  clock.advance(LOOK);
  expect(hints).toBe(1);
});
