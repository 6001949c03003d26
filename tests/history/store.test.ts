/** The store on a real disk, and on disks that fail, are full, or lose what was on them. */
import {
  chmodSync,
  chownSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import type { ConfigTexts } from '../../src/config/config-reader.ts';
import { systemDisk } from '../../src/kit/disk.ts';
import { type EntryDraft, HistoryStore, partOf } from '../../src/history/store.ts';
import { troubledDisk } from '../support/disks.ts';

const root = mkdtempSync(join(tmpdir(), 'prozy-history-'));
afterAll(() => rmSync(root, { recursive: true }));

const FILE = '/etc/prozy/gateway.yaml';
const KEEP = 3;
let made = 0;

function freshStore(disk = systemDisk): HistoryStore {
  return new HistoryStore(join(root, `${made++}`, 'state'), FILE, disk);
}

function textsOf(text: string): ConfigTexts {
  const texts = new Map([
    [FILE, `include: ["*.d"]\n# ${text}`],
    ['/etc/prozy/same.d', 'the same in all'],
  ]);
  return { texts, found: new Map([['/etc/prozy/*.d', ['/etc/prozy/same.d']]]) };
}

function draft(text: string, at = '2026-01-01T00:00:00.000Z'): EntryDraft {
  return { at, trigger: 'watch', by: '', generation: 1, pid: 7, changes: `to ${text}`, texts: textsOf(text) };
}

const NOW = new Date().toISOString();

async function contents(store: HistoryStore): Promise<string[]> {
  const { entries } = await store.list();
  const all = await Promise.all(entries.map((entry) => store.read(entry)));
  return all.map(({ texts }) => (texts.get(FILE) ?? '').split('# ')[1]!);
}

const blobs = (store: HistoryStore): string[] => readdirSync(join(store.path, 'blobs'));
const entryFiles = (store: HistoryStore): string[] => readdirSync(join(store.path, 'entries')).toSorted();

test('what was put in comes out again, texts and patterns, the newest first', async () => {
  const store = freshStore();
  for (const text of ['a', 'b']) await store.add(draft(text), KEEP);
  const { entries, damaged } = await store.list();
  expect(entries.map(({ number, changes, trigger, file }) => [number, changes, trigger, file])).toEqual([
    [2, 'to b', 'watch', FILE],
    [1, 'to a', 'watch', FILE],
  ]);
  expect(damaged).toEqual([]);
  expect(await store.read(entries[1]!)).toEqual(textsOf('a'));
});

test('a text that several entries have is stored once, under the digest of what it says', async () => {
  const store = freshStore();
  for (const text of ['a', 'b']) await store.add(draft(text), KEEP);
  expect(blobs(store)).toHaveLength(3);
  for (const name of blobs(store)) expect(name).toMatch(/^[0-9a-f]{64}$/);
});

test('the newest once more is no new entry; what was before it is', async () => {
  const store = freshStore();
  for (const text of ['a', 'b', 'b', 'a']) await store.add(draft(text), KEEP);
  expect(await contents(store)).toEqual(['a', 'b', 'a']);
});

test('so many are kept; numbers go on; texts that nobody names go when they have been unused for an hour', async () => {
  const store = freshStore();
  for (const text of ['a', 'b', 'c', 'd']) await store.add(draft(text, NOW), KEEP);
  expect(await contents(store)).toEqual(['d', 'c', 'b']);
  expect(entryFiles(store)).toEqual(['00000002.json', '00000003.json', '00000004.json']);
  expect(blobs(store)).toHaveLength(5);
  for (const name of blobs(store)) utimesSync(join(store.path, 'blobs', name), 1000, 1000);
  await store.add(draft('e', NOW), KEEP);
  // The text that all share was touched, the one of `e` is new; those of `c` and `d` are old and still named.
  expect(blobs(store)).toHaveLength(4);
  expect(await contents(store)).toEqual(['e', 'd', 'c']);
});

test('only its owner can read it, whatever the umask and whoever made the directory', async () => {
  const store = freshStore();
  const before = process.umask(0);
  try {
    mkdirSync(store.path, { recursive: true });
    chmodSync(store.path, 0o777);
    await store.add(draft('a'), KEEP);
    await store.setHold({ since: NOW, entry: 1, serves: 'x', instead_of: 'y' });
  } finally {
    process.umask(before);
  }
  const modes = globSync('**/*', { cwd: store.path }).map((name) => statSync(join(store.path, name)));
  expect(statSync(store.path).mode & 0o777).toBe(0o700);
  expect(modes.map((one) => (one.mode & 0o777).toString(8) + (one.isDirectory() ? '/' : '')).toSorted()).toEqual([
    '600',
    '600',
    '600',
    '600',
    '700/',
    '700/',
  ]);
});

test('a link or a file in the place of the directory is not followed', async () => {
  const store = freshStore();
  await store.add(draft('a'), KEEP);
  const other = freshStore();
  mkdirSync(join(other.path, '..'), { recursive: true });
  symlinkSync(store.path, other.path);
  await expect(other.list()).rejects.toThrow(`${other.path} is not a directory`);
  await expect(other.hold()).rejects.toThrow('is not a directory');
  await expect(other.add(draft('b'), KEEP)).rejects.toThrow('is not a directory');
  expect(await contents(store)).toEqual(['a']);
});

test("another user's directory is not ours, and is left as it is", async () => {
  let theirs = '/usr';
  if (process.geteuid?.() === 0) {
    theirs = mkdtempSync(join(root, 'theirs-'));
    chownSync(theirs, 12345, 12345);
    chmodSync(theirs, 0o755);
  }
  const { mode, uid } = statSync(theirs);
  expect(await systemDisk.claim(theirs)).toBe(`belongs to another user (${uid}, not ${process.geteuid?.()})`);
  expect(statSync(theirs).mode).toBe(mode);
});

test('each config file has a part of its own', async () => {
  const dir = join(root, 'shared');
  const one = new HistoryStore(dir, FILE, systemDisk);
  const two = new HistoryStore(dir, '/elsewhere/gateway.yaml', systemDisk);
  await one.add(draft('a'), KEEP);
  expect((await two.list()).entries).toEqual([]);
  expect(partOf(FILE)).toMatch(/^gateway\.yaml-[0-9a-f]{12}$/);
  expect(partOf('/x/../wild name é.yaml')).toMatch(/^wild_name___?\.yaml-[0-9a-f]{12}$/);
});

test('two that write to one directory at a time take nothing from each other', async () => {
  const dir = join(root, 'two');
  const stores = [0, 1].map(() => new HistoryStore(dir, FILE, systemDisk));
  await Promise.all(
    stores.map(async (store, i) => {
      for (let n = 0; n < 20; n++) await store.add(draft(`${i}-${n}`, NOW), 100);
    }),
  );
  const all = await contents(stores[0]!);
  expect(new Set(all).size).toBe(40);
  const numbers = (await stores[0]!.list()).entries.map(({ number }) => number);
  expect(numbers).toEqual(Array.from({ length: 40 }, (_, i) => 40 - i));
});

test('a hold comes back as it was, until it is lifted', async () => {
  const store = freshStore();
  expect(await store.hold()).toBeNull();
  await store.setHold(null);
  const hold = { since: NOW, entry: 4, serves: 'abc', instead_of: 'def' };
  await store.setHold(hold);
  expect(await store.hold()).toEqual(hold);
  await store.setHold(null);
  expect(await store.hold()).toBeNull();
  writeFileSync(join(store.path, 'hold.json'), '{"version":1,"since"');
  await expect(store.hold()).rejects.toThrow('the hold is damaged');
  writeFileSync(join(store.path, 'hold.json'), '{"version":2}');
  expect(await store.hold()).toBeNull();
});

test('torn and damaged entries are passed over, told, and gone when they would be too old', async () => {
  const store = freshStore();
  for (const text of ['a', 'b', 'c']) await store.add(draft(text, NOW), KEEP);
  const path = (number: number): string => join(store.path, 'entries', `0000000${number}.json`);
  const third = readFileSync(path(3), 'utf8');
  writeFileSync(path(3), third.slice(0, third.length / 2));
  writeFileSync(path(2), readFileSync(path(2), 'utf8').replace('same.d', 'other.d'));
  writeFileSync(join(store.path, 'entries', '.unfinished-0011223344556677'), '{');
  writeFileSync(join(store.path, 'entries', 'stray.json'), '{}');
  const { damaged } = await store.list();
  expect(damaged.toSorted()).toEqual(['00000002.json', '00000003.json', 'stray.json']);
  expect(await contents(store)).toEqual(['a']);
  // The number of a damaged one is not given again.
  expect((await store.add(draft('d', NOW), KEEP)).entry.number).toBe(4);
  for (const text of ['e', 'f']) await store.add(draft(text, NOW), KEEP);
  expect(entryFiles(store).filter((name) => name.startsWith('0'))).toEqual([
    '00000004.json',
    '00000005.json',
    '00000006.json',
  ]);
  for (const name of entryFiles(store)) utimesSync(join(store.path, 'entries', name), 1000, 1000);
  await store.add(draft('g', NOW), KEEP);
  expect(entryFiles(store)).toEqual(['00000005.json', '00000006.json', '00000007.json']);
});

test('an entry of another version is neither read nor thrown away, nor are the texts that it may name', async () => {
  const store = freshStore();
  await store.add(draft('a', NOW), 1);
  writeFileSync(join(store.path, 'entries', '00000002.json'), '{"version":2}');
  expect(await store.list()).toMatchObject({ damaged: [], foreign: 1, last: 2 });
  for (const name of blobs(store)) utimesSync(join(store.path, 'blobs', name), 1000, 1000);
  await store.add(draft('b', NOW), 5);
  await store.add(draft('c', NOW), 5);
  expect(existsSync(join(store.path, 'entries', '00000002.json'))).toBe(true);
  expect(await contents(store)).toEqual(['c', 'b', 'a']);
});

test('a damaged or lost text is told, and mended when the same text takes effect again', async () => {
  const store = freshStore();
  const { entry } = await store.add(draft('a'), KEEP);
  const [own, shared] = entry.sources.map(({ blob }) => join(store.path, 'blobs', blob));
  writeFileSync(own!, 'something else');
  await expect(store.read(entry)).rejects.toThrow('entry 1 has the text of /etc/prozy/gateway.yaml damaged');
  rmSync(own!);
  await expect(store.read(entry)).rejects.toThrow('entry 1 has lost the text of /etc/prozy/gateway.yaml');
  writeFileSync(shared!, '');
  await store.add(draft('a'), KEEP);
  expect(await store.read(entry)).toEqual(textsOf('a'));
});

test('what another writes at the same place at the same time is not overwritten', async () => {
  const disk = troubledDisk();
  const store = freshStore(disk);
  await store.add(draft('a'), KEEP);
  disk.trouble = (what, path) => {
    if (what === 'create' && basename(path) === '00000002.json') writeFileSync(path, 'theirs');
    return null;
  };
  expect((await store.add(draft('b'), KEEP)).entry.number).toBe(3);
  expect(readFileSync(join(store.path, 'entries', '00000002.json'), 'utf8')).toBe('theirs');
});

/** Does what a run without faults does up to one of its writes, which fails, as do all after it. */
test('whichever write is the last that succeeds: what is listed is whole, and the next attempt mends it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 6 }),
      fc.nat({ max: 40 }),
      async (texts, last) => {
        const disk = troubledDisk();
        const store = freshStore(disk);
        disk.trouble = () => (disk.tried.length > last ? 'ENOSPC' : null);
        const before: string[] = [];
        for (const text of texts) {
          try {
            await store.add(draft(text, NOW), KEEP);
          } catch {
            // Whether it is there or not depends on which write failed; both are right.
            before.push(text);
            break;
          }
          before.push(text);
        }
        const kept = await contents(store);
        const versions = before.filter((text, i) => text !== before[i - 1]).toReversed();
        const [newest] = kept;
        if (newest !== undefined) expect(versions.slice(0, 2)).toContain(newest);
        expect(versions.join('')).toContain(kept.slice(0, 2).join(''));
        disk.trouble = () => null;
        await store.add(draft('z', NOW), KEEP);
        expect((await contents(store)).slice(0, 2)).toEqual(newest === undefined ? ['z'] : ['z', newest]);
        expect((await store.list()).entries.length).toBeLessThanOrEqual(KEEP);
      },
    ),
    { numRuns: 60 },
  );
});
