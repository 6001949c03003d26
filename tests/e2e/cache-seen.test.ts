/** What operators see of a cache: pages, metrics, the access log, explanations; and what a reload makes of it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { program } from '../../src/cli/program.ts';
import { HttpCache } from '../../src/cache/store/http-cache.ts';
import { cachedConfig } from '../support/cached.ts';
import { type TestGateway, testGateway, until } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { type Answer, get, getJson } from '../support/requests.ts';
import { ShiftedClock } from '../support/shifted-clock.ts';

const folder = mkdtempSync(join(tmpdir(), 'prozy-seen-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => void vi.restoreAllMocks());

const ADMIN = { admin: { address: '127.0.0.1:0' } };

const ask = (gateway: TestGateway, path: string, headers = {}, method = 'GET'): Promise<Answer> =>
  get(gateway.port(), path, { method, headers: { host: 'a.test', ...headers } });

type Counts = Readonly<Record<string, number>>;

/** The samples of the cache's families, without their common beginning. */
async function metricsOf(gateway: TestGateway): Promise<Counts> {
  const { body } = await get(gateway.adminPort(), '/metrics');
  return Object.fromEntries(
    [...body.matchAll(/^prozy_cache_(\w+)\{cache="pages"(?:,result="(\w+)")?\} (\S+)$/gm)].map(
      ([, name, result, value]) => [result === undefined ? name! : `${name} ${result}`, Number(value)],
    ),
  );
}

/** An origin whose answers each path says, and a gateway in front of it whose access log can be read. */
async function seen(policy: object = {}, cache: object = {}) {
  const clock = new ShiftedClock();
  const held: (() => void)[] = [];
  const failing = new Set<string>();
  const origin = await httpOrigin(({ url, headers, method }, response) => {
    response.sendDate = false;
    const fresh =
      url === '/swr'
        ? 'max-age=10, stale-while-revalidate=600'
        : url === '/sie'
          ? 'max-age=10, stale-if-error=600'
          : 'max-age=10';
    const fields = { 'cache-control': fresh, etag: '"1"' };
    if (failing.has(url)) response.writeHead(503).end('failed');
    else if (method === 'POST') response.end('done');
    else if (url === '/etag' && headers['if-none-match'] === '"1"') response.writeHead(304, fields).end();
    else {
      response.writeHead(200, { ...fields, 'content-length': 5 });
      if (url === '/held') held.push(() => response.end('held!'));
      else response.end('12345');
    }
  });
  const log = join(folder, `${Math.random()}.log`);
  const gateway = await testGateway(
    cachedConfig(origin.port, { bypass: [{ header: 'x-skip' }], ...policy }, cache, {
      ...ADMIN,
      logging: { access: { path: log } },
    }),
    { clock },
  );
  return {
    clock,
    held,
    failing,
    origin,
    gateway,
    /** The word of each line, in order. */
    words: () =>
      readFileSync(log, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { target: string; cache?: string })
        .map(({ target, cache: word }) => `${target} ${word}`),
    settled: () => until(() => gateway.running.gateway.current!.leases === 0, 'nothing is under way'),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await origin[Symbol.asyncDispose]();
    },
  };
}

