/** pools.host: which Host each endpoint gets, and what responses say of it to clients. */
import { describe, expect, test } from 'vitest';
import { problemsOf } from '../plan/plan-of.ts';
import { simpleConfig, testGateway, until } from '../support/gateway.ts';
import { type HttpOrigin, httpOrigin } from '../support/origin.ts';
import { quietPort } from '../support/quiet-port.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';

const hostsOf = ({ requests }: HttpOrigin): (string | undefined)[] => requests.map(({ headers }) => headers.host);
const headers = { host: 'site.test:81' };

describe('the Host of requests', () => {
  test.each<[string | undefined, (port: number) => string]>([
    [undefined, () => 'site.test:81'],
    ['preserve', () => 'site.test:81'],
    ['endpoint', (port) => `127.0.0.1:${port}`],
    ['app.example.com', () => 'app.example.com'],
    ['[2001:db8::1]:8443', () => '[2001:db8::1]:8443'],
  ])('%s', async (host, wanted) => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway(
      simpleConfig(0, { pools: { origin: { host, endpoints: [`127.0.0.1:${origin.port}`] } } }),
    );
    await get(gateway.port(), '/', { headers });
    expect(origin.requests[0]!.headers).toMatchObject({
      host: wanted(origin.port),
      'x-forwarded-host': 'site.test:81',
      forwarded: 'for=127.0.0.1;host="site.test:81";proto=http',
    });
    expect(origin.requests[0]!.rawHeaders.filter((name) => name.toLowerCase() === 'host')).toHaveLength(1);
  });

  test('in absolute form, and of a client without one', async () => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway(
      simpleConfig(0, { pools: { origin: { host: 'fixed.test', endpoints: [`127.0.0.1:${origin.port}`] } } }),
    );
    for (const text of ['GET http://site.test/ HTTP/1.1\r\nHost: other.test\r\n\r\n', 'GET / HTTP/1.0\r\n\r\n']) {
      await using client = await RawClient.to(gateway.port());
      expect((await client.send(text).response()).status).toBe(200);
    }
    expect(hostsOf(origin)).toEqual(['fixed.test', 'fixed.test']);
  });

  test('each attempt, fallback and mirrored copy has its own', async () => {
    await using bad = await httpOrigin((_, response) => response.writeHead(503).end());
    await using good = await httpOrigin();
    await using copied = await httpOrigin();
    const closed = await quietPort();
    await using gateway = await testGateway({
      version: 1,
      listeners: { web: { address: '127.0.0.1:0' } },
      pools: {
        two: {
          host: 'endpoint',
          endpoints: [bad, good].map(({ port }) => `127.0.0.1:${port}`),
          retries: { attempts: 1, statuses: [503] },
          health: { passive: { failures: 0 } },
        },
        away: { host: 'away.test', endpoints: [`127.0.0.1:${closed}`], fallback: { pool: 'good' } },
        good: { endpoints: [`127.0.0.1:${good.port}`] },
        copies: { host: 'copy.test', endpoints: [`127.0.0.1:${copied.port}`] },
      },
      routes: [
        { name: 'away', match: { path: '/away' }, pool: 'away' },
        { name: 'all', match: {}, pool: 'two', mirror: { pool: 'copies' } },
      ],
    });
    for (let i = 0; i < 2; i++) expect((await get(gateway.port(), '/', { headers })).status).toBe(200);
    await until(() => copied.requests.length === 2, 'both are copied');
    expect([new Set(hostsOf(bad)), new Set(hostsOf(good)), new Set(hostsOf(copied))]).toEqual([
      new Set([`127.0.0.1:${bad.port}`]),
      new Set([`127.0.0.1:${good.port}`]),
      new Set(['copy.test']),
    ]);
    await get(gateway.port(), '/away', { headers });
    expect(hostsOf(good).at(-1)).toBe('site.test:81');
  });

  test('of checks: their own, else the pool’s, else the endpoint’s', async () => {
    for (const [host, own, wanted] of [
      ['app.test', undefined, 'app.test'],
      ['app.test', 'check.test', 'check.test'],
      ['endpoint', undefined, null],
      [undefined, undefined, null],
    ] as const) {
      await using origin = await httpOrigin();
      const active = { interval: '20ms', host: own };
      const pools = { origin: { host, endpoints: [`127.0.0.1:${origin.port}`], health: { active } } };
      await using _gateway = await testGateway(simpleConfig(0, { pools }));
      await until(() => origin.requests.length > 0, 'it has been asked');
      expect(hostsOf(origin)[0]).toBe(wanted ?? `127.0.0.1:${origin.port}`);
    }
  });

  test('a reload changes it for requests and checks', async () => {
    await using origin = await httpOrigin();
    const config = (host: string) =>
      simpleConfig(0, { pools: { origin: { host, endpoints: [`127.0.0.1:${origin.port}`] } } });
    await using gateway = await testGateway(config('one.test'));
    await get(gateway.port());
    await gateway.edit(config('two.test'));
    await get(gateway.port());
    expect(hostsOf(origin)).toEqual(['one.test', 'two.test']);
    // The connection is the same: what lasts has not been reset.
    expect(origin.received).toHaveLength(1);
  });
});

