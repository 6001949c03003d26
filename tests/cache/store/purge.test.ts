/** Purging of large stores: in slices, whole, and without disturbing what stays. */
import { expect, test } from 'vitest';
import { HttpCache } from '../../../src/cache/store/http-cache.ts';
import { purge } from '../../../src/cache/store/purge.ts';
import { type PurgeOrder, purgeProblem } from '../../../src/cache/store/purge-order.ts';
import { StoredResponse } from '../../../src/cache/store/stored-response.ts';
import { Fields } from '../../../src/http/fields.ts';
import { claimOf } from '../../../src/plan/claims.ts';
import { Log } from '../../../src/observe/log.ts';
import { CacheMetrics } from '../../../src/observe/metrics.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { storedHead } from '../../support/stored.ts';

const NO_FIELDS = Fields.of([]);

/** Each look at it takes a hundredth of a millisecond. */
class WorkingClock extends ManualClock {
  override now(): number {
    this.advance(0.01);
    return super.now();
  }
}

function responseOf(bornAt: number, tags: readonly string[], variant = ''): StoredResponse {
  const varyNames = variant === '' ? [] : ['a'];
  const head = storedHead({ varyNames, variant, bornAt, tags });
  return new StoredResponse(head, Buffer.from('body'), null, 4, true);
}

function filled(count: number, clock = new WorkingClock()): HttpCache {
  const key = { query: null, ignoreQuery: [], sortQuery: false, headers: [], cookies: [] };
  const claim = claimOf('cache', 'c', 'cache', {});
  const plan = { name: 'c', maxSize: 2 ** 30, maxEntrySize: 2 ** 20, key, disk: null, claim };
  const cache = new HttpCache(plan, clock, new CacheMetrics(), new Log(clock));
  for (let i = 0; i < count; i++)
    cache.store.put(`http://h${i % 10}.test/p/${i}`, responseOf(clock.now(), ['all', `tag${i % 7}`]));
  return cache;
}

const COUNT = 5_000;

test.each([
  [{ by: 'all', values: [], soft: false }, COUNT, 0],
  [{ by: 'all', values: [], soft: true }, COUNT, COUNT],
  [{ by: 'host', values: ['h3.test'], soft: false }, COUNT / 10, COUNT * 0.9],
  [{ by: 'prefix', values: ['/p'], soft: false }, COUNT, 0],
  [{ by: 'tag', values: ['all'], soft: false }, COUNT, 0],
  [{ by: 'tag', values: ['tag0', 'tag1'], soft: true }, 1430, COUNT],
] as const)('%j lets others have their turn', async (order: PurgeOrder, purged, left) => {
  const cache = filled(COUNT);
  let turns = 0;
  let over = false;
  const turn = (): void => {
    turns++;
    if (!over) setImmediate(turn);
  };
  setImmediate(turn);
  const counts = await purge(cache, order);
  over = true;
  expect([counts.responses, cache.store.responses, cache.metrics.purged]).toEqual([purged, left, purged]);
  expect(cache.store.entries).toBe(left);
  // All of it at once is one step. Otherwise a slice is 3 ms, which is 300 of this clock's items.
  if (order.by === 'all' && !order.soft) expect(turns).toBeLessThan(2);
  else expect(turns).toBeGreaterThanOrEqual(Math.floor(purged / 301) - 1);
  if (left > 0) return;
  expect([cache.store.size, [...cache.store.keysTagged('all')]]).toEqual([0, []]);
  cache.store.put('http://h3.test/', responseOf(0, ['all']));
  expect([cache.store.responses, [...cache.store.keysTagged('all')]]).toEqual([1, ['http://h3.test/']]);
});

test('what comes and goes meanwhile is neither lost nor counted twice', async () => {
  const cache = filled(COUNT);
  const { store } = cache;
  const done = purge(cache, { by: 'prefix', values: ['//h1.test/'], soft: false });
  let i = 0;
  const churn = (): void => {
    if (over) return;
    store.delete(`http://h1.test/p/${COUNT - 9 - 10 * i}`);
    store.put(`http://h2.test/new/${i++}`, responseOf(0, []));
    setImmediate(churn);
  };
  let over = false;
  setImmediate(churn);
  const { responses } = await done;
  over = true;
  expect(i).toBeGreaterThan(1);
  expect(store.entries).toBe(COUNT * 0.9 + i);
  expect([...store.keys()].filter((key) => key.startsWith('http://h1.test/'))).toEqual([]);
  expect(responses).toBeLessThanOrEqual(COUNT / 10);
  expect(responses).toBeGreaterThanOrEqual(COUNT / 10 - i);
});