test('each request is counted by what became of it, on the page, in the metrics and in the access log', async () => {
  await using it = await seen();
  const { gateway, clock } = it;
  expect(await getJson(gateway.adminPort(), '/caches/pages')).toMatchObject({ hit_ratio: null, entries: 0, size: 0 });
  for (const path of ['/swr', '/sie', '/etag', '/old', '/changed']) await ask(gateway, path);
  await ask(gateway, '/old');
  await ask(gateway, '/old', {}, 'HEAD');
  await ask(gateway, '/old', { 'if-none-match': '"1"' });
  clock.shift(20_000);
  await ask(gateway, '/swr');
  await it.settled();
  it.failing.add('/sie');
  expect((await ask(gateway, '/sie')).status).toBe(200);
  await ask(gateway, '/etag');
  await ask(gateway, '/old');
  await ask(gateway, '/x', { 'x-skip': '1' });
  await ask(gateway, '/changed', {}, 'POST');
  expect((await ask(gateway, '/none', { 'cache-control': 'only-if-cached' })).status).toBe(504);
  const both = [ask(gateway, '/held')];
  await until(() => it.held.length === 1, 'the first has been sent on');
  both.push(ask(gateway, '/held'));
  await until(() => gateway.running.gateway.metrics.cache('pages').collapsed === 1, 'the second waits');
  expect(await getJson(gateway.adminPort(), '/caches/pages')).toMatchObject({ fetches: 1 });
  it.held[0]!();
  await Promise.all(both);
  await get(gateway.adminPort(), '/caches/pages?url=//a.test/old', { method: 'DELETE' });
  const view = await getJson<Counts & { routes: string[] }>(gateway.adminPort(), '/caches/pages');
  expect(view).toMatchObject({
    name: 'pages',
    routes: ['all'],
    max_size: 64 * 1024 * 1024,
    max_entry_size: 1024 * 1024,
    key: { query: null, ignore_query: [], sort_query: false, headers: [], cookies: [] },
    entries: 4,
    responses: 4,
    coming: 0,
    fetches: 0,
    hits: 3,
    stale: 1,
    misses: 11,
    passed: 2,
    collapsed: 1,
    stale_on_error: 1,
    revalidated: 1,
    background: 1,
    stored: 8,
    evictions: 0,
    invalidations: 1,
    purged: 1,
    hit_ratio: 0.2667,
    // One whole hit, what was stale twice, and what was found to be still good.
    bytes_served: 4 * 5,
  });
  expect(view.size).toBeGreaterThan(4 * 1024);
  expect(await getJson(gateway.adminPort(), '/caches')).toEqual([view]);
  expect(await metricsOf(gateway)).toEqual({
    'requests_total hit': view.hits,
    'requests_total stale': view.stale,
    'requests_total miss': view.misses,
    'requests_total pass': view.passed,
    collapsed_total: view.collapsed,
    stale_on_error_total: view.stale_on_error,
    revalidated_total: view.revalidated,
    background_total: view.background,
    stored_total: view.stored,
    evictions_total: view.evictions,
    invalidations_total: view.invalidations,
    purged_total: view.purged,
    served_bytes_total: view.bytes_served,
    entries: view.entries,
    responses: view.responses,
    size_bytes: view.size,
    coming_bytes: view.coming,
    max_size_bytes: view.max_size,
  });
  const words =
    '/swr miss, /sie miss, /etag miss, /old miss, /changed miss, /old hit, /old hit, /old hit, /swr stale, /sie stale_on_error, ' +
    '/etag revalidated, /old expired, /x bypass, /changed method, /none only_if_cached, /held miss, /held collapsed';
  const expected = words.split(', ');
  clock.shift(0);
  await until(() => it.words().length >= expected.length, 'the lines are written');
  expect(it.words().slice(0, 15)).toEqual(expected.slice(0, 15));
  expect(it.words().slice(15).toSorted()).toEqual(expected.slice(15).toSorted());
});

test('what makes room for others is counted, and a body on its way is room in use', async () => {
  await using it = await seen({}, { max_size: '7000B' });
  const { gateway } = it;
  for (const path of ['/1', '/2', '/3', '/4', '/5']) await ask(gateway, path);
  expect(await getJson(gateway.adminPort(), '/caches/pages')).toMatchObject({
    evictions: 2,
    responses: 3,
    max_size: 7000,
  });
  await using client = await RawClient.to(gateway.port());
  client.send('GET /held HTTP/1.1\r\nHost: a.test\r\n\r\n');
  await until(() => it.held.length === 1, 'it is under way');
  it.held[0]!();
  await client.response();
  const { size, coming } = await getJson<Counts>(gateway.adminPort(), '/caches/pages');
  expect([coming, size! <= 7000]).toEqual([0, true]);
});

const storeOf = ({ running: { gateway } }: TestGateway): HttpCache => {
  const state = gateway.registry.peek(gateway.current!.plan.caches[0]!.claim);
  if (state instanceof HttpCache) return state as HttpCache;
  throw new Error('there is no cache');
};

test('a reload resizes the cache where it is, the most recently used stay; another key begins it anew', async () => {
  await using origin = await httpOrigin(({ url }, response) => {
    response.writeHead(200, { 'cache-control': 'max-age=600', 'content-length': url.length }).end(url);
  });
  const config = (cache: object) => cachedConfig(origin.port, {}, cache, ADMIN);
  await using gateway = await testGateway(config({}));
  for (let i = 0; i < 10; i++) await ask(gateway, `/${i}`);
  await ask(gateway, '/2');
  const state = storeOf(gateway);
  await gateway.edit(config({ max_size: '7100B', max_entry_size: '1B' }));
  expect(storeOf(gateway)).toBe(state);
  expect(await getJson(gateway.adminPort(), '/caches/pages')).toMatchObject({
    responses: 3,
    evictions: 7,
    max_size: 7100,
  });
  const kept: string[] = [];
  for (let i = 0; i < 10; i++)
    if ((await ask(gateway, `/${i}`, { 'cache-control': 'only-if-cached' })).status === 200) kept.push(`/${i}`);
  expect(kept).toEqual(['/2', '/8', '/9']);
  // Too large now.
  await ask(gateway, '/new');
  expect((await getJson<Counts>(gateway.adminPort(), '/caches/pages'))['responses']).toBe(3);
  await gateway.edit(config({}));
  await ask(gateway, '/new');
  expect(await getJson(gateway.adminPort(), '/caches/pages')).toMatchObject({
    responses: 4,
    max_size: 64 * 1024 * 1024,
  });
  await gateway.edit(config({ key: { sort_query: true } }));
  expect(storeOf(gateway)).not.toBe(state);
  expect(await getJson(gateway.adminPort(), '/caches/pages')).toMatchObject({ responses: 0, stored: 11 });
});