describe('what comes back', () => {
  const ANSWER = {
    location: 'http://backend.test/login',
    'content-location': '/doc',
    refresh: '1; url=/next',
    'set-cookie': ['a=1; Path=/; Domain=backend.test', 'b=2'],
  };

  async function answered(route: object, pool: object, policies: object[] = []) {
    await using origin = await httpOrigin((_, response) => response.writeHead(302, ANSWER).end());
    await using gateway = await testGateway(
      simpleConfig(0, {
        pools: { origin: { endpoints: [`127.0.0.1:${origin.port}`], ...pool } },
        routes: [{ name: 'all', match: { path: '/api' }, policies, pool: 'origin', ...route }],
      }),
    );
    const { headers: back } = await get(gateway.port(), '/api/x', { headers: { host: 'site.test' } });
    const sent = origin.requests[0]!;
    return {
      back: Object.fromEntries(Object.keys(ANSWER).map((name) => [name, back[name]])),
      prefix: sent.headers['x-forwarded-prefix'],
      url: sent.url,
    };
  }

  const STRIP = { type: 'rewrite', prefix: '/api' };

  test('is mapped to what the client knows, and the backend is told of the prefix', async () => {
    expect(await answered({}, { host: 'backend.test' }, [STRIP])).toEqual({
      back: {
        location: 'http://site.test/api/login',
        'content-location': '/api/doc',
        refresh: '1; url=/api/next',
        'set-cookie': ['a=1; Path=/api; Domain=site.test', 'b=2'],
      },
      prefix: '/api',
      url: '/x',
    });
  });

  test('stays where the gateway has rewritten nothing, or the route says so', async () => {
    expect((await answered({}, {})).back).toEqual(ANSWER);
    expect((await answered({ map_back: false }, { host: 'backend.test' }, [STRIP])).back).toEqual(ANSWER);
  });

  test('a headers policy has the last word on the prefix, wherever it stands', async () => {
    const set = { type: 'headers', request: { set: { 'x-forwarded-prefix': '/mine' } } };
    const remove = { type: 'headers', request: { remove: ['x-forwarded-prefix'] } };
    const told = async (...policies: object[]) => (await answered({}, {}, policies)).prefix;
    expect([await told(set, STRIP), await told(STRIP, set)]).toEqual(['/mine', '/mine']);
    expect([await told(remove, STRIP), await told(STRIP, remove)]).toEqual([undefined, undefined]);
    expect(await told({ ...STRIP, replacement: '/v2' })).toBeUndefined();
  });

  test('through a cache too: what is stored is mapped', async () => {
    await using origin = await httpOrigin((_, response) =>
      response.writeHead(301, { location: '/login', 'cache-control': 'max-age=60' }).end(),
    );
    await using gateway = await testGateway(
      simpleConfig(origin.port, {
        caches: { c: {} },
        routes: [{ name: 'all', match: {}, policies: [{ type: 'cache', cache: 'c' }, STRIP], pool: 'origin' }],
      }),
    );
    for (let i = 0; i < 2; i++) expect((await get(gateway.port(), '/api/x')).headers['location']).toBe('/api/login');
    expect(origin.requests).toHaveLength(1);
  });
});

test('a route that answers by itself has nothing to map back', () => {
  expect(problemsOf({ routes: [{ name: 'r', match: {}, map_back: false, respond: {} }] })).toEqual([
    '/routes/0/map_back: has no effect: the route answers without a backend',
  ]);
});

test('explain and the tests of a config know the Host that is sent', () => {
  const config = (host: string, wanted: string) => ({
    ...simpleConfig(3000, { pools: { origin: { host, endpoints: ['127.0.0.1:3000', '127.0.0.1:80'] } } }),
    tests: [{ request: { url: 'http://site.test/' }, expect: { request_headers: { host: wanted } } }],
  });
  for (const [host, wanted] of [
    ['preserve', 'site.test'],
    ['app.test', 'app.test'],
    ['endpoint', '127.0.0.1:3000 or 127.0.0.1'],
  ] as const) {
    expect(problemsOf(config(host, wanted))).toEqual([]);
    expect(problemsOf(config(host, 'other.test'))).toHaveLength(1);
  }
  expect(problemsOf(config('a b', 'a'))).toEqual([
    '/pools/origin/host: must be preserve, endpoint or a host, with or without a port',
  ]);
});
