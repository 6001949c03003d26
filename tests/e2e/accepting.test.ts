/** As many connections as there are file descriptors for: who comes later waits with the system, and nobody is refused. */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { simpleConfig, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

async function clients(gateway: TestGateway, count: number): Promise<RawClient[]> {
  const all: RawClient[] = [];
  for (let i = 0; i < count; i++) {
    const client = await RawClient.to(gateway.port());
    client.send(GET);
    all.push(client);
  }
  return all;
}

async function clientAt(path: string): Promise<RawClient> {
  const socket = net.connect({ path, allowHalfOpen: true });
  await once(socket, 'connect');
  return new RawClient(socket);
}

const said = (gateway: TestGateway): unknown[] =>
  gateway.logged.map(({ event }) => event).filter((event) => /descriptors|again/.test(String(event)));

function active({ running: { gateway } }: TestGateway, listener = 'web'): number {
  return gateway.metrics.listener(listener).active;
}

test('those beyond wait, and are served when others have gone', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(simpleConfig(origin.port), { connectionsPossible: 4 });
  const all = await clients(gateway, 10);
  await until(() => active(gateway) === 4, 'four are accepted');
  const answered = await Promise.all(all.slice(0, 4).map((client) => client.response()));
  expect(answered.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect([origin.requests.length, active(gateway)]).toEqual([4, 4]);
  for (const client of all.slice(0, 4)) client.socket.destroy();
  for (const client of all.slice(4, 8)) expect((await client.response()).status).toBe(200);
  for (const client of all.slice(4, 8)) client.socket.destroy();
  for (const client of all.slice(8)) expect((await client.response()).status).toBe(200);
  for (const client of all.slice(8)) client.socket.destroy();
  const metrics = gateway.running.gateway.metrics.listener('web');
  await until(() => metrics.active === 0, 'all have gone');
  expect([metrics.accepted, metrics.refusedByLimit]).toEqual([10, 0]);
  // It was paused twice, and told once.
  expect(said(gateway)).toEqual(['no more file descriptors: new connections wait', 'connections are accepted again']);
});

test('a reload meanwhile: listeners that are kept, new ones and those that go', async () => {
  await using origin = await httpOrigin();
  const config = (...names: string[]): object =>
    simpleConfig(origin.port, {
      listeners: Object.fromEntries(names.map((name) => [name, { address: '127.0.0.1:0' }])),
    });
  await using gateway = await testGateway(config('web', 'gone'), { connectionsPossible: 2 });
  const all = await clients(gateway, 3);
  await until(() => active(gateway) === 2, 'two are accepted');
  await gateway.edit(config('web', 'fresh'));
  await using fresh = await RawClient.to(gateway.port('fresh'));
  fresh.send(GET);
  expect((await all[0]!.response()).status).toBe(200);
  expect(gateway.running.gateway.metrics.listener('fresh').accepted).toBe(0);
  for (const client of all.slice(0, 2)) client.socket.destroy();
  expect((await all[2]!.response()).status).toBe(200);
  all[2]!.socket.destroy();
  expect((await fresh.response()).status).toBe(200);
});

test('a tcp listener is paused like the others', async () => {
  await using origin = await httpOrigin();
  const config = {
    version: 1,
    listeners: { web: { address: '127.0.0.1:0', protocol: 'tcp', pool: 'origin' } },
    pools: { origin: { endpoints: [`127.0.0.1:${origin.port}`] } },
  };
  await using gateway = await testGateway(config, { connectionsPossible: 1 });
  const [first, second] = await clients(gateway, 2);
  expect((await first!.response()).status).toBe(200);
  expect(active(gateway)).toBe(1);
  first!.socket.destroy();
  expect((await second!.response()).status).toBe(200);
  second!.socket.destroy();
});

describe('what is not paused', () => {
  test('a limit of the config: 503', async () => {
    await using origin = await httpOrigin();
    const limits = { limits: { connections: 1 } };
    await using gateway = await testGateway(simpleConfig(origin.port, limits), { connectionsPossible: 100 });
    const [first, second] = await clients(gateway, 2);
    expect([(await first!.response()).status, (await second!.response()).status]).toEqual([200, 503]);
    expect(said(gateway)).toEqual([]);
    first!.socket.destroy();
  });

  test('a Unix socket: 503', async () => {
    await using origin = await httpOrigin();
    const path = join(tmpdir(), `prozy-accepting-${process.pid}.sock`);
    const listeners = { web: { address: `unix:${path}` } };
    await using gateway = await testGateway(simpleConfig(origin.port, { listeners }), { connectionsPossible: 1 });
    const first = await clientAt(path);
    first.send(GET);
    const second = await clientAt(path);
    second.send(GET);
    expect([(await first.response()).status, (await second.response()).status]).toEqual([200, 503]);
    first.socket.destroy();
    expect(active(gateway)).toBeLessThanOrEqual(1);
  });
});

test('the end while it is paused: nothing is left open', async () => {
  const open = (): number => readdirSync('/proc/self/fd').length;
  await using origin = await httpOrigin();
  const run = async (): Promise<void> => {
    const gateway = await testGateway(simpleConfig(origin.port), { connectionsPossible: 1 });
    const all = await clients(gateway, 3);
    await all[0]!.response();
    await gateway[Symbol.asyncDispose]();
    for (const client of all) client.socket.destroy();
    await until(() => all.every(({ socket }) => socket.closed), 'all are closed');
  };
  await run();
  const before = open();
  for (let i = 0; i < 5; i++) await run();
  await until(() => open() <= before, 'no descriptor is left');
});
