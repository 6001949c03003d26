/** Paths as clients write them: which rule they meet, what the backend gets, and what is refused. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type TestGateway, testGateway, until } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';

const DENY = { name: 'admin', match: { path: '/admin' }, respond: { status: 403 } };

function config(port: number, paths: object, more: object = {}, routes: readonly object[] = [DENY]): object {
  return {
    version: 1,
    listeners: { web: { address: '127.0.0.1:0', paths } },
    pools: { origin: { endpoints: [`127.0.0.1:${port}`] } },
    routes: [...routes, { name: 'all', match: {}, pool: 'origin' }],
    ...more,
  };
}

/** The status, and what the origin was asked for, which it repeats. */
async function ask(gateway: TestGateway, target: string): Promise<string> {
  await using client = await RawClient.to(gateway.port());
  client.send(Buffer.from(`GET ${target} HTTP/1.1\r\nHost: a.test\r\n\r\n`).toString('latin1'));
  const { status, body } = await client.response();
  return status === 200 ? body : String(status);
}

describe('by default', () => {
  test('no spelling of a path gets past its rule', async () => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway(config(origin.port, {}));
    for (const path of [
      '/admin',
      '/admin/x',
      '//admin',
      '/%2Fadmin',
      '/admin%2Fx',
      '/admin%5Cx',
      '/admin;x=1/y',
      '/admin%3Bx',
      '/%61dmin',
      '/x/../admin',
      '/x/%2e%2e/admin',
      '/./admin',
      '/;/admin',
      'http://a.test//admin',
    ])
      expect([path, await ask(gateway, path)]).toEqual([path, '403']);
    for (const path of [
      '/x/..;/admin',
      '/x/..%2Fadmin',
      '/x%2f..%2fadmin',
      '/x/..%5Cadmin',
      '/x/..%3bv/admin',
      '/admin%00',
      '/admin%0a',
      '/x/..%c0%afadmin',
      '/x\\..\\admin',
      '/;%2Fx/admin',
      '/ü',
      '/admin%zz',
      'http://a.test/x/..;/admin',
    ])
      expect([path, await ask(gateway, path)]).toEqual([path, '400']);
    expect(origin.requests).toHaveLength(0);
  });

  test('what means no harm is sent as it came', async () => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway(config(origin.port, {}));
    for (const path of [
      '/@babel%2Fcore',
      '/api/v4/projects/group%2Fproject/issues',
      '/cart;jsessionid=AB12',
      '/plain/https://a.test/b.png',
      '/a%20b',
      '/%C3%BC',
      '/a%252e%252e%252fb',
      '/a?x=%2F..;/admin',
      '/admins',
      '/a/...;/b',
    ])
      expect([path, await ask(gateway, path)]).toEqual([path, `ok ${path}`]);
    expect(await ask(gateway, '/@babel%2fcore')).toBe('ok /@babel%2Fcore');
  });

  test('a rule that is written as people read it is met by what clients send', async () => {
    await using origin = await httpOrigin();
    const routes = [
      { name: 'secret', match: { path: '/über' }, respond: { status: 403 } },
      { name: 'scope', match: { path: '/@acme' }, respond: { body: 'scope' } },
    ];
    await using gateway = await testGateway(config(origin.port, {}, {}, routes));
    for (const path of ['/%C3%BCber', '/%c3%bcber/x', '/%C3%BC%62er', '//%C3%BCber'])
      expect([path, await ask(gateway, path)]).toEqual([path, '403']);
    for (const path of ['/@acme/x', '/@acme%2fx', '/%40acme/x'])
      expect([path, await ask(gateway, path)]).toEqual([path, 'scope']);
    expect(await ask(gateway, '/uber')).toBe('ok /uber');
  });

  test('the access log says why a path was refused, and the counters count it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'prozy-paths-'));
    const path = join(directory, 'access.log');
    {
      await using origin = await httpOrigin();
      const more = { logging: { access: { path } }, admin: { address: '127.0.0.1:0' } };
      await using gateway = await testGateway(config(origin.port, { parameters: 'refuse' }, more));
      for (const target of ['/x/..%2fadmin', '/a%00', '/a;b', '/a%07', '/ü'])
        expect(await ask(gateway, target)).toBe('400');
      const { body } = await get(gateway.adminPort(), '/metrics');
      expect(body).toMatch(/bad_requests_total\{[^}]*status="400"[^}]*\} 5/);
      interface Logged {
        readonly error: string;
        readonly method: string;
        readonly target: string;
      }
      const lines = (): string[] => readFileSync(path, 'utf8').trim().split('\n');
      await until(() => lines().length === 5, 'all are logged');
      const logged = lines().map((line) => JSON.parse(line) as Logged);
      // What was asked for stands there: it is what `prozy explain` is asked with.
      expect(logged.map(({ method, target }) => `${method} ${target}`).slice(0, 4)).toEqual([
        'GET /x/..%2fadmin',
        'GET /a%00',
        'GET /a;b',
        'GET /a%07',
      ]);
      expect(logged.map(({ error }) => error)).toEqual([
        'hidden_dot_segment',
        'malformed_path',
        'path_parameters',
        'control_character',
        'raw_utf8',
      ]);
    }
    rmSync(directory, { recursive: true });
  });
});

