/** What operators take back of a cache, over the admin listener and the command line; and that nothing else goes with it. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { program } from '../../src/cli/program.ts';
import { cachedConfig } from '../support/cached.ts';
import { type TestGateway, testGateway, until } from '../support/gateway.ts';
import { httpOrigin, type HttpOrigin } from '../support/origin.ts';
import { type Answer, get, getJson } from '../support/requests.ts';
import { ShiftedClock } from '../support/shifted-clock.ts';

const ADMIN = { admin: { address: '127.0.0.1:0' } };
const FRESH = { 'cache-control': 'max-age=600' };

async function purge(gateway: TestGateway, query: string, name = 'pages', headers = {}): Promise<Answer> {
  return get(gateway.adminPort(), `/caches/${name}?${query}`, { method: 'DELETE', headers });
}

/** Its counts, or the reason why not. */
async function purged(gateway: TestGateway, query: string): Promise<unknown> {
  const { status, body } = await purge(gateway, query);
  const told = JSON.parse(body) as { responses: number; fetches: number; detail: string };
  return status === 200 ? [told.responses, told.fetches] : `${status} ${told.detail}`;
}

const ask = (gateway: TestGateway, host: string, path: string, headers = {}): Promise<Answer> =>
  get(gateway.port(), path, { headers: { host, ...headers } });

/** Which of these URLs are answered from the store, without asking for any that is not. */
async function stored(gateway: TestGateway, urls: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const url of urls) {
    const { host, pathname, search } = new URL(url);
    const { status } = await ask(gateway, host, pathname + search, { 'cache-control': 'only-if-cached' });
    if (status === 200) found.push(url);
  }
  return found;
}

async function fill(gateway: TestGateway, urls: readonly string[]): Promise<void> {
  for (const url of urls) {
    const { host, pathname, search } = new URL(url);
    expect((await ask(gateway, host, pathname + search)).status).toBe(200);
  }
}

const ALL = [
  'http://a.test/',
  'http://a.test/v1',
  'http://a.test/v1?x=1',
  'http://a.test/v1/y',
  'http://a.test/v10',
  'http://a.test:8080/v1',
  'http://b.test/v1',
] as const;

const freshOrigin = (): Promise<HttpOrigin> =>
  httpOrigin(({ url, headers }, response) => {
    response.writeHead(200, {
      ...FRESH,
      'surrogate-key': `path${url.replace(/\W/g, '-')} everything`,
      'cache-tag': `of ${headers.host}, c`,
    });
    response.end('x');
  });

