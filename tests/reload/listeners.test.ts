/** Listeners come, go and move while the gateway runs; connections stay where they may. */
import { expect, test } from 'vitest';
import { simpleConfig, testGateway, until } from '../support/gateway.ts';
import { answering, httpOrigin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n';
const FIXED = (body: string) => [{ name: 'all', match: {}, respond: { body } }];

test('one is added, then removed, and the other never notices', async () => {
  await using origin = await httpOrigin();
  const config = simpleConfig(origin.port);
  await using gateway = await testGateway(config);
  const port = gateway.port();
  await gateway.edit({ ...config, listeners: { web: { address: '127.0.0.1:0' }, more: { address: '127.0.0.1:0' } } });
  const more = gateway.port('more');
  expect(gateway.port()).toBe(port);
  expect((await get(more, '/m')).body).toBe('ok /m');
  await gateway.edit(config);
  await expect(get(more, '/m')).rejects.toThrow(/ECONNREFUSED/);
  expect((await get(port, '/x')).body).toBe('ok /x');
});

test('one is moved to another address: the old one closes, connections made there stay and meet the new config', async () => {
  let release = (): void => {};
  await using origin = await httpOrigin((_, response) => {
    release = () => response.end('late');
  });
  const config = simpleConfig(origin.port);
  await using gateway = await testGateway(config);
  const port = gateway.port();
  await using idle = await RawClient.to(port);
  await using busy = await RawClient.to(port);
  busy.send(GET);
  await until(() => origin.requests.length === 1, 'the request is under way');
  await gateway.edit({ ...config, listeners: { web: { address: '127.0.0.2:0' } }, routes: FIXED('new') });
  await expect(get(port)).rejects.toThrow(/ECONNREFUSED/);
  release();
  expect((await busy.response()).body).toBe('late');
  for (const client of [busy, idle]) expect((await client.send(GET).response()).body).toBe('new');
});

test('one that is removed ends its idle connections and finishes what runs on the others', async () => {
  let release = (): void => {};
  await using origin = await httpOrigin((_, response) => {
    release = () => response.end('late');
  });
  const config = simpleConfig(origin.port);
  await using gateway = await testGateway(config);
  await using idle = await RawClient.to(gateway.port());
  await using busy = await RawClient.to(gateway.port());
  busy.send(GET);
  await until(() => origin.requests.length === 1, 'the request is under way');
  await gateway.edit({ ...config, listeners: { other: { address: '127.0.0.1:0' } } });
  await idle.end();
  release();
  const response = await busy.response();
  expect([response.body, response.headers['connection']]).toEqual(['late', 'close']);
  await busy.end();
});

test('an idle keep-alive connection is kept and meets the new config with its next request', async () => {
  await using origin = await httpOrigin();
  const config = simpleConfig(origin.port);
  await using gateway = await testGateway(config);
  await using client = await RawClient.to(gateway.port());
  expect((await client.send(GET).response()).body).toBe('ok /x');
  await gateway.edit({ ...config, routes: FIXED('new') });
  expect((await client.send(GET).response()).body).toBe('new');
  expect(gateway.running.gateway.snapshots).toHaveLength(1);
});

test('an address that is newly denied loses its idle connections; one under way is finished first', async () => {
  let release = (): void => {};
  await using origin = await httpOrigin((_, response) => {
    release = () => response.end('late');
  });
  const config = simpleConfig(origin.port);
  await using gateway = await testGateway(config);
  await using idle = await RawClient.to(gateway.port());
  await using busy = await RawClient.to(gateway.port());
  busy.send(GET);
  await until(() => origin.requests.length === 1, 'the request is under way');
  await gateway.edit({
    ...config,
    acls: { none: { default: 'deny' } },
    listeners: { web: { address: '127.0.0.1:0', acl: 'none' } },
  });
  await idle.end();
  expect(idle.text).toBe('');
  release();
  expect((await busy.response()).body).toBe('late');
  const refused = await busy.send(GET).response();
  expect([refused.status, refused.headers['connection']]).toEqual([403, 'close']);
  await busy.end();
  expect((await get(gateway.port())).status).toBe(403);
});

test('connections that come while a config is being taken up are served by it', async () => {
  await using origin = await httpOrigin();
  const config = simpleConfig(origin.port);
  await using gateway = await testGateway(config);
  for (let i = 0; i < 20; i++) {
    const edited = gateway.edit({ ...config, routes: FIXED(`v${i}`) });
    const during = await Promise.all(Array.from({ length: 5 }, () => get(gateway.port(), '/x')));
    for (const { status, body } of during) {
      expect(status).toBe(200);
      expect(['ok /x', `v${i - 1}`, `v${i}`]).toContain(body);
    }
    await edited;
    expect((await get(gateway.port())).body).toBe(`v${i}`);
  }
});

test('a tcp listener that is removed keeps the connections it has', async () => {
  await using origin = await rawOrigin((socket) => socket.pipe(socket));
  const config = {
    version: 1,
    listeners: { db: { address: '127.0.0.1:0', protocol: 'tcp', pool: 'origin' } },
    pools: { origin: { endpoints: [`127.0.0.1:${origin.port}`] } },
  };
  await using gateway = await testGateway(config);
  await using client = await RawClient.to(gateway.port('db'));
  client.send('one');
  await until(() => client.text === 'one', 'the echo comes');
  await gateway.edit({ ...config, listeners: { other: { address: '127.0.0.1:0' } } });
  client.send('two');
  await until(() => client.text === 'onetwo', 'the echo still comes');
  expect(gateway.running.gateway.snapshots.map(({ leases }) => leases)).toEqual([0, 1]);
  client.socket.end();
  await until(() => gateway.running.gateway.snapshots.length === 1, 'the old generation ends with it');
});

test('half a request head from before an edit is finished under the new config', async () => {
  await using origin = await rawOrigin(answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  const config = simpleConfig(origin.port);
  await using gateway = await testGateway(config);
  await using client = await RawClient.to(gateway.port());
  client.send(GET.slice(0, 20));
  await gateway.edit({ ...config, routes: FIXED('new') });
  expect((await client.send(GET.slice(20)).response()).body).toBe('new');
});