test('series of a cache that is gone are dropped, and one that no route uses is there and empty', async () => {
  await using origin = await httpOrigin(({ url }, response) => {
    response.writeHead(200, { 'cache-control': 'max-age=600', 'content-length': url.length }).end(url);
  });
  const config = cachedConfig(origin.port, {}, {}, ADMIN) as Record<string, unknown>;
  await using gateway = await testGateway(config);
  await ask(gateway, '/');
  expect((await metricsOf(gateway))['stored_total']).toBe(1);
  const routes = [{ name: 'all', match: {}, pool: 'origin' }];
  await gateway.edit({ ...config, routes });
  expect(await getJson(gateway.adminPort(), '/caches/pages')).toMatchObject({ routes: [], entries: 0, stored: 1 });
  expect(await get(gateway.adminPort(), '/caches/pages?all', { method: 'DELETE' })).toMatchObject({ status: 200 });
  await gateway.edit({ ...config, routes, caches: {} });
  await until(() => gateway.running.gateway.metrics.caches.size === 0, 'its series are gone');
  expect(await metricsOf(gateway)).toEqual({});
  expect(await getJson(gateway.adminPort(), '/caches')).toEqual([]);
});

/** How it ends, and what is said of the cache; seconds are N: the clock goes on while it is asked. */
async function explained(where: string, path: string, ...more: string[]): Promise<string> {
  let out = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => (out += String(text)) !== '');
  expect(
    await program([
      'explain',
      where,
      more.includes('POST') ? 'POST' : 'GET',
      `http://a.test${path}`,
      ...more.filter((one) => one !== 'POST'),
    ]),
  ).toBe(0);
  const ending = /^=> (.*)$/m.exec(out)![1]!.replace(/127\.0\.0\.1:\d+/, 'ENDPOINT');
  return `${ending} | ${/^ +cache +(.*)$/m
    .exec(out)![1]!
    .replace(/ {2,}/, ': ')
    .replace(/\d+ s\b/g, 'N s')}`;
}

test('explain says what the cache would do, and changes nothing by it', async () => {
  await using it = await seen({}, { max_size: '9KiB' });
  const { gateway, clock } = it;
  const admin = `127.0.0.1:${gateway.adminPort()}`;
  for (const path of ['/old', '/swr', '/late']) await ask(gateway, path);
  clock.shift(2000);
  const before = await getJson<Counts>(gateway.adminPort(), '/caches/pages');
  expect(await explained(admin, '/old')).toBe(
    'route all, answered by its policy cache at this moment; else to pool origin, ENDPOINT | answers: pages has it, N s old, fresh for N s',
  );
  const passes = (why: string): string => `route all, to pool origin, ENDPOINT | passes: ${why}`;
  expect(await explained(admin, '/nothing')).toBe(passes('pages has nothing for it'));
  expect(await explained(admin, '/old', 'POST')).toBe(passes('only GET and HEAD are looked for'));
  expect(await explained(admin, '/old', '-H', 'x-skip: 1')).toBe(
    passes('not looked for: by a rule, or for its body, a condition for the origin or an upgrade'),
  );
  expect(await explained(admin, '/old', '-H', 'cache-control: no-cache')).toBe(
    passes('pages has it, N s old, fresh for N s, and asks whether it is still good'),
  );
  expect(await explained(admin, '/no', '-H', 'cache-control: only-if-cached')).toMatch(
    /answers: pages has nothing for it, and nothing else is wanted: 504$/,
  );
  expect(await getJson(gateway.adminPort(), '/caches/pages')).toEqual(before);
  // The one asked about last is still the one least recently used: it makes room.
  await explained(admin, '/old');
  for (const path of ['/a', '/b']) await ask(gateway, path);
  expect(await explained(admin, '/old')).toBe(passes('pages has nothing for it'));
  clock.shift(9000);
  expect(await explained(admin, '/late')).toBe(
    passes('pages has it, N s old, stale for N s, and asks whether it is still good'),
  );
  expect(await explained(admin, '/late', '-H', 'cache-control: max-stale')).toMatch(
    /stale for N s, which the request permits$/,
  );
  expect(await explained(admin, '/swr')).toMatch(/N s old, stale for N s, and revalidates it meanwhile$/);
  const held = ask(gateway, '/held');
  await until(() => it.held.length === 1, 'it is under way');
  expect(await explained(admin, '/held')).toBe(
    passes('pages has nothing for it; it is being fetched for another request'),
  );
  it.held[0]!();
  await held;
  const file = join(folder, 'gateway.json');
  writeFileSync(file, JSON.stringify(cachedConfig(1, {}, {}, { listeners: { web: { address: '127.0.0.1:8080' } } })));
  expect(await explained(file, '/old')).toBe(
    'route all, to pool origin, ENDPOINT | not evaluated: asks the cache pages',
  );
  expect(await explained(file, '/old', 'POST')).toBe(
    'route all, to pool origin, ENDPOINT | passes: only GET and HEAD are looked for',
  );
});