test('by several tags, what has more than one of them is counted once', async () => {
  const cache = filled(14);
  expect(await purge(cache, { by: 'tag', values: ['all', 'tag1', 'all'], soft: true })).toEqual({
    responses: 14,
    fetches: 0,
  });
  expect(await purge(cache, { by: 'tag', values: ['all'], soft: true })).toEqual({ responses: 0, fetches: 0 });
  expect(await purge(cache, { by: 'tag', values: ['tag1', 'all'], soft: false })).toEqual({
    responses: 14,
    fetches: 0,
  });
});

test('a response in place of another takes its tags away, and brings its own', () => {
  const { store } = filled(0);
  store.put('http://a/', responseOf(0, ['old', 'both']));
  store.put('http://a/', responseOf(0, ['both', 'new']));
  const tagged = (tag: string): string[] => [...store.keysTagged(tag)];
  expect([tagged('old'), tagged('both'), tagged('new')]).toEqual([[], ['http://a/'], ['http://a/']]);
  store.put('http://a/', responseOf(0, ['variant'], 'a=1\n'));
  store.put('http://a/', responseOf(0, ['other'], 'a=2\n'));
  store.drop('http://a/', store.all('http://a/')[1]!);
  expect([tagged('both'), tagged('variant'), tagged('other')]).toEqual([[], [], ['http://a/']]);
  store.delete('http://a/');
  expect([tagged('other'), store.entries, store.size]).toEqual([[], 0, 0]);
});

test('what goes stale keeps its place, its size, its tags and its variants', () => {
  const { store, clock } = filled(3);
  store.put('http://h0.test/p/0', responseOf(clock.now(), [], 'a=2\n'));
  store.put('http://h0.test/p/0', responseOf(clock.now(), ['x'], 'a=1\n'));
  const { size } = store;
  expect(store.responses).toBe(4);
  const order = [...store.keys()];
  const now = clock.now();
  expect(store.makeStale('http://h0.test/p/0', ({ head }) => head.tags.includes('x'), now)).toBe(1);
  expect(store.makeStale('http://nowhere/', () => true, now)).toBe(0);
  expect([store.size, store.responses, [...store.keys()]]).toEqual([size, 4, order]);
  expect([...store.keysTagged('x')]).toEqual(['http://h0.test/p/0']);
  expect(store.all('http://h0.test/p/0').map(({ freshUntil }) => freshUntil <= now)).toEqual([true, false]);
  expect(store.peek('http://h0.test/p/0', 'r', Fields.of([['a', '1']]))?.freshUntil).toBeLessThanOrEqual(now);
  expect(store.peek('http://h0.test/p/0', 'other', NO_FIELDS)).toBeNull();
});

test('to look is no use of it: what has been looked at makes room as before', () => {
  const { store } = filled(3);
  const one = store.size / 3;
  store.peek('http://h0.test/p/0', 'r', NO_FIELDS);
  store.resize(one * 2.5);
  expect([...store.keys()]).toEqual(['http://h1.test/p/1', 'http://h2.test/p/2']);
  store.find('http://h1.test/p/1', 'r', NO_FIELDS);
  store.resize(one * 1.5);
  expect([...store.keys()]).toEqual(['http://h1.test/p/1']);
  store.resize(0);
  expect([store.entries, store.size, store.responses]).toEqual([0, 0, 0]);
  store.put('http://h1.test/p/1', responseOf(0, ['a']));
  expect([store.entries, [...store.keysTagged('a')]]).toEqual([0, []]);
});

test.each<[PurgeOrder['by'], string, readonly string[]]>([
  ['url', 'http://bücher.test/über b', ['http://xn--bcher-kva.test/%C3%BCber%20b']],
  ['url', 'http://bücher.test:8080/', ['http://xn--bcher-kva.test:8080/']],
  ['url', '//a.test/x%2fy', ['http://a.test/x%2Fy', 'https://a.test/x/y']],
  ['url', 'http://a.test//x;v', ['http://a.test//x;v', 'http://a.test/x']],
  ['url', 'http://[0:0::1]/x', ['http://[::1]/x']],
  ['prefix', '/über', ['http://a.test/%C3%BCber/x']],
  ['prefix', '/x%2fy', ['http://a.test/x%2Fy/z', 'http://a.test/x/y']],
  ['host', 'BÜCHER.test', ['http://xn--bcher-kva.test/', 'http://xn--bcher-kva.test.:81/']],
  ['host', '[0:0::1]', ['http://[::1]:81/']],
])('by %s, %s is what clients send for it', async (by, value, keys) => {
  const order = { by, values: [value], soft: false };
  expect(purgeProblem(order)).toBe('');
  const cache = filled(0);
  for (const key of [...keys, 'http://other.test/']) cache.store.put(key, responseOf(0, []));
  expect((await purge(cache, order)).responses).toBe(keys.length);
  expect([...cache.store.keys()]).toEqual(['http://other.test/']);
});