describe('by setting', () => {
  test.each<[object, string, string]>([
    [{ encoded_slash: 'decode' }, '/a%2fb', 'ok /a/b'],
    [{ encoded_slash: 'decode' }, '/x/..%2Fadmin', '403'],
    [{ encoded_slash: 'keep' }, '/x/..%2Fadmin', 'ok /x/..%2Fadmin'],
    [{ encoded_slash: 'keep' }, '/admin%2Fx', 'ok /admin%2Fx'],
    [{ encoded_slash: 'refuse' }, '/a%2Fb', '400'],
    [{ repeated_slashes: 'merge' }, '//a///b', 'ok /a/b'],
    [{ repeated_slashes: 'keep' }, '//admin', 'ok //admin'],
    [{ repeated_slashes: 'refuse' }, '/a//b', '400'],
    [{ parameters: 'remove' }, '/a;v=1/b;w', 'ok /a/b'],
    [{ parameters: 'remove' }, '/x/..;/admin', '403'],
    [{ parameters: 'keep' }, '/x/..;/admin', 'ok /x/..;/admin'],
    [{ parameters: 'refuse' }, '/a;b', '400'],
    [{ control_characters: 'keep' }, '/a%0a', 'ok /a%0A'],
    [{ raw_utf8: 'encode' }, '/ü?q=日', 'ok /%C3%BC?q=%E6%97%A5'],
    [{ send: 'received' }, '/%7ea/b%2fc//d?e', 'ok /%7ea/b%2fc//d?e'],
    [{ send: 'received' }, '/a/../b', 'ok /a/../b'],
    [{ send: 'received' }, '/x/../admin', '403'],
    [{ send: 'received' }, 'http://a.test/%7Ea', 'ok /%7Ea'],
    [{ send: 'received', raw_utf8: 'encode' }, '/ü', 'ok /%C3%BC'],
  ])('%j: %s', async (paths, target, right) => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway(config(origin.port, paths));
    expect(await ask(gateway, target)).toBe(right);
  });

  test('bytes that are no UTF-8 are refused also where UTF-8 is taken', async () => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway(config(origin.port, { raw_utf8: 'encode' }));
    await using client = await RawClient.to(gateway.port());
    client.send('GET /\xfc HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.response()).status).toBe(400);
    expect(await ask(gateway, '/über')).toBe('ok /%C3%BCber');
  });

  test('takes effect with a reload, on connections that are open', async () => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway(config(origin.port, {}));
    await using client = await RawClient.to(gateway.port());
    const text = 'GET /a;b HTTP/1.1\r\nHost: a\r\n\r\n';
    expect((await client.send(text).response()).body).toBe('ok /a;b');
    await gateway.edit(config(origin.port, { parameters: 'remove' }));
    expect((await client.send(text).response()).body).toBe('ok /a');
  });

  test('what is sent as it came is rewritten in normal form, and cached only if it was in it', async () => {
    await using origin = await httpOrigin((_, response) => response.setHeader('cache-control', 'max-age=60').end('x'));
    const routes = [
      {
        name: 'v1',
        match: { path: '/v1' },
        policies: [{ type: 'rewrite', prefix: '/v1', replacement: '/' }],
        pool: 'origin',
      },
      { name: 'pages', match: { methods: ['GET'] }, policies: [{ type: 'cache', cache: 'pages' }], pool: 'origin' },
    ];
    await using gateway = await testGateway(
      config(origin.port, { send: 'received' }, { caches: { pages: {} } }, routes),
    );
    for (const path of ['/v1/%7ea', '//v1/b%2fc', '/%7Ep', '/~p', '/~p', '/%7ep']) await ask(gateway, path);
    expect(origin.requests.map(({ url }) => url)).toEqual(['/~a', '/b/c', '/%7Ep', '/~p', '/%7ep']);
  });
});

test('a config’s tests and explain read paths as the listener does', async () => {
  await using origin = await httpOrigin();
  const tests = [
    { request: { url: 'http://a.test/admin;x/y' }, expect: { route: 'admin' } },
    { request: { url: 'http://a.test//admin' }, expect: { route: 'admin' } },
    { request: { url: 'http://a.test/x%2Fy' }, expect: { route: 'all', path: '/x%2Fy' } },
    { request: { url: 'http://a.test/x/..;/admin' }, expect: { status: 400 } },
  ];
  const admin = { address: '127.0.0.1:0' };
  await using gateway = await testGateway(config(origin.port, {}, { tests, admin }));
  const explained = async (
    url: string,
  ): Promise<{ request: { path: string }; outcome: { why: string }; sent: unknown }> =>
    JSON.parse((await get(gateway.adminPort(), `/explain?url=${encodeURIComponent(url)}`)).body) as never;
  expect((await explained('http://a.test/x/..;/admin')).outcome.why).toContain(
    'a dot segment that only some backends see',
  );
  expect((await explained('http://a.test//admin;x/y')).request.path).toBe('/admin/y');
  expect(await explained('http://a.test/x%2fy')).toMatchObject({
    request: { path: '/x/y' },
    sent: { line: 'GET /x%2Fy HTTP/1.1' },
  });
});

test('a host meets its rule however it is written', async () => {
  await using origin = await httpOrigin();
  const routes = [{ name: 'deny', match: { host: ['bücher.example', '[::1]', 'a.test'] }, respond: { status: 403 } }];
  const tests = [{ request: { url: 'http://BÜCHER.example/' }, expect: { route: 'deny' } }];
  await using gateway = await testGateway(config(origin.port, {}, { tests }, routes));
  for (const host of [
    'xn--bcher-kva.example',
    'XN--BCHER-KVA.example.:80',
    '[0:0::0001]',
    '[::1]:80',
    '%61.test',
    'A%2Etest',
  ])
    expect([host, (await get(gateway.port(), '/', { headers: { host } })).status]).toEqual([host, 403]);
  expect((await get(gateway.port(), '/', { headers: { host: 'b.test' } })).status).toBe(200);
});
