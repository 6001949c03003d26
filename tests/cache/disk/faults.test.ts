/** A disk that fails: full, broken, read-only, removed. The system's answers are made up, since a real disk would have to be ruined. */
import fs, { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { place, TestDisk } from '../../support/disk.ts';
import { until } from '../../support/gateway.ts';

/** What fails, and how. */
const faults = vi.hoisted(() => new Map<string, string>());

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  const failing = (name: string): Error | null => {
    const code = faults.get(name);
    return code === undefined ? null : Object.assign(new Error(`${code}: made up`), { code });
  };
  type Callback = (error: Error | null, ...rest: unknown[]) => void;
  const later = (name: 'open' | 'read' | 'writev') => {
    // Every overload is passed on as it is.
    const call = real[name] as (...args: unknown[]) => void;
    return (...args: unknown[]) => {
      const error = failing(name);
      if (error === null) call(...args);
      else setImmediate(() => (args.at(-1) as Callback)(error));
    };
  };
  const atOnce = (name: 'writeSync' | 'mkdirSync' | 'renameSync') => {
    const call = real[name] as (...args: unknown[]) => unknown;
    return (...args: unknown[]) => {
      const error = failing(name);
      if (error !== null) throw error;
      return call(...args);
    };
  };
  const faulty = {
    open: later('open'),
    read: later('read'),
    writev: later('writev'),
    writeSync: atOnce('writeSync'),
    mkdirSync: atOnce('mkdirSync'),
    renameSync: atOnce('renameSync'),
  };
  return { ...real, ...faulty, default: { ...real, ...faulty } };
});

beforeEach(() => faults.clear());

const URL = 'http://example.com/';

test.each(['ENOSPC', 'EIO', 'EROFS', 'EACCES', 'EDQUOT'])(
  '%s when writing: given up, counted, told; reading goes on',
  async (code) => {
    using at = place();
    {
      await using one = await TestDisk.open(at.path, { maxSize: 1024 * 1024 });
      one.put(`${URL}a`, 'a');
      one.put(`${URL}b`, Buffer.alloc(60_000, 'b'));
      await one.written();
      one.put(`${URL}c`, Buffer.alloc(60_000, 'c'));
      await one.written();
      faults.set('writev', code);
      one.put(`${URL}a`, 'newer');
      one.put(`${URL}d`, 'd');
      await until(() => one.failures.length > 0, 'it is told');
      expect(one.failures).toEqual([code]);
      expect(one.metrics).toMatchObject({ dropped: 2, errors: 1 });
      expect(one.lost).toBe(false);
      // It does not write for a while.
      one.put(`${URL}e`, 'e');
      expect(one.metrics.dropped).toBe(3);
      // What was to be replaced is not given any more.
      expect(await one.body(`${URL}a`)).toBeNull();
      expect((await one.seek(`${URL}c`))!.length).toBe(60_000);
      // On a full disk the oldest goes.
      expect((await one.seek(`${URL}b`)) === null).toBe(code === 'ENOSPC');
    }
    faults.clear();
    await using two = await TestDisk.open(at.path);
    expect(await two.body(`${URL}a`)).toBeNull();
    expect((await two.seek(`${URL}c`))!.length).toBe(60_000);
  },
);

test('what can not be read is not there, and does not come back', async () => {
  using at = place();
  {
    await using one = await TestDisk.open(at.path);
    one.put(URL, 'body');
    await one.written();
    faults.set('read', 'EIO');
    expect(await one.body(URL)).toBeNull();
    expect(one.failures).toEqual(['EIO']);
    expect(one.metrics).toMatchObject({ hits: 0, misses: 1, errors: 1 });
    faults.clear();
    expect(await one.body(URL)).toBeNull();
  }
  await using two = await TestDisk.open(at.path);
  expect(await two.body(URL)).toBeNull();
});

test('what can not be taken back for good is thrown away with all that is there', async () => {
  using at = place();
  {
    await using one = await TestDisk.open(at.path);
    one.put(`${URL}a`, 'a');
    one.put(`${URL}b`, 'b');
    await one.written();
    faults.set('writeSync', 'EIO');
    one.disk.invalidate(`${URL}a`);
    expect(one.lost).toBe(true);
  }
  faults.clear();
  await using two = await TestDisk.open(at.path);
  expect(two.disk.entries.size).toBe(0);
  expect(await two.body(`${URL}a`)).toBeNull();
});

test('a directory that can not be made or written to is refused with the system’s word for it', async () => {
  using at = place();
  faults.set('mkdirSync', 'EROFS');
  expect(await TestDisk.try(at.path)).toMatchObject({ code: 'EROFS' });
  faults.clear();
  faults.set('mkdirSync', 'EACCES');
  expect(await TestDisk.try(at.path)).toMatchObject({ code: 'EACCES' });
});

test('a directory that somebody removes is given up at the next file', async () => {
  using at = place();
  await using one = await TestDisk.open(at.path, { maxSize: 1024 * 1024 });
  one.put(`${URL}a`, 'a');
  await one.written();
  rmSync(at.path, { recursive: true });
  // What is open can still be read.
  for (let i = 0; i < 3; i++) one.put(`${URL}${i}`, Buffer.alloc(60_000));
  await until(() => one.lost, 'it is given up');
  expect(one.failures).toContain('ENOENT');
});

test('a file that can not be opened is left for the next one', async () => {
  using at = place();
  await using one = await TestDisk.open(at.path);
  faults.set('open', 'EMFILE');
  one.put(URL, 'body');
  await until(() => one.failures.length > 0, 'it is told');
  expect(one.failures).toEqual(['EMFILE']);
  expect(readdirSync(join(at.path, 'segments'))).toEqual([]);
  expect(one.lost).toBe(false);
});
