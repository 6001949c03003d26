/** Which route takes a request, and what its action does. */
import { describe, expect, test } from 'vitest';
import { testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';

function route(name: string, match: object, more: object = {}): object {
  return { name, match, respond: { body: name }, ...more };
}

const LISTENERS = { web: { address: '127.0.0.1:0' }, inner: { address: '127.0.0.1:0' } };

describe('the route', () => {
  test('is the first, as written, whose every condition holds', async () => {
    const routes = [
      route('exact', { path: { exact: '/v1/exact' } }),
      route('inner', { path: '/status' }, { listeners: ['inner'] }),
      route('header', { path: '/v1', headers: { 'X-Tenant': 'acme' } }),
      route('absent', {
        path: '/v1',
        headers: { 'x-token': { present: false } },
        query: { strict: { present: true } },
      }),
      route('query', { path: '/v1', query: { v: { regex: '^[23]$' } } }),
      route('post', { path: '/v1', methods: ['POST', 'PUT'] }),
      route('host', { host: 'Api.Example.com', path: '/v1' }),
      route('wild', { host: '*.example.com' }),
      route('regex', { path: { regex: '^/files/[0-9]+$' } }),
      route('prefix', { path: '/v1' }),
      route('both', { host: ['a.test', 'b.test'] }),
    ];
    await using gateway = await testGateway({ version: 1, listeners: LISTENERS, routes });
    const ask = async (
      path: string,
      headers: Record<string, string> = {},
      method = 'GET',
      on = 'web',
    ): Promise<string> => {
      const { status, body } = await get(gateway.port(on), path, { method, headers: { host: 'x.test', ...headers } });
      return status === 200 ? body : String(status);
    };
    expect(await ask('/v1/exact')).toBe('exact');
    expect(await ask('/v1/exact/')).toBe('prefix');
    expect(await ask('/status')).toBe('404');
    expect(await ask('/status', {}, 'GET', 'inner')).toBe('inner');
    expect(await ask('/v1/a', { 'x-tenant': 'acme' })).toBe('header');
    expect(await ask('/v1/a', { 'x-tenant': 'other' })).toBe('prefix');
    expect(await ask('/v1/a?strict')).toBe('absent');
    expect(await ask('/v1/a?strict', { 'x-token': '1' })).toBe('prefix');
    expect(await ask('/v1/a?v=2')).toBe('query');
    expect(await ask('/v1/a?v=%32')).toBe('query');
    expect(await ask('/v1/a?v=1&v=2')).toBe('prefix');
    expect(await ask('/v1/a', {}, 'PUT')).toBe('post');
    expect(await ask('/v1/a', { host: 'API.example.COM:8080' })).toBe('host');
    expect(await ask('/v2', { host: 'a.b.example.com' })).toBe('wild');
    expect(await ask('/v2', { host: 'example.com' })).toBe('404');
    expect(await ask('/files/17')).toBe('regex');
    expect(await ask('/files/x')).toBe('404');
    expect(await ask('/v10')).toBe('404');
    expect(await ask('/v1')).toBe('prefix');
    expect(await ask('/', { host: 'b.test' })).toBe('both');
  });

  test('is found by the path in normal form, and that is what is sent on', async () => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway({
      version: 1,
      listeners: { web: { address: '127.0.0.1:0' } },
      pools: { origin: { endpoints: [`127.0.0.1:${origin.port}`] } },
      routes: [
        route('secret', { path: '/secret' }, { respond: { status: 403 } }),
        { name: 'all', match: {}, pool: 'origin' },
      ],
    });
    for (const path of ['/secret/x', '/a/../secret', '/%73ecret', '/a/%2e%2e/secret/y', '/./secret']) {
      await using client = await RawClient.to(gateway.port());
      expect([path, (await client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).response()).status]).toEqual([
        path,
        403,
      ]);
    }
    await using client = await RawClient.to(gateway.port());
    const { body } = await client.send('GET /a/./b/../%7Euser/%2f?x=../y HTTP/1.1\r\nHost: a\r\n\r\n').response();
    expect(body).toBe('ok /a/~user/%2F?x=../y');
  });
});

describe('the action', () => {
  test('respond gives status, fields and body; HEAD gets the same without the body', async () => {
    const respond = { status: 418, headers: { 'X-Kind': 'tea', 'content-type': 'text/plain' }, body: 'ä pot' };
    await using gateway = await testGateway({
      version: 1,
      listeners: { web: { address: '127.0.0.1:0' } },
      routes: [{ name: 'tea', match: {}, respond }],
    });
    const answer = await get(gateway.port());
    expect([answer.status, answer.headers['x-kind'], answer.headers['content-length'], answer.body]).toEqual([
      418,
      'tea',
      '6',
      'ä pot',
    ]);
    expect(answer.headers['date']).toMatch(/GMT$/);
    const head = await get(gateway.port(), '/', { method: 'HEAD' });
    expect([head.status, head.headers['content-length'], head.body]).toEqual([418, '6', '']);
  });

  test.each([
    [{ scheme: 'https' }, 308, 'https://old.test/a/b?q=1'],
    [{ host: 'new.test', status: 301 }, 301, 'http://new.test/a/b?q=1'],
    [{ scheme: 'https', port: 8443 }, 308, 'https://old.test:8443/a/b?q=1'],
    [{ path: '/c', status: 302 }, 302, '/c?q=1'],
  ])('redirect %j answers with %i and %s', async (redirect, status, location) => {
    await using gateway = await testGateway({
      version: 1,
      listeners: { web: { address: '127.0.0.1:0' } },
      routes: [{ name: 'moved', match: {}, redirect }],
    });
    const answer = await get(gateway.port(), '/a/b?q=1', { headers: { host: 'old.test' } });
    expect([answer.status, new URL(answer.headers.location!, 'http://old.test/').href]).toEqual([
      status,
      new URL(location, 'http://old.test/').href,
    ]);
  });

  test('no route is a 404 that gives nothing away', async () => {
    await using gateway = await testGateway({ version: 1, listeners: { web: { address: '127.0.0.1:0' } } });
    const answer = await get(gateway.port());
    expect([answer.status, answer.headers['content-type'], answer.body]).toEqual([
      404,
      'application/problem+json',
      '{"type":"about:blank","title":"Not Found","status":404}\n',
    ]);
    expect(answer.headers['server']).toBeUndefined();
  });

  test('CONNECT is not taken here: 501', async () => {
    await using gateway = await testGateway({ version: 1, listeners: { web: { address: '127.0.0.1:0' } } });
    await using client = await RawClient.to(gateway.port());
    expect((await client.send('CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n').response()).status).toBe(501);
  });

  test('Max-Forwards of OPTIONS and TRACE is counted down, and at 0 the gateway is the last', async () => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway({
      version: 1,
      listeners: { web: { address: '127.0.0.1:0' } },
      pools: { origin: { endpoints: [`127.0.0.1:${origin.port}`] } },
      routes: [{ name: 'all', match: {}, pool: 'origin' }],
    });
    const ask = (method: string, hops: string) =>
      get(gateway.port(), '/', { method, headers: { 'max-forwards': hops } });
    expect((await ask('OPTIONS', '3')).status).toBe(200);
    expect((await ask('GET', '0')).status).toBe(200);
    expect(origin.requests.map(({ headers }) => headers['max-forwards'])).toEqual(['2', '0']);
    expect((await ask('OPTIONS', '0')).headers['allow']).toContain('OPTIONS');
    expect((await ask('TRACE', '0')).status).toBe(405);
    expect(origin.requests).toHaveLength(2);
  });
});
