/** A cache's disk behind real sockets: what survives, what does not come back, what a reload does with it. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { place } from '../support/disk.ts';
import { simpleConfig, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { httpOrigin, type HttpOrigin } from '../support/origin.ts';
import { type Answer, type AskOptions, get as ask, getJson } from '../support/requests.ts';

const config = (port: number, path: string, disk: object = {}, cache: object = {}): Record<string, unknown> =>
  simpleConfig(port, {
    admin: { address: '127.0.0.1:0' },
    caches: { pages: { disk: { path, ...disk }, ...cache } },
    routes: [{ name: 'all', match: {}, pool: 'origin', policies: [{ type: 'cache', cache: 'pages' }] }],
  });

const READY = 'the disk of a cache is ready';
const said = (gateway: TestGateway, event: string): number =>
  gateway.logged.filter((one) => one['event'] === event).length;
const ready = (gateway: TestGateway, times = 1): Promise<void> =>
  until(() => said(gateway, READY) >= times, 'the disk is ready');

async function started(settings: object): Promise<TestGateway> {
  const gateway = await testGateway(settings);
  await ready(gateway);
  return gateway;
}

/** The port is another one after a restart; the name stays. */
const get = (
  gateway: TestGateway,
  path: string,
  options: AskOptions = {},
  headers: Record<string, string> = {},
): Promise<Answer> => ask(gateway.port(), path, { ...options, headers: { host: 'example.com', ...headers } });

const metrics = (gateway: TestGateway) => gateway.running.gateway.metrics.cache('pages').disk;
const disk = async (gateway: TestGateway): Promise<{ open: boolean; entries: number; size: number; waiting: number }> =>
  (
    await getJson<{ disk: { open: boolean; entries: number; size: number; waiting: number } }>(
      gateway.adminPort(),
      '/caches/pages',
    )
  ).disk;

/** Fresh for long, and says how often it was asked. */
const origin = (headers: Record<string, string> = {}, body = (url: string): string => `body of ${url}`) => {
  const made: Promise<HttpOrigin> = httpOrigin(({ method, url, headers: asked }, response) => {
    // Is never answered.
    if (url === '/hangs') return;
    for (const [name, value] of Object.entries({ 'cache-control': 'max-age=1000', etag: '"1"', ...headers }))
      response.setHeader(name, value);
    if (method === 'GET' && asked['if-none-match'] === '"1"') response.writeHead(304).end();
    else response.end(method === 'GET' ? body(url) : 'done');
  });
  return made;
};

