/** The answer's own account of a request: for whom it is, what it says, and that nobody else gets it. */
import { describe, expect, test } from 'vitest';
import { simpleConfig, type TestGateway, testGateway } from '../support/gateway.ts';
import { answering, httpOrigin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';

const ASKS = { headers: { 'X-Prozy-Explain': '1' } };
const told = async (gateway: TestGateway, path: string, options: object = ASKS): Promise<unknown> =>
  (await get(gateway.port(), path, options)).headers['x-prozy-explain'];

const config = (port: number, explain: object = { explain: { allow: ['127.0.0.1'] } }): Record<string, unknown> =>
  simpleConfig(port, {
    acls: { nobody: { default: 'deny' }, all: {} },
    routes: [
      { name: 'fixed', match: { path: '/fixed' }, respond: { body: 'fixed' } },
      {
        name: 'denied',
        match: { path: '/denied' },
        policies: [
          { type: 'acl', acl: 'all' },
          { type: 'acl', acl: 'nobody' },
        ],
        pool: 'origin',
      },
      { name: 'down', match: { path: '/down' }, pool: 'down' },
      {
        name: 'removed',
        match: { path: '/removed' },
        policies: [{ type: 'headers', request: { remove: ['x-prozy-explain'] } }],
        pool: 'origin',
      },
      { name: 'all', match: { path: '/all' }, policies: [{ type: 'acl', acl: 'all' }], pool: 'origin' },
    ],
    pools: { origin: { endpoints: [`127.0.0.1:${port}`] }, down: { endpoints: ['127.0.0.1:1'] } },
    ...explain,
  });

describe('a client that may know and asks', () => {
  test('is told of every kind of answer', async () => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway(config(origin.port));
    const at = `127.0.0.1:${origin.port}`;
    const who = 'generation=1, listener="web", client="127.0.0.1"';
    expect(await told(gateway, '/all')).toBe(`${who}, route="all", policies=("acl"), pool="origin", endpoint="${at}"`);
    expect(await told(gateway, '/fixed')).toBe(`${who}, route="fixed"`);
    expect(await told(gateway, '/denied')).toBe(`${who}, route="denied", policies=("acl" "acl"), answered_by="acl"`);
    expect(await told(gateway, '/nothing')).toBe(`${who}, error="no_route"`);
    expect(await told(gateway, '/down')).toMatch(/route="down", pool="down".*error="connect_refused"/);
    expect(await told(gateway, '/removed')).toBeUndefined();
  });

  test('is told with each request that asks, on one connection', async () => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway(config(origin.port));
    await using client = await RawClient.to(gateway.port());
    client.send('GET /fixed HTTP/1.1\r\nHost: a\r\nx-prozy-explain: 1\r\n\r\nGET /fixed HTTP/1.1\r\nHost: a\r\n\r\n');
    const [first, second] = [await client.response(), await client.response()];
    expect([first.headers['x-prozy-explain'], second.headers['x-prozy-explain']]).toEqual([
      'generation=1, listener="web", client="127.0.0.1", route="fixed"',
      undefined,
    ]);
    expect([first.body, second.body]).toEqual(['fixed', 'fixed']);
  });
});

test('what a cache made of it is told, also if it answers', async () => {
  await using origin = await httpOrigin((_, response) => {
    response.writeHead(200, { 'cache-control': 'max-age=60' }).end('x');
  });
  const policies = [{ type: 'cache', cache: 'pages' }];
  const routes = [{ name: 'all', match: {}, policies, pool: 'origin' }];
  await using gateway = await testGateway({ ...config(origin.port), caches: { pages: {} }, routes });
  const who = 'generation=1, listener="web", client="127.0.0.1", route="all", policies=("cache")';
  expect([await told(gateway, '/'), await told(gateway, '/')]).toEqual([
    `${who}, cache="miss", endpoint="127.0.0.1:${origin.port}"`,
    `${who}, cache="hit"`,
  ]);
});

test('a change of protocols is an answer too', async () => {
  const offer = 'GET /all HTTP/1.1\r\nHost: a\r\nX-Prozy-Explain: 1\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n';
  const accepted = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n';
  await using origin = await rawOrigin(answering((socket) => socket.write(accepted)));
  await using gateway = await testGateway(config(origin.port));
  await using client = await RawClient.to(gateway.port());
  const { status, headers } = await client.send(offer).response();
  expect(status).toBe(101);
  expect(headers['x-prozy-explain']).toContain('route="all", policies=("acl"), pool="origin"');
});

describe('nobody else', () => {
  test('a client that does not ask, one that may not know, and one that a trusted proxy speaks for', async () => {
    await using origin = await httpOrigin();
    const explain = { explain: { header: 'X-Why', allow: ['10.0.0.0/8'] } };
    const trusted = { listeners: { web: { address: '127.0.0.1:0', trusted_proxies: ['127.0.0.1'] } } };
    await using gateway = await testGateway({ ...config(origin.port, explain), ...trusted });
    const why = async (headers: Record<string, string>): Promise<unknown> =>
      (await get(gateway.port(), '/all', { headers })).headers['x-why'];
    expect(await why({ 'x-why': '' })).toBeUndefined();
    expect(await why({ 'x-why': '', 'x-forwarded-for': '10.1.1.1' })).toContain('client="10.1.1.1"');
    expect(await why({ 'x-forwarded-for': '10.1.1.1' })).toBeUndefined();
    expect(await why({ 'x-why': '', 'x-forwarded-for': '11.1.1.1' })).toBeUndefined();
  });

  test('by default it is off, and a reload turns it on and off', async () => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway(config(origin.port, {}));
    expect(await told(gateway, '/all')).toBeUndefined();
    await gateway.edit(config(origin.port));
    expect(await told(gateway, '/all')).toContain('generation=2');
    await gateway.edit(config(origin.port, {}));
    expect(await told(gateway, '/all')).toBeUndefined();
  });
});