describe('a hard purge', () => {
  test.each([
    ['url=http://a.test/v1', ['http://a.test/v1']],
    ['url=HTTP://A.test:80/%76%31', ['http://a.test/v1']],
    ['url=http://a.test/z/../v1%3Fx=1', ['http://a.test/v1?x=1']],
    ['url=//b.test/v1&url=//a.test/', ['http://a.test/', 'http://b.test/v1']],
    ['url=https://a.test/v1', []],
    ['prefix=http://a.test/v1', ['http://a.test/v1', 'http://a.test/v1?x=1', 'http://a.test/v1/y']],
    ['prefix=/v1/', ['http://a.test/v1/y']],
    [
      'prefix=/v1',
      ['http://a.test/v1', 'http://a.test/v1?x=1', 'http://a.test/v1/y', 'http://a.test:8080/v1', 'http://b.test/v1'],
    ],
    ['prefix=//a.test:8080/', ['http://a.test:8080/v1']],
    ['host=A.test', ALL.slice(0, 6)],
    ['host=a.test:80', ALL.slice(0, 5)],
    ['host=a.test:8080&host=b.test', ALL.slice(5)],
    ['tag=path-v10', ['http://a.test/v10']],
    ['tag=of+b.test', ['http://b.test/v1']],
    ['tag=EVERYTHING', []],
    ['tag=everything', ALL],
    ['all', ALL],
  ])('%s takes back what is meant, and nothing else', async (query, gone) => {
    await using origin = await freshOrigin();
    await using gateway = await testGateway(cachedConfig(origin.port, {}, {}, ADMIN));
    await fill(gateway, ALL);
    expect(await purged(gateway, query)).toEqual([gone.length, 0]);
    expect(await stored(gateway, ALL)).toEqual(ALL.filter((url) => !gone.includes(url)));
    expect(await getJson(gateway.adminPort(), '/caches/pages')).toMatchObject({
      responses: ALL.length - gone.length,
      entries: ALL.length - gone.length,
      purged: gone.length,
    });
    if (gone.length === ALL.length) {
      expect(await getJson(gateway.adminPort(), '/caches/pages')).toMatchObject({ size: 0, coming: 0 });
      await fill(gateway, ALL);
      expect(await stored(gateway, ALL)).toEqual(ALL);
    }
  });

  test('finds a URL by the same key as requests do, however many parameters do not count', async () => {
    await using origin = await freshOrigin();
    const key = { sort_query: true, ignore_query: ['utm'], headers: ['x-tenant'] };
    await using gateway = await testGateway(cachedConfig(origin.port, {}, { key }, ADMIN));
    for (const tenant of ['1', '2']) await ask(gateway, 'a.test', '/p?b=2&a=1&utm=x', { 'x-tenant': tenant });
    expect(await purged(gateway, `url=${encodeURIComponent('http://a.test/p?a=1&utm=other&b=2')}`)).toEqual([2, 0]);
  });

  test('by tag takes of a URL only the variants that have it', async () => {
    await using origin = await httpOrigin(({ headers }, response) => {
      const language = headers['accept-language'] ?? '';
      response.writeHead(200, { ...FRESH, vary: 'accept-language', 'cache-tag': language });
      response.end(language);
    });
    await using gateway = await testGateway(cachedConfig(origin.port, {}, {}, ADMIN));
    const say = (language: string, more = {}) => ask(gateway, 'a.test', '/', { 'accept-language': language, ...more });
    await say('de');
    await say('fr');
    expect(await purged(gateway, 'tag=fr')).toEqual([1, 0]);
    const only = { 'cache-control': 'only-if-cached' };
    expect([(await say('de', only)).status, (await say('fr', only)).status]).toEqual([200, 504]);
    expect(await purged(gateway, 'tag=fr&tag=de')).toEqual([1, 0]);
  });

  test.each(['url=//a.test/late', 'prefix=/late', 'host=a.test', 'tag=new', 'all', 'all&soft', 'tag=new&soft'])(
    '%s: what is on its way is passed on and not stored',
    async (query) => {
      const waiting: (() => void)[] = [];
      await using origin = await httpOrigin((_, response) => {
        const answer = `answer ${waiting.length + 1}`;
        waiting.push(() => {
          response.writeHead(200, { ...FRESH, 'cache-tag': 'new' });
          response.end(answer);
        });
      });
      await using gateway = await testGateway(cachedConfig(origin.port, { collapse_wait: '1m' }, {}, ADMIN));
      const first = ask(gateway, 'a.test', '/late');
      await until(() => waiting.length === 1, 'it has been asked for');
      // Which tags it will have is not known yet.
      expect(await purged(gateway, query)).toEqual([0, query.startsWith('tag') ? 0 : 1]);
      // Nor does anybody get it who asks after that.
      const second = ask(gateway, 'a.test', '/late');
      await until(() => waiting.length === 2, 'it is asked for again');
      waiting[0]!();
      expect((await first).body).toBe('answer 1');
      waiting[1]!();
      expect((await second).body).toBe('answer 2');
      expect((await ask(gateway, 'a.test', '/late')).body).toBe('answer 2');
    },
  );

  test('by a tag that nothing on its way has changes nothing about it', async () => {
    const waiting: (() => void)[] = [];
    await using origin = await httpOrigin((_, response) => {
      response.writeHead(200, { ...FRESH, 'cache-tag': 'mine' });
      response.write('a');
      waiting.push(() => response.end('b'));
    });
    await using gateway = await testGateway(cachedConfig(origin.port, {}, {}, ADMIN));
    const first = ask(gateway, 'a.test', '/x');
    await until(() => waiting.length === 1, 'its head is there');
    expect(await purged(gateway, 'tag=another')).toEqual([0, 0]);
    waiting[0]!();
    await first;
    expect(await stored(gateway, ['http://a.test/x'])).toEqual(['http://a.test/x']);
  });

  test('what is taken back is not given in place of an error either, but what is only stale is', async () => {
    const waiting: ((status: number) => void)[] = [];
    const clock = new ShiftedClock();
    await using origin = await httpOrigin((_, response) => {
      response.sendDate = false;
      waiting.push((status) => {
        response.writeHead(status, status === 200 ? { 'cache-control': 'max-age=10', etag: '"1"' } : {});
        response.end(String(status));
      });
    });
    const config = cachedConfig(origin.port, { stale_if_error: '1h' }, {}, ADMIN);
    await using gateway = await testGateway(config, { clock });
    const first = ask(gateway, 'a.test', '/');
    await until(() => waiting.length === 1, 'it has been asked for');
    waiting[0]!(200);
    await first;
    clock.shift(20_000);
    const soft = ask(gateway, 'a.test', '/');
    await until(() => waiting.length === 2, 'it is asked for anew');
    // It is stale already.
    expect(await purged(gateway, 'all&soft')).toEqual([0, 1]);
    waiting[1]!(503);
    expect((await soft).body).toBe('200');
    const hard = ask(gateway, 'a.test', '/');
    await until(() => waiting.length === 3, 'it is asked for anew again');
    expect(await purged(gateway, 'all')).toEqual([1, 1]);
    waiting[2]!(503);
    expect((await hard).body).toBe('503');
  });

  test('reaches what an older config holds, which may come back', async () => {
    await using origin = await httpOrigin(({ url }, response) => {
      response.writeHead(200, FRESH);
      response.write('x');
      if (url !== '/stream') response.end();
    });
    const config = (key: object) => cachedConfig(origin.port, { bypass: [{ query: 'stream' }] }, { key }, ADMIN);
    await using gateway = await testGateway(config({}));
    await ask(gateway, 'a.test', '/x');
    const held = ask(gateway, 'a.test', '/stream').catch(() => 'cut');
    await until(() => origin.requests.length === 2, 'a stream holds the first config');
    await gateway.edit(config({ sort_query: true }));
    expect(await getJson(gateway.adminPort(), '/caches/pages')).toMatchObject({ responses: 0 });
    expect(await purged(gateway, 'host=a.test')).toEqual([1, 1]);
    await gateway.edit(config({}));
    expect(await stored(gateway, ['http://a.test/x'])).toEqual([]);
    await gateway[Symbol.asyncDispose]();
    await held;
  });
});