test('what is stored is there after a restart: whole, in part, for HEAD and conditions; the origin is not asked', async () => {
  using at = place();
  await using from = await origin();
  {
    await using gateway = await started(config(from.port, at.path));
    for (let i = 0; i < 50; i++) await get(gateway, `/${i}`);
  }
  expect(from.requests.length).toBe(50);
  await using gateway = await started(config(from.port, at.path));
  expect(await disk(gateway)).toMatchObject({ open: true, entries: 50, waiting: 0 });
  for (let i = 0; i < 47; i++) {
    const { status, body, headers } = await get(gateway, `/${i}`);
    expect([status, body, headers.etag]).toEqual([200, `body of /${i}`, '"1"']);
    expect(headers['cache-status']).toContain('hit');
  }
  expect(await get(gateway, '/47', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
  expect(await get(gateway, '/48', {}, { 'if-none-match': '"1"' })).toMatchObject({ status: 304 });
  expect(await get(gateway, '/49', {}, { range: 'bytes=0-3' })).toMatchObject({ status: 206, body: 'body' });
  expect(metrics(gateway)).toMatchObject({ hits: 50, misses: 0 });
  // From now on it is in memory.
  await get(gateway, '/1');
  expect(metrics(gateway).hits).toBe(50);
  expect(from.requests.length).toBe(50);
  expect(gateway.logged.filter(({ level }) => level === 'error')).toEqual([]);
});

test('a large body, out of memory that is too small for it', async () => {
  using at = place();
  await using from = await origin({}, (url) => url.repeat(100_000));
  await using gateway = await started(config(from.port, at.path, {}, { max_size: '1MiB', max_entry_size: '2MiB' }));
  const urls = ['/largest', '/larger'];
  for (const url of urls) await get(gateway, url);
  await until(() => metrics(gateway).writes === 2, 'they are written');
  for (const url of urls) expect((await get(gateway, url)).body).toBe(url.repeat(100_000));
  expect(from.requests.length).toBe(2);
  expect(metrics(gateway).hits).toBe(2);
});

test('many who ask at once for what is on disk alone: one read, and the origin is not asked', async () => {
  using at = place();
  await using from = await origin();
  {
    await using gateway = await started(config(from.port, at.path));
    await get(gateway, '/x');
  }
  await using gateway = await started(config(from.port, at.path));
  const answers = await Promise.all(Array.from({ length: 50 }, () => get(gateway, '/x')));
  expect(new Set(answers.map(({ status, body }) => `${status} ${body}`))).toEqual(new Set(['200 body of /x']));
  expect(from.requests.length).toBe(1);
  expect(metrics(gateway).hits).toBeLessThan(50);
});

test('what an unsafe request or an operator takes back does not come back', async () => {
  using at = place();
  await using from = await origin({ 'surrogate-key': 'news' });
  const purge = (gateway: TestGateway, query: string): Promise<Answer> =>
    ask(gateway.adminPort(), `/caches/pages?${query}`, { method: 'DELETE' });
  {
    await using gateway = await started(config(from.port, at.path));
    for (const name of ['a', 'b', 'c/d', 'e']) await get(gateway, `/${name}`);
    await until(() => metrics(gateway).writes === 4, 'they are written');
    expect((await get(gateway, '/a', { method: 'POST' })).status).toBe(200);
    expect((await purge(gateway, 'url=http://example.com/b')).status).toBe(200);
    expect((await purge(gateway, 'prefix=/c')).status).toBe(200);
    expect((await purge(gateway, 'tag=news&soft')).status).toBe(200);
  }
  const before = from.requests.length;
  await using gateway = await started(config(from.port, at.path));
  for (const name of ['a', 'b', 'c/d'])
    expect((await get(gateway, `/${name}`)).headers['cache-status']).toContain('uri-miss');
  // Stale, and so asked for anew; the origin finds it to be as it was.
  expect((await get(gateway, '/e')).headers['cache-status']).toContain('fwd=stale; fwd-status=304');
  expect(from.requests.length - before).toBe(4);
});

test('what the origin has vouched for anew is fresh after a restart', async () => {
  using at = place();
  await using from = await origin({ 'cache-control': 'max-age=1000' });
  {
    await using gateway = await started(config(from.port, at.path));
    await get(gateway, '/x');
    await until(() => metrics(gateway).writes === 1, 'it is written');
    expect((await get(gateway, '/x', {}, { 'cache-control': 'no-cache' })).status).toBe(200);
    await until(() => metrics(gateway).writes === 2, 'it is written again');
  }
  await using gateway = await started(config(from.port, at.path));
  expect((await get(gateway, '/x')).headers['cache-status']).toContain('hit');
  expect((await disk(gateway)).entries).toBe(1);
});

test('a reload: less room at once, another directory begins empty, other keys begin anew though an old stream goes on', async () => {
  using at = place();
  using other = place();
  await using from = await origin({}, (url) => (url === '/0' ? 'zero' : 'x'.repeat(30_000)));
  const first = config(from.port, at.path, { max_size: '10MiB' });
  await using gateway = await started(first);
  for (let i = 0; i < 100; i++) await get(gateway, `/${i}`);
  await until(() => metrics(gateway).writes === 100, 'they are written');
  expect((await disk(gateway)).entries).toBe(100);

  const small = config(from.port, at.path, { max_size: '1MiB' });
  await gateway.edit(small);
  await until(() => readdirSync(join(at.path, 'segments')).length > 0, 'it is there');
  let now = await disk(gateway);
  await until(
    () => now.size <= 1024 * 1024,
    'there is less',
    async () => void (now = await disk(gateway)),
  );
  expect(said(gateway, READY)).toBe(1);
  expect(now.entries).toBeGreaterThan(10);
  // Memory was kept.
  expect((await get(gateway, '/0')).headers['cache-status']).toContain('hit');

  await gateway.edit(config(from.port, other.path));
  await ready(gateway, 2);
  expect((await get(gateway, '/0')).headers['cache-status']).toContain('uri-miss');

  const hangs = get(gateway, '/hangs').catch(() => 'cut');
  await until(() => from.requests.some(({ url }) => url === '/hangs'), 'it hangs');
  await gateway.edit(config(from.port, other.path, {}, { key: { sort_query: true } }));
  await ready(gateway, 3);
  expect(said(gateway, 'the disk of a cache starts empty')).toBe(1);
  expect((await get(gateway, '/0')).headers['cache-status']).toContain('uri-miss');

  expect(gateway.running.gateway.snapshots.length).toBe(2);

  await gateway.edit(simpleConfig(from.port));
  expect((await get(gateway, '/0')).body).toBe('zero');
  void hangs;
});

test('two gateways and one directory: the second does without until the first is gone', async () => {
  using at = place();
  await using from = await origin();
  const one = await started(config(from.port, at.path));
  await using two = await testGateway(config(from.port, at.path));
  try {
    await get(one, '/x');
    await until(() => said(two, 'the disk of a cache cannot be used') === 1, 'it is refused');
    expect(two.logged.find(({ event }) => event === 'the disk of a cache cannot be used')).toMatchObject({
      level: 'error',
      code: 'LOCKED',
      path: at.path,
    });
    expect(await disk(two)).toMatchObject({ open: false, entries: 0 });
    expect((await get(two, '/x')).headers['cache-status']).toContain('uri-miss');
    // What is taken back meanwhile is remembered.
    expect((await get(two, '/x', { method: 'POST' })).status).toBe(200);
  } finally {
    await one[Symbol.asyncDispose]();
  }
  await ready(two);
  expect((await get(two, '/x')).headers['cache-status']).toContain('uri-miss');
});

test('a directory that is something else’s is left alone, and traffic goes on', async () => {
  using at = place();
  mkdirSync(at.path);
  writeFileSync(join(at.path, 'precious'), '');
  await using from = await origin();
  await using gateway = await testGateway(config(from.port, at.path));
  await until(() => said(gateway, 'the disk of a cache cannot be used') === 1, 'it is told');
  expect((await get(gateway, '/x')).body).toBe('body of /x');
  expect((await get(gateway, '/x')).headers['cache-status']).toContain('hit');
  expect(readdirSync(at.path)).toEqual(['precious']);
});

test('a directory that is removed: traffic goes on', async () => {
  using at = place();
  await using from = await origin({}, () => 'x'.repeat(70_000));
  await using gateway = await started(config(from.port, at.path, { max_size: '1MiB' }));
  await get(gateway, '/0');
  await until(() => metrics(gateway).writes === 1, 'it is written');
  rmSync(at.path, { recursive: true });
  for (let i = 0; i < 20; i++) expect((await get(gateway, `/${i}`)).status).toBe(200);
  await until(() => said(gateway, 'the disk of a cache fails') === 1, 'it is told');
  expect(await disk(gateway)).toMatchObject({ open: false });
});

test('the figures are in the metrics', async () => {
  using at = place();
  await using from = await origin();
  await using gateway = await started(config(from.port, at.path, { max_size: '1MiB' }));
  await get(gateway, '/x');
  await until(() => metrics(gateway).writes === 1, 'it is written');
  const { body } = await ask(gateway.adminPort(), '/metrics');
  for (const line of [
    'prozy_cache_disk_writes_total{cache="pages"} 1',
    'prozy_cache_disk_misses_total{cache="pages"} 1',
    'prozy_cache_disk_open{cache="pages"} 1',
    'prozy_cache_disk_entries{cache="pages"} 1',
    'prozy_cache_disk_max_size_bytes{cache="pages"} 1048576',
  ])
    expect(body).toContain(line);
});
