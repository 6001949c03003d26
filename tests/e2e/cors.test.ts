/** The cors policy on sockets: preflights, responses, and both orders with a cache. The rules: tests/policies/cors.test.ts. */
import { describe, expect, test } from 'vitest';
import { simpleConfig, testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';

const APP = 'https://app.example.com';
const OTHER = 'https://other.example.com';
const CORS = { type: 'cors', origins: [APP, OTHER], methods: ['GET', 'PUT'], headers: ['x-a'], max_age: '1m' };

function config(port: number, policies: readonly object[], more: object = {}): Record<string, unknown> {
  return simpleConfig(port, {
    caches: { pages: {} },
    routes: [{ name: 'all', match: {}, policies, pool: 'origin' }],
    ...more,
  });
}

/** The CORS fields and Vary of a response to a GET from that origin. */
async function fieldsFor(port: number, origin: string | undefined): Promise<Record<string, unknown>> {
  const { headers } = await get(port, '/', { headers: origin === undefined ? {} : { origin } });
  return { allowed: headers['access-control-allow-origin'], vary: headers.vary, cache: headers['cache-status'] };
}

test('a preflight is answered without the backend, and the connection goes on', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(config(origin.port, [CORS]));
  await using client = await RawClient.to(gateway.port());
  const preflight = `OPTIONS /x HTTP/1.1\r\nHost: a\r\nOrigin: ${APP}\r\nAccess-Control-Request-Method: PUT\r\n\r\n`;
  const { status, head } = await client.send(preflight).response();
  expect(status).toBe(204);
  const lines = head.split('\r\n').filter((line) => !/^(?:Date|Via|HTTP)/.test(line) && line !== '');
  expect(lines).toEqual([
    'Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
    `Access-Control-Allow-Origin: ${APP}`,
    'Access-Control-Allow-Methods: GET, PUT',
    'Access-Control-Allow-Headers: x-a',
    'Access-Control-Max-Age: 60',
  ]);
  client.send(`OPTIONS /x HTTP/1.1\r\nHost: a\r\nOrigin: ${APP}\r\n\r\n`);
  expect((await client.response()).head).toContain(`Access-Control-Allow-Origin: ${APP}\r\n`);
  expect(origin.requests.map(({ method }) => method)).toEqual(['OPTIONS']);
});

test('a policy behind it does not see preflights; one in front of it does', async () => {
  await using origin = await httpOrigin();
  const acl = { type: 'acl', acl: 'closed' };
  const acls = { closed: { default: 'deny' } };
  const headers = { origin: APP, 'access-control-request-method': 'PUT' };
  for (const [policies, status] of [
    [[CORS, acl], 204],
    [[acl, CORS], 403],
  ] as const) {
    await using gateway = await testGateway(config(origin.port, policies, { acls }));
    expect((await get(gateway.port(), '/', { method: 'OPTIONS', headers })).status).toBe(status);
  }
});

test('the response of the backend gets the fields of the policy in place of its own', async () => {
  await using origin = await httpOrigin((_, response) => {
    response.writeHead(200, { 'Access-Control-Allow-Origin': '*', 'access-control-max-age': '1' }).end('ok');
  });
  await using gateway = await testGateway(config(origin.port, [CORS]));
  const answer = await get(gateway.port(), '/', { headers: { origin: APP } });
  expect(answer.headers).toMatchObject({ 'access-control-allow-origin': APP, vary: 'Origin' });
  expect(answer.headers).not.toHaveProperty('access-control-max-age');
  expect(await fieldsFor(gateway.port(), 'https://evil.test')).toMatchObject({ allowed: undefined, vary: 'Origin' });
});

test('the replies of the gateway itself carry the fields', async () => {
  await using gone = await httpOrigin();
  await gone[Symbol.asyncDispose]();
  const acls = { closed: { default: 'deny' } };
  const routes = [
    { name: 'denied', match: { path: '/denied' }, policies: [CORS, { type: 'acl', acl: 'closed' }], pool: 'origin' },
    { name: 'behind', match: { path: '/behind' }, policies: [{ type: 'acl', acl: 'closed' }, CORS], pool: 'origin' },
    { name: 'large', match: { path: '/large' }, policies: [CORS, { type: 'buffer', size: 1 }], pool: 'origin' },
    { name: 'fixed', match: { path: '/fixed' }, policies: [CORS], respond: { status: 200, body: 'ok' } },
    { name: 'moved', match: { path: '/moved' }, policies: [CORS], redirect: { path: '/fixed' } },
    { name: 'all', match: {}, policies: [CORS], pool: 'origin' },
  ];
  await using gateway = await testGateway(config(gone.port, [], { acls, routes }));
  for (const [path, status] of [
    ['/denied', 403],
    ['/behind', 403],
    ['/large', 413],
    ['/fixed', 200],
    ['/moved', 308],
    ['/unreachable', 502],
  ] as const) {
    const answer = await get(gateway.port(), path, { method: 'PUT', body: 'xx', headers: { origin: APP } });
    expect([path, answer.status, answer.headers['access-control-allow-origin'], answer.headers.vary]).toEqual([
      path,
      status,
      APP,
      'Origin',
    ]);
    const other = await get(gateway.port(), path, { method: 'PUT', body: 'xx' });
    expect([other.headers['access-control-allow-origin'], other.headers.vary]).toEqual([undefined, 'Origin']);
  }
});

describe('with a cache', () => {
  const cache = { type: 'cache', cache: 'pages' };

  test('in front of it, one stored response serves every origin with its own fields', async () => {
    await using origin = await httpOrigin((_, response) => {
      response.writeHead(200, { 'Cache-Control': 'max-age=60', 'Access-Control-Allow-Origin': '*' }).end('ok');
    });
    await using gateway = await testGateway(config(origin.port, [CORS, cache]));
    const seen = [];
    for (const from of [APP, OTHER, 'https://evil.test', undefined, APP])
      seen.push(await fieldsFor(gateway.port(), from));
    expect(seen.map(({ allowed, vary }) => [allowed, vary])).toEqual([
      [APP, 'Origin'],
      [OTHER, 'Origin'],
      [undefined, 'Origin'],
      [undefined, 'Origin'],
      [APP, 'Origin'],
    ]);
    expect(origin.requests).toHaveLength(1);
  });

  test('behind it, each origin has a stored response of its own', async () => {
    await using origin = await httpOrigin((_, response) => {
      response.writeHead(200, { 'Cache-Control': 'max-age=60' }).end('ok');
    });
    await using gateway = await testGateway(config(origin.port, [cache, CORS]));
    const seen = [];
    for (const from of [APP, OTHER, undefined, APP, OTHER, undefined]) seen.push(await fieldsFor(gateway.port(), from));
    expect(seen.map(({ allowed }) => allowed)).toEqual([APP, OTHER, undefined, APP, OTHER, undefined]);
    expect(origin.requests).toHaveLength(3);
  });
});
