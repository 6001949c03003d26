/** The life of a disk: opened, refused, lost, asked for again. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Disk } from '../../../src/cache/disk/disk.ts';
import { Log } from '../../../src/observe/log.ts';
import { diskMetrics } from '../../../src/observe/metrics.ts';
import { place, response } from '../../support/disk.ts';
import { exchange } from '../../support/exchange.ts';
import { until } from '../../support/gateway.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const KEY = { query: null, ignoreQuery: [], sortQuery: false, headers: [], cookies: [] };
const URL = 'http://example.com/';

function diskAt(path: string, maxSize = 1024 * 1024) {
  const clock = new ManualClock();
  const events: string[] = [];
  const log = new Log(clock, (line) => events.push((JSON.parse(line) as { event: string }).event));
  const plan = { path, maxSize };
  const disk = new Disk({ name: 'pages', plan, key: KEY, clock, metrics: diskMetrics(), log, found: () => {} });
  const put = (key: string, size = 10): void => disk.put(key, response(Buffer.alloc(size), {}, null, clock));
  const seek = (key: string): Promise<boolean> => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const sought = { key, scope: 'all', x: exchange(), statusHeader: true };
    const lookup = disk.look(sought, { onDisk: (stored) => resolve(stored !== null) });
    return lookup === null ? Promise.resolve(false) : promise;
  };
  return { disk, clock, events, put, seek };
}

const READY = 'the disk of a cache is ready';
const REFUSED = 'the disk of a cache cannot be used';

test('it is asked for again, told of once, and knows what was taken back meanwhile', async () => {
  using at = place();
  const one = diskAt(at.path);
  one.disk.start(1024 * 1024);
  await until(() => one.events.includes(READY), 'it is ready');
  for (const name of ['a', 'b', 'c']) one.put(URL + name);
  await one.disk.rest();
  expect(one.disk.numbers).toEqual({ open: false, entries: 0, bytes: 0, waiting: 0 });

  const alien = join(at.path, 'cache.json');
  rmSync(alien);
  const two = diskAt(at.path);
  two.disk.start(1024 * 1024);
  await until(() => two.events.includes(REFUSED), 'it is refused');
  for (let i = 0; i < 3; i++) {
    two.clock.advance(10_000);
    await until(() => two.clock.waiting === 1, 'it has been asked for again');
  }
  expect(two.events).toEqual([REFUSED]);
  await two.disk.rest();
  expect(two.clock.waiting).toBe(0);
});

test('another has it: what is taken back until it is free counts', async () => {
  using at = place();
  const one = diskAt(at.path);
  one.disk.start(1024 * 1024);
  await until(() => one.events.includes(READY), 'it is ready');
  for (const name of ['a', 'b', 'c']) one.put(URL + name);
  await until(() => one.disk.numbers.waiting === 0, 'all is written');
  const two = diskAt(at.path);
  two.disk.start(1024 * 1024);
  await until(() => two.events.includes(REFUSED), 'it is refused');
  two.disk.invalidate(`${URL}a`);
  two.disk.purge('prefix', '/b', false);
  await one.disk.rest();
  two.clock.advance(500);
  await until(() => two.events.includes(READY), 'it is ready');
  expect(await Promise.all(['a', 'b', 'c'].map((name) => two.seek(URL + name)))).toEqual([false, false, true]);
  await two.disk.rest();
});

test('more was taken back than can be remembered: everything is asked for anew', async () => {
  using at = place();
  const one = diskAt(at.path);
  one.disk.start(1024 * 1024);
  await until(() => one.events.includes(READY), 'it is ready');
  one.put(`${URL}a`);
  await until(() => one.disk.numbers.waiting === 0, 'all is written');
  const two = diskAt(at.path);
  two.disk.start(1024 * 1024);
  for (let i = 0; i < 2000; i++) two.disk.invalidate(`${URL}other/${i}`);
  await one.disk.rest();
  await until(() => two.events.includes(READY) || two.clock.waiting > 0, 'it has tried');
  two.clock.advance(500);
  await until(() => two.events.includes(READY), 'it is ready');
  const { promise, resolve } = Promise.withResolvers<boolean | undefined>();
  const sought = { key: `${URL}a`, scope: 'all', x: exchange(), statusHeader: true };
  two.disk.look(sought, { onDisk: (stored) => resolve(stored?.head.noCache) });
  expect(await promise).toBe(true);
  await two.disk.rest();
});

test('a directory that is removed is made anew after a while', async () => {
  using at = place();
  const { disk, clock, events, put, seek } = diskAt(at.path);
  disk.start(1024 * 1024);
  await until(() => events.includes(READY), 'it is ready');
  put(`${URL}a`);
  await until(() => disk.numbers.waiting === 0, 'it is written');
  rmSync(at.path, { recursive: true });
  for (let i = 0; i < 3; i++) put(`${URL}${i}`, 60_000);
  await until(() => !disk.numbers.open, 'it is given up');
  put(`${URL}b`);
  expect(await seek(`${URL}a`)).toBe(false);
  await until(() => clock.waiting > 0, 'it will be asked for again');
  clock.advance(10_000);
  await until(() => disk.numbers.open, 'it is there again');
  expect(existsSync(join(at.path, 'cache.json'))).toBe(true);
  put(`${URL}c`);
  await until(() => disk.numbers.waiting === 0, 'it is written');
  expect(await seek(`${URL}c`)).toBe(true);
  await disk.rest();
  expect(clock.waiting).toBe(0);
});

test('rest and start, in any order and number', async () => {
  using at = place();
  mkdirSync(at.path);
  const { disk, clock, put, seek } = diskAt(at.path);
  disk.start(1);
  void disk.rest();
  disk.start(2);
  disk.start(1024 * 1024);
  await until(() => disk.numbers.open, 'it is open');
  put(`${URL}a`);
  await until(() => disk.numbers.waiting === 0, 'it is written');
  expect(await seek(`${URL}a`)).toBe(true);
  void disk.rest();
  disk.start(1024 * 1024);
  await disk.rest();
  expect(disk.numbers.open).toBe(false);
  expect(clock.waiting).toBe(0);
  writeFileSync(join(at.path, 'x'), '');
});