describe('a soft purge', () => {
  test('makes stale: it is asked whether it is still good, and its windows begin', async () => {
    let fails = false;
    const clock = new ShiftedClock();
    await using origin = await httpOrigin(({ headers }, response) => {
      response.sendDate = false;
      if (fails) response.statusCode = 500;
      else if (headers['if-none-match'] === '"1"') response.writeHead(304, { ...FRESH, etag: '"1"' });
      else response.writeHead(200, { ...FRESH, etag: '"1"', 'cache-tag': 'a' });
      response.end(fails ? 'broken' : '');
    });
    await using gateway = await testGateway(cachedConfig(origin.port, { stale_if_error: '60s' }, {}, ADMIN), { clock });
    const status = async () => (await ask(gateway, 'a.test', '/')).headers['cache-status'];
    expect(await status()).toBe('prozy; fwd=uri-miss; stored');
    clock.shift(300_000);
    expect(await status()).toMatch(/^prozy; hit; ttl=(300|299)$/);
    expect(await purged(gateway, 'tag=a&soft')).toEqual([1, 0]);
    expect(await getJson(gateway.adminPort(), '/caches/pages')).toMatchObject({ responses: 1, purged: 1 });
    expect(await status()).toBe('prozy; fwd=stale; fwd-status=304');
    expect(origin.requests.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"1"']);
    expect(await status()).toMatch(/^prozy; hit; ttl=/);
    await purge(gateway, 'all&soft');
    fails = true;
    // 5 minutes old, but stale for a moment only: within the minute.
    clock.shift(50_000);
    expect((await ask(gateway, 'a.test', '/')).status).toBe(200);
    clock.shift(20_000);
    expect((await ask(gateway, 'a.test', '/')).body).toBe('broken');
  });

  test('what may be stale while it is asked for anew is given at once', async () => {
    await using origin = await httpOrigin(({ url }, response) => {
      response.writeHead(200, { 'cache-control': 'max-age=600, stale-while-revalidate=60' });
      response.end(`${url} ${origin.requests.length}`);
    });
    await using gateway = await testGateway(cachedConfig(origin.port, {}, {}, ADMIN));
    await ask(gateway, 'a.test', '/');
    expect(await purged(gateway, 'url=//a.test/&soft')).toEqual([1, 0]);
    const given = await ask(gateway, 'a.test', '/');
    expect([given.body, given.headers['cache-status']]).toEqual([
      '/ 1',
      expect.stringMatching(/^prozy; hit; ttl=(0|-1)$/),
    ]);
    await until(() => origin.requests.length === 2, 'it is asked for anew');
    await until(() => gateway.running.gateway.current!.leases === 0, 'it has come');
    expect((await ask(gateway, 'a.test', '/')).body).toBe('/ 2');
  });
});

describe('an order that is not clear', () => {
  test.each([
    ['', '400 needs one of url, prefix, host, tag, all'],
    ['soft', '400 needs one of url, prefix, host, tag, all'],
    ['al', '400 there is no parameter al; there are url, prefix, host, tag, all and soft'],
    ['url=http://a.test/&tag=x', '400 takes one of url and tag, not several'],
    ['all=yes', '400 all has no value'],
    ['all&all', '400 all is given once'],
    ['all&soft=no', '400 soft has no value'],
    ['all&soft&soft', '400 soft is given once'],
    ['url=', '400  is no URL: it needs a host, as in http://host/path or //host/path'],
    ['url=/x', '400 /x is no URL: it needs a host, as in http://host/path or //host/path'],
    ['url=ftp://a/x', '400 ftp://a/x is no URL: it needs a host, as in http://host/path or //host/path'],
    ['url=http://a/%23x', '400 http://a/#x has a fragment, which no request has'],
    ['url=http://u@a/', '400 http://u@a/ is no URL that a request could be for'],
    ['url=http://%C3%BC%20a/', '400 http://ü a/ is no URL that a request could be for'],
    ['url=http://a/%25zz', '400 http://a/%zz is no URL that a request could be for'],
    ['prefix=x', '400 x is no URL: it needs a host, as in http://host/path or //host/path'],
    ['prefix=/x%3Fy', '400 /x?y is no prefix: it ends with the path'],
    ['prefix=/api/*', '400 /api/* is no prefix: * stands for itself; name /api, by whole segments'],
    ['host=*.example.com', '400 *.example.com is no host: name it as in example.com or example.com:8080'],
    ['prefix=/%5C', '400 /\\ is no path that a request could have'],
    ['host=http://a', '400 http://a is no host: name it as in example.com or example.com:8080'],
    ['host=', '400  is no host: name it as in example.com or example.com:8080'],
    ['tag=', '400 "" is no tag: give each by itself'],
    ['tag=a,b', '400 "a,b" is no tag: give each by itself'],
  ])('%s is refused', async (query, reason) => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway(cachedConfig(origin.port, {}, {}, ADMIN));
    expect(await purged(gateway, query)).toBe(reason);
  });

  test('nor one for a cache that is not there, from another site, or by another method', async () => {
    await using origin = await freshOrigin();
    await using gateway = await testGateway(cachedConfig(origin.port, {}, {}, ADMIN));
    const wrong = await purge(gateway, 'all', 'page');
    expect(wrong.status).toBe(404);
    expect(JSON.parse(wrong.body)).toMatchObject({ detail: 'there is no cache page; did you mean pages?' });
    expect((await get(gateway.adminPort(), '/caches/page')).status).toBe(404);
    await fill(gateway, ALL);
    expect((await purge(gateway, 'all', 'pages', { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await purge(gateway, 'all', 'pages', { origin: 'http://elsewhere.test' })).status).toBe(403);
    const post = await get(gateway.adminPort(), '/caches/pages?all', { method: 'POST' });
    expect([post.status, post.headers.allow]).toEqual([405, 'GET, HEAD, DELETE']);
    expect(await stored(gateway, ALL)).toEqual(ALL);
  });
});

describe('prozy purge', () => {
  afterEach(() => void vi.restoreAllMocks());

  test('takes back, says how much, and ends with a code that says how it went', async () => {
    await using origin = await freshOrigin();
    await using gateway = await testGateway(cachedConfig(origin.port, {}, {}, ADMIN));
    await fill(gateway, ALL);
    let out = '';
    const keep = (text: string | Uint8Array): boolean => (out += String(text)) !== '';
    vi.spyOn(process.stdout, 'write').mockImplementation(keep);
    vi.spyOn(process.stderr, 'write').mockImplementation(keep);
    const run = async (...args: string[]): Promise<[number, string]> => {
      out = '';
      const code = await program(['purge', ...args, '--admin', `127.0.0.1:${gateway.adminPort()}`]);
      return [code, out];
    };
    expect(await run('pages', '--url', 'http://a.test/', 'http://a.test/v1')).toEqual([
      0,
      'pages: 2 responses purged\n',
    ]);
    expect(await run('pages', '--tag', 'path-v10', '--soft')).toEqual([0, 'pages: 1 response made stale\n']);
    expect(await run('pages', '--prefix', '/nothing')).toEqual([0, 'pages: 0 responses purged\n']);
    expect(await run('pages', '--host', 'b.test', '--format', 'json')).toEqual([
      0,
      '{\n  "cache": "pages",\n  "by": "host",\n  "soft": false,\n  "responses": 1,\n  "fetches": 0\n}\n',
    ]);
    const [code, text] = await run('pages');
    expect([code, text]).toEqual([2, 'prozy: purge: needs one of --url, --prefix, --host, --tag, --all\n']);
    expect(await run('pages', '--all', '--host', 'a.test')).toEqual([
      2,
      'prozy: purge: takes one of --host and --all, not several\n',
    ]);
    expect(await run('pages', '--tag', 'a,b')).toEqual([2, 'prozy: purge: "a,b" is no tag: give each by itself\n']);
    expect(await run('page', '--all')).toEqual([1, 'there is no cache page; did you mean pages?\n']);
    expect(await run('pages', '--all')).toEqual([0, 'pages: 4 responses purged\n']);
    out = '';
    expect(await program(['purge', 'pages', '--all', '--admin', '127.0.0.1:1'])).toBe(1);
    expect(out).toContain('127.0.0.1:1 does not answer');
  });

  test('as many tags as are named, in as many requests as they need', async () => {
    await using origin = await freshOrigin();
    await using gateway = await testGateway(cachedConfig(origin.port, {}, {}, ADMIN));
    await fill(gateway, ALL);
    let out = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => (out += String(text)) !== '');
    const tags = Array.from({ length: 2000 }, (_, i) => `some-tag-${i}`);
    const args = ['purge', 'pages', '--tag', ...tags, 'path-v10', '--admin', `127.0.0.1:${gateway.adminPort()}`];
    expect(await program(args)).toBe(0);
    expect(out).toBe('pages: 1 response purged\n');
  });
});
