/** The keeper over disks that fail: nobody waits for it, it says so once, and it mends itself. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { HistoryKeeper } from '../../src/history/keeper.ts';
import type { EntryDraft } from '../../src/history/store.ts';
import { Log } from '../../src/observe/log.ts';
import { HistoryMetrics } from '../../src/observe/metrics.ts';
import { type TroubledDisk, troubledDisk } from '../support/disks.ts';
import { until } from '../support/gateway.ts';
import { ManualClock } from '../support/manual-clock.ts';

const root = mkdtempSync(join(tmpdir(), 'prozy-keeper-'));
afterAll(() => rmSync(root, { recursive: true }));

const FILE = '/etc/prozy/gateway.yaml';
const HOLD = { since: '2026-01-01T00:00:00.000Z', entry: 1, serves: 'a', instead_of: 'b' };
let made = 0;

interface Kept {
  readonly keeper: HistoryKeeper;
  readonly disk: TroubledDisk;
  readonly clock: ManualClock;
  readonly metrics: HistoryMetrics;
  readonly logged: { readonly level: string; readonly event: string; readonly problem?: string }[];
  directory(): string;
}

function kept(stateDir: string | null = null): Kept {
  const clock = new ManualClock();
  const logged: Kept['logged'] = [];
  const log = new Log(clock, (line) => logged.push(JSON.parse(line) as Kept['logged'][number]));
  const metrics = new HistoryMetrics();
  const disk = troubledDisk();
  const keeper = new HistoryKeeper({ file: FILE, stateDir, clock, log, metrics, disk });
  return { keeper, disk, clock, metrics, logged, directory: () => join(root, `${made++}`) };
}

function draft(text: string): EntryDraft {
  const texts = { texts: new Map([[FILE, text]]), found: new Map<string, string[]>() };
  return { at: '2026-01-01T00:00:00.000Z', trigger: 'watch', by: '', generation: 1, pid: 7, changes: text, texts };
}

async function changes({ keeper }: Kept): Promise<string[]> {
  return ((await keeper.store?.list())?.entries ?? []).map((entry) => entry.changes);
}

test('without a directory nothing is written and nothing is held', async () => {
  const all = kept();
  all.keeper.follow(null, 10);
  all.keeper.add(draft('a'));
  expect(await all.keeper.hold(HOLD)).toBe(false);
  await all.keeper.close();
  expect(all.disk.tried).toEqual([]);
});

test('a full disk is told once and tried again with growing pauses; then all is there that would be kept', async () => {
  const all = kept();
  const { keeper, disk, clock, metrics, logged } = all;
  keeper.follow(all.directory(), 2);
  disk.trouble = () => 'ENOSPC';
  keeper.add(draft('a'));
  await until(() => metrics.failed === 1, 'the first attempt has failed');
  for (const text of ['b', 'c']) keeper.add(draft(text));
  await until(() => metrics.failed >= 2 && clock.waiting === 1, 'what came after it has failed as well');
  let before = metrics.failed;
  for (const pause of [2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
    clock.advance(pause - 1);
    expect(metrics.failed).toBe(before);
    clock.advance(1);
    await until(() => metrics.failed > before && clock.waiting === 1, `an attempt after ${pause} ms`);
    before = metrics.failed;
  }
  expect(logged.map(({ level, event }) => [level, event])).toEqual([
    ['error', 'the history cannot be written; traffic goes on'],
  ]);
  expect(metrics).toMatchObject({ written: 0, lastSuccessful: false });
  expect(keeper.problem).toContain('ENOSPC');
  disk.trouble = () => null;
  clock.advance(60_000);
  await until(() => metrics.written === 2, 'all is written');
  expect(await changes(all)).toEqual(['c', 'b']);
  expect(metrics.lastSuccessful).toBe(true);
  expect(logged.at(-1)).toMatchObject({ level: 'info', event: 'the history is written again' });
  expect(keeper.problem).toBe('');
  await keeper.close();
  expect(clock.waiting).toBe(0);
});

test('a directory that may not be written: each other reason is told', async () => {
  const all = kept();
  const { keeper, disk, metrics, logged } = all;
  keeper.follow(all.directory(), 2);
  for (const code of ['EROFS', 'EACCES']) {
    disk.trouble = () => code;
    keeper.add(draft(code));
    await until(() => logged.some(({ problem }) => problem?.startsWith(code) === true), `${code} is told`);
  }
  expect(metrics.failed).toBeGreaterThanOrEqual(2);
  await keeper.close();
});

test('a hold says whether it is on the disk, and gets there before what else is left', async () => {
  const all = kept();
  const { keeper, disk, clock, metrics } = all;
  keeper.follow(all.directory(), 5);
  disk.trouble = () => 'ENOSPC';
  keeper.add(draft('a'));
  expect(await keeper.hold(HOLD)).toBe(false);
  const begun = disk.tried.length;
  disk.trouble = () => null;
  clock.advance(60_000);
  await until(() => metrics.written === 1, 'all is written');
  const order = disk.tried.slice(begun).filter((what) => what !== 'makeDirectory');
  // The hold, then the text and the entry that names it.
  expect(order).toEqual(['replace', 'replace', 'create']);
  expect(await keeper.store?.hold()).toEqual(HOLD);
  expect(await keeper.hold(null)).toBe(true);
  expect(await keeper.store?.hold()).toBeNull();
  await keeper.close();
});

test('a disk that never answers keeps nobody waiting', async () => {
  const all = kept();
  const { keeper, disk, clock } = all;
  keeper.follow(all.directory(), 5);
  disk.makeDirectory = () => new Promise(() => {});
  keeper.add(draft('a'));
  const held = keeper.hold(HOLD);
  clock.advance(2000);
  expect(await held).toBe(false);
  const closed = keeper.close();
  clock.advance(2000);
  await closed;
  expect(clock.waiting).toBe(0);
});

test('the end writes what is left', async () => {
  const all = kept();
  const { keeper, disk, clock, metrics } = all;
  keeper.follow(all.directory(), 5);
  disk.trouble = () => 'EIO';
  keeper.add(draft('a'));
  await until(() => metrics.failed === 1, 'it has failed');
  disk.trouble = () => null;
  await keeper.close();
  expect(await changes(all)).toEqual(['a']);
  expect(clock.waiting).toBe(0);
  keeper.add(draft('b'));
  expect(await changes(all)).toEqual(['a']);
});

test('another directory begins with what comes next; the one given by whoever started it counts before the config', async () => {
  const all = kept();
  const { keeper, metrics } = all;
  const [first, second] = [all.directory(), all.directory()];
  keeper.follow(first, 5);
  keeper.add(draft('a'));
  await until(() => metrics.written === 1, 'it is written');
  keeper.follow(second, 5);
  keeper.add(draft('b'));
  await until(() => metrics.written === 2, 'it is written');
  expect(await changes(all)).toEqual(['b']);
  keeper.follow(first, 5);
  expect(await changes(all)).toEqual(['a']);
  await keeper.close();
  const fixed = kept(second);
  fixed.keeper.follow(first, 5);
  expect(await changes(fixed)).toEqual(['b']);
  await fixed.keeper.close();
});
