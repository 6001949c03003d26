/** A directory in use: what is given again, what is not, and what makes room. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { variantKey } from '../../../src/cache/rules/vary.ts';
import { FieldList } from '../../../src/http/field-list.ts';
import { Fields } from '../../../src/http/fields.ts';
import { type Clock, systemClock } from '../../../src/kit/clock.ts';
import { place, TestDisk } from '../../support/disk.ts';
import { until } from '../../support/gateway.ts';

const URL = 'http://example.com/';
const files = (path: string): string[] => readdirSync(join(path, 'segments')).toSorted();
const asking = (language: string) => ({ fields: [['Accept-Language', language]] as [string, string][] });
const varyNames = ['accept-language'];
const inLanguage = (language: string) => ({
  varyNames,
  variant: variantKey(varyNames, Fields.of(asking(language).fields)),
});
const FIELDS = [
  ['Content-Type', 'text/plain'],
  ['X-Odd', '\xe4\xff'],
] as const;
const large = (letter: string): Buffer => Buffer.alloc(40_000, letter);

test('what is written is given at once, and after a restart, with all that belongs to it', async () => {
  using at = place();
  {
    await using one = await TestDisk.open(at.path);
    const fields = FieldList.of(FIELDS);
    const head = { fields, etag: '"x"', modified: 'Mon, 01 Jan 2024 00:00:00 GMT', lastModified: 1_704_067_200_000 };
    one.put(`${URL}a`, 'caf\xe9\x00\xff', { ...head, tags: ['t'], staleIfError: 5, mustRevalidate: true, status: 203 });
    one.put(`${URL}large`, large('x'));
    one.put(`${URL}empty`, '');
    await one.written();
    expect(await one.body(`${URL}a`)).toBe('caf\xe9\x00\xff');
  }
  await using two = await TestDisk.open(at.path);
  const a = (await two.seek(`${URL}a`))!;
  expect(a.body()!.toString('latin1')).toBe('caf\xe9\x00\xff');
  expect(a.head.fields.pairs).toEqual(FIELDS);
  expect(a.head).toMatchObject({
    etag: '"x"',
    modified: 'Mon, 01 Jan 2024 00:00:00 GMT',
    lastModified: 1_704_067_200_000,
    tags: ['t'],
    staleIfError: 5,
    mustRevalidate: true,
    noCache: false,
    status: 203,
    lifetime: 1000,
  });
  expect((await two.seek(`${URL}large`))!.bytes!.equals(large('x'))).toBe(true);
  expect(await two.body(`${URL}empty`)).toBe('');
  expect((await two.seek(`${URL}empty`))!.head.lastModified).toBeNaN();
  expect(await two.body(`${URL}b`)).toBeNull();
  expect(two.found.map(([key]) => key)).toEqual([`${URL}a`, `${URL}large`, `${URL}empty`, `${URL}empty`]);
  expect(two.metrics).toMatchObject({ hits: 4, misses: 1, corrupt: 0, errors: 0 });
});

test('variants, scopes, parts and answers to HEAD are told apart', async () => {
  using at = place();
  const range = { fields: [['Range', 'bytes=5-8']] as [string, string][] };
  {
    await using one = await TestDisk.open(at.path);
    for (const language of ['de', 'en']) one.put(URL, `in ${language}`, inLanguage(language));
    one.put(URL, 'other', { scope: 'other' });
    one.put(`${URL}part`, '5678', { status: 206 }, { first: 5, last: 8, complete: 100, sound: true });
    one.put(`${URL}head`, null);
  }
  await using two = await TestDisk.open(at.path);
  expect(await two.body(URL, asking('de'))).toBe('in de');
  expect(await two.body(URL, asking('en'))).toBe('in en');
  expect(await two.body(URL, asking('fr'))).toBeNull();
  expect(await two.body(URL, {}, 'other')).toBe('other');
  expect(await two.body(URL, {}, 'third')).toBeNull();
  expect(await two.body(`${URL}part`)).toBeNull();
  expect((await two.seek(`${URL}part`, range))!.part).toEqual({ first: 5, last: 8, complete: 100, sound: true });
  expect(await two.seek(`${URL}head`)).toBeNull();
  expect((await two.seek(`${URL}head`, { method: 'HEAD' }))!.headOnly).toBe(true);
});

test('what replaces something takes its place, also after a restart', async () => {
  using at = place();
  {
    await using one = await TestDisk.open(at.path);
    one.put(URL, '1');
    await one.written();
    one.put(URL, '2');
    // Not written yet, and the old is not given any more.
    expect(await one.body(URL)).toBeNull();
    await one.written();
    expect(await one.body(URL)).toBe('2');
    expect(one.disk.entries.size).toBe(1);
  }
  {
    await using two = await TestDisk.open(at.path);
    expect(await two.body(URL)).toBe('2');
    expect(two.disk.entries.size).toBe(1);
    two.put(URL, '3');
  }
  await using three = await TestDisk.open(at.path);
  expect(await three.body(URL)).toBe('3');
  expect(three.disk.entries.size).toBe(1);
});

test('what is invalidated, dropped or purged does not come back: at once, while it is written, nor after a restart', async () => {
  using at = place();
  const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'soft', 'stays'].map((name) => `${URL}${name}`);
  {
    await using one = await TestDisk.open(at.path);
    for (const key of keys.slice(0, 3)) one.put(key, key, key.endsWith('c') ? { tags: ['t', 'u'] } : {});
    await one.written();
    for (const key of keys.slice(3)) one.put(key, key);
    one.put('http://other.com/x', 'x');
    one.put(`${URL}deep/er`, 'deeper');
    expect(one.disk.invalidate(keys[0]!)).toBe(1);
    // This one is on its way.
    one.disk.invalidate(keys[3]!);
    const { response: found } = { response: (await one.seek(keys[1]!))! };
    one.disk.drop(keys[1]!, found);
    one.disk.purge('tag', 'u', false);
    one.disk.purge('host', 'other.com', false);
    one.disk.purge('prefix', '/deep', false);
    one.disk.purge('key', keys[7]!, true);
    await one.written();
  }
  for (let run = 0; run < 2; run++) {
    await using two = await TestDisk.open(at.path);
    for (const key of [keys[0]!, keys[1]!, keys[2]!, keys[3]!, 'http://other.com/x', `${URL}deep/er`])
      expect([key, await two.body(key)]).toEqual([key, null]);
    expect(await two.body(keys[4]!)).toBe(keys[4]);
    expect(await two.body(keys[8]!)).toBe(keys[8]);
    const soft = (await two.seek(keys[7]!))!;
    expect(soft.freshUntil).toBeLessThanOrEqual(systemClock.now());
    expect(soft.head.noCache).toBe(false);
  }
  {
    await using three = await TestDisk.open(at.path);
    // What comes after a purge is not met by it.
    three.put(keys[2]!, 'new', { tags: ['u'] });
    await three.written();
    expect(await three.body(keys[2]!)).toBe('new');
    three.disk.purge('all', '', false);
    three.put(keys[3]!, 'newer');
  }
  await using four = await TestDisk.open(at.path);
  for (const key of keys) expect([key, await four.body(key)]).toEqual([key, key === keys[3] ? 'newer' : null]);
});

test('what is being read while it is taken back is not given', async () => {
  using at = place();
  await using one = await TestDisk.open(at.path);
  for (const take of [
    () => one.disk.invalidate(URL),
    () => one.disk.purge('host', 'example.com', false),
    () => one.put(URL, 'newer'),
  ]) {
    one.put(URL, 'old');
    await one.written();
    const found = one.found.length;
    const sought = one.seek(URL);
    take();
    expect(await sought).toBeNull();
    expect(one.found.length).toBe(found);
  }
});

test('one read serves all who ask meanwhile; who has left is not told', async () => {
  using at = place();
  await using one = await TestDisk.open(at.path);
  one.put(URL, 'body');
  await one.written();
  const bodies = await Promise.all([one.body(URL), one.body(URL), one.body(URL)]);
  expect(bodies).toEqual(['body', 'body', 'body']);
  expect(one.metrics.hits).toBe(1);
});

test('the oldest makes room, and what has been asked for stays', async () => {
  using at = place();
  const maxSize = 1024 * 1024;
  const use = (): number =>
    files(at.path).reduce((sum, name) => sum + statSync(join(at.path, 'segments', name)).size, 0);
  await using one = await TestDisk.open(at.path, { maxSize });
  one.put(`${URL}kept`, large('k'));
  for (let i = 0; i < 100; i++) {
    one.put(`${URL}${i}`, large('x'));
    await one.written();
    if (i % 5 === 0) expect((await one.seek(`${URL}kept`))?.bytes?.equals(large('k'))).toBe(true);
    expect(one.disk.bytes).toBeLessThanOrEqual(maxSize);
  }
  await until(() => use() <= maxSize, 'what is gone is removed');
  expect(one.metrics.evictions).toBeGreaterThan(50);
  expect(await one.body(`${URL}0`)).toBeNull();
  expect((await one.seek(`${URL}99`))!.length).toBe(40_000);
  expect(one.disk.entries.size).toBeGreaterThan(15);
  one.disk.resize(maxSize / 4);
  await until(() => one.disk.bytes <= maxSize / 4, 'less is kept');
  expect(await one.body(`${URL}99`)).not.toBeNull();
  // Larger than all its room would be well spent on.
  one.put(`${URL}huge`, Buffer.alloc(maxSize / 8));
  expect(one.metrics.dropped).toBe(1);
});

test('what is too much to wait is given up, and what it replaces does not come back', async () => {
  using at = place();
  {
    await using one = await TestDisk.open(at.path, { maxSize: 1024 ** 3 });
    one.put(`${URL}9`, 'old');
    await one.written();
    const huge = Buffer.alloc(5 * 1024 * 1024);
    for (let i = 0; i < 10; i++) one.put(`${URL}${i}`, huge);
    expect(one.metrics.dropped).toBe(4);
    await one.written();
    expect(one.metrics.writes).toBe(7);
  }
  await using two = await TestDisk.open(at.path);
  expect(await two.body(`${URL}9`)).toBeNull();
  expect((await two.seek(`${URL}0`))!.length).toBe(5 * 1024 * 1024);
});

test('a clock that was set back makes what is younger than it doubtful; what has aged meanwhile has aged', async () => {
  using at = place();
  const clockAt = (ms: number): Clock => ({ ...systemClock, wall: () => systemClock.wall() + ms });
  {
    await using one = await TestDisk.open(at.path);
    one.put(URL, 'body', { lifetime: 100 });
  }
  {
    await using back = await TestDisk.open(at.path, { clock: clockAt(-3_600_000) });
    const { head } = (await back.seek(URL))!;
    expect([head.noCache, head.mustRevalidate]).toEqual([true, true]);
  }
  {
    await using later = await TestDisk.open(at.path, { clock: clockAt(60_000) });
    const stored = (await later.seek(URL))!;
    expect(stored.head.noCache).toBe(false);
    expect(stored.ageAt(systemClock.now())).toBe(60);
    expect(stored.fastPathUntil).toBeGreaterThan(systemClock.now());
  }
  await using muchLater = await TestDisk.open(at.path, { clock: clockAt(101_000) });
  expect((await muchLater.seek(URL))!.fastPathUntil).toBeLessThan(systemClock.now());
});

test('a directory is one disk’s alone', async () => {
  using at = place();
  await using one = await TestDisk.open(at.path);
  one.put(URL, 'body');
  await one.written();
  const other = await TestDisk.try(at.path);
  expect(other).toMatchObject({ code: 'LOCKED' });
  expect(await one.body(URL)).toBe('body');
});

test('only its owner may read it', async () => {
  using at = place();
  {
    await using one = await TestDisk.open(at.path);
    one.put(URL, 'body');
    one.disk.purge('tag', 'x', false);
  }
  const mode = (name: string): string => (statSync(join(at.path, name)).mode & 0o777).toString(8);
  const names = ['cache.json', 'lock', 'erasures', ...files(at.path).map((name) => `segments/${name}`)];
  expect(names.length).toBe(5);
  expect(names.map(mode)).toEqual(names.map(() => '600'));
  expect([mode('.'), mode('segments')]).toEqual(['700', '700']);
});

test('what is not ours is left alone', async () => {
  using at = place();
  mkdirSync(at.path);
  writeFileSync(join(at.path, 'letter.txt'), 'dear …');
  expect(await TestDisk.try(at.path)).toMatchObject({ code: 'ALIEN' });
  expect(readdirSync(at.path)).toEqual(['letter.txt']);
  const file = join(at.path, 'letter.txt', 'below');
  expect(await TestDisk.try(file)).toMatchObject({ code: 'ENOTDIR' });
});

test.each([
  ['another format', (text: string) => text.replace(/"format":\d+/, '"format":0'), {}, 'its format is 0'],
  ['keys made otherwise', (text: string) => text, { shape: 'other' }, 'its keys were made otherwise'],
  ['no marker that can be read', () => '{"format":2,', {}, 'it can not be read'],
  ['a marker without sense', () => '{"format":2,"run":-1}', {}, 'it can not be read'],
])('%s: it begins anew', async (_, change, options, why) => {
  using at = place();
  {
    await using one = await TestDisk.open(at.path);
    one.put(URL, 'body');
  }
  const marker = join(at.path, 'cache.json');
  writeFileSync(marker, change(readFileSync(marker, 'utf8')));
  {
    await using two = await TestDisk.open(at.path, options);
    expect(two.disk.directory.thrownAway).toBe(why);
    expect(await two.body(URL)).toBeNull();
    two.put(URL, 'new');
    await two.written();
    expect(await two.body(URL)).toBe('new');
    await until(() => !readdirSync(at.path).some((name) => name.startsWith('discarded')), 'the old is removed');
  }
});

test('without its columns a segment is read from its records; columns without records are nothing', async () => {
  using at = place();
  {
    await using one = await TestDisk.open(at.path);
    for (let i = 0; i < 200; i++) one.put(`${URL}${i}`, `body ${i} `.repeat(i * 20));
    one.put(URL, 'in de', inLanguage('de'));
  }
  rmSync(join(at.path, 'segments', '0000000001.columns'));
  writeFileSync(join(at.path, 'segments', 'nonsense'), '');
  writeFileSync(join(at.path, 'segments', '0000000007.columns'), 'nonsense');
  {
    await using two = await TestDisk.open(at.path);
    expect(two.disk.entries.size).toBe(201);
    for (const i of [0, 1, 199]) expect(await two.body(`${URL}${i}`)).toBe(`body ${i} `.repeat(i * 20));
    expect(await two.body(URL, asking('de'))).toBe('in de');
    expect(files(at.path)).toEqual(['0000000001.columns', '0000000001.records']);
  }
  rmSync(join(at.path, 'segments', '0000000001.records'));
  await using three = await TestDisk.open(at.path);
  expect(await three.body(`${URL}1`)).toBeNull();
  expect(files(at.path)).toEqual([]);
});

test('what was written before the system went down is asked for anew; after a mere kill it is not', async () => {
  using at = place();
  {
    await using one = await TestDisk.open(at.path);
    one.put(URL, 'body');
  }
  const marker = join(at.path, 'cache.json');
  const left = JSON.parse(readFileSync(marker, 'utf8')) as { clean: boolean; boot: string };
  expect(left.clean).toBe(true);
  writeFileSync(marker, JSON.stringify({ ...left, clean: false }));
  {
    await using killed = await TestDisk.open(at.path);
    expect((await killed.seek(URL))!.head.noCache).toBe(false);
  }
  writeFileSync(marker, JSON.stringify({ ...left, clean: false, boot: 'another' }));
  {
    await using down = await TestDisk.open(at.path);
    expect((await down.seek(URL))!.head.noCache).toBe(true);
    down.put(`${URL}new`, 'new');
    await down.written();
    expect((await down.seek(`${URL}new`))!.head.noCache).toBe(false);
  }
  // The doubt stays with what was there.
  await using after = await TestDisk.open(at.path);
  expect((await after.seek(URL))!.head.noCache).toBe(true);
  expect((await after.seek(`${URL}new`))!.head.noCache).toBe(false);
});

test('erasures that are not whole make what is older doubtful', async () => {
  using at = place();
  {
    await using one = await TestDisk.open(at.path);
    one.put(`${URL}a`, 'a');
    one.put(`${URL}b`, 'b');
    await one.written();
    one.disk.invalidate(`${URL}a`);
  }
  const file = join(at.path, 'erasures');
  writeFileSync(file, readFileSync(file).subarray(0, -1));
  await using two = await TestDisk.open(at.path);
  expect((await two.seek(`${URL}a`))!.head.noCache).toBe(true);
  expect((await two.seek(`${URL}b`))!.head.noCache).toBe(true);
  expect(existsSync(file)).toBe(true);
});

test('erasures are forgotten when nothing is old enough for them, and doubted when there are too many', async () => {
  using at = place();
  {
    await using one = await TestDisk.open(at.path, { mostErasures: 4096 });
    one.put(`${URL}old`, 'old');
    await one.written();
    for (let i = 0; i < 100; i++) {
      one.put(`${URL}x`, 'x');
      one.disk.invalidate(`${URL}x`);
    }
    await until(() => statSync(join(at.path, 'erasures')).size < 2048, 'the erasures are written anew');
    expect((await one.seek(`${URL}old`))!.head.noCache).toBe(true);
    one.put(`${URL}new`, 'new');
  }
  await using two = await TestDisk.open(at.path);
  expect((await two.seek(`${URL}old`))!.head.noCache).toBe(true);
  expect((await two.seek(`${URL}new`))!.head.noCache).toBe(false);
  expect(await two.body(`${URL}x`)).toBeNull();
});
