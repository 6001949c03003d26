/** Listeners come, go and move while the gateway runs; connections stay where they may. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { simpleConfig, testGateway, until } from '../support/gateway.ts';
import { answering, httpOrigin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { freePort } from '../support/ports.ts';
import { get } from '../support/requests.ts';
import { chat, chatOrigin, echoes } from '../support/streams.ts';

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

describe('a name is not an address', () => {
  const web = (address: string, more: object = {}): object => ({ address, ...more });
  const named = (names: Record<string, object>, more: object = {}): Record<string, unknown> => ({
    version: 1,
    listeners: names,
    routes: Object.keys(names).map((name) => ({ name, listeners: [name], match: {}, respond: { body: name } })),
    ...more,
  });
  const ask = async (client: RawClient): Promise<string> => (await client.send(GET).response()).body;

  test('one renamed keeps its socket and its connections, which meet the new name', async () => {
    const port = await freePort();
    await using gateway = await testGateway(named({ old: web(`127.0.0.1:${port}`) }));
    await using client = await RawClient.to(port);
    expect(await ask(client)).toBe('old');
    await gateway.edit(named({ young: web(`127.0.0.1:${port}`, { limits: { connections: 1 } }) }));
    expect(gateway.running.reloader.reloads.last).toMatchObject({ result: 'applied' });
    expect(await ask(client)).toBe('young');
    const { metrics } = gateway.running.gateway;
    expect(metrics.listener('young').active).toBe(1);
    // The connection counts where it belongs.
    await using second = await RawClient.to(port);
    expect((await second.send(GET).response()).status).toBe(503);
    client.socket.destroy();
    await until(() => metrics.listener('young').active === 0, 'it is over');
    expect((await get(port)).body).toBe('young');
  });

  test('two swap their addresses; each connection meets what serves where it is connected', async () => {
    const [one, two] = [await freePort(), await freePort()];
    const of = (a: number, b: number) => named({ a: web(`127.0.0.1:${a}`), b: web(`127.0.0.1:${b}`) });
    await using gateway = await testGateway(of(one, two));
    await using atOne = await RawClient.to(one);
    await using atTwo = await RawClient.to(two);
    expect([await ask(atOne), await ask(atTwo)]).toEqual(['a', 'b']);
    await gateway.edit(of(two, one));
    expect([(await get(one)).body, (await get(two)).body]).toEqual(['b', 'a']);
    expect([await ask(atOne), await ask(atTwo)]).toEqual(['b', 'a']);
  });

  test('a stream goes over to the renamed listener', async () => {
    await using origin = await chatOrigin();
    const port = await freePort();
    const of = (name: string) => simpleConfig(origin.port, { listeners: { [name]: web(`127.0.0.1:${port}`) } });
    await using gateway = await testGateway(of('old'));
    await using stream = await chat(port);
    await gateway.edit(of('young'));
    await echoes(stream);
    expect(gateway.running.gateway.snapshots.map(({ leases }) => leases)).toEqual([1]);
  });

  test('http becomes tcp at one address and back: idle connections end, new ones meet what is there', async () => {
    await using origin = await rawOrigin((socket) => socket.pipe(socket));
    const port = await freePort();
    const pools = { origin: { endpoints: [`127.0.0.1:${origin.port}`] } };
    const http = { ...named({ web: web(`127.0.0.1:${port}`) }), pools };
    await using gateway = await testGateway(http);
    await using idle = await RawClient.to(port);
    expect(await ask(idle)).toBe('web');
    await gateway.edit({
      ...named({}),
      listeners: { db: web(`127.0.0.1:${port}`, { protocol: 'tcp', pool: 'origin' }) },
      pools,
    });
    await idle.end();
    await using raw = await RawClient.to(port);
    raw.send('one');
    await until(() => raw.text === 'one', 'the echo comes');
    await gateway.edit(http);
    raw.send('two');
    await until(() => raw.text === 'onetwo', 'the relay goes on');
    expect((await get(port)).body).toBe('web');
    raw.socket.destroy();
    await until(() => gateway.running.gateway.snapshots.length === 1, 'the relay is over');
  });

  test('a Unix socket keeps its file when its listener is renamed', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'prozy-')), 's');
    await using gateway = await testGateway(named({ old: web(`unix:${path}`) }));
    await gateway.edit(named({ young: web(`unix:${path}`) }));
    const body = await new Promise<string>((resolve, reject) => {
      http
        .get({ socketPath: path }, (response) => void response.on('data', (part) => resolve(String(part))))
        .on('error', reject);
    });
    expect(body).toBe('young');
    rmSync(dirname(path), { recursive: true });
  });

  test('the admin listener changes places with a listener, and keeps its connections', async () => {
    const [one, two] = [await freePort(), await freePort()];
    const of = (at: number, admin: number) =>
      named({ web: web(`127.0.0.1:${at}`) }, { admin: { address: `127.0.0.1:${admin}` } });
    await using gateway = await testGateway(of(one, two));
    await using operator = await RawClient.to(two);
    const HEALTH = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n';
    expect((await operator.send(HEALTH).response()).status).toBe(200);
    await gateway.edit(of(two, one));
    expect([(await get(two)).body, (await get(one, '/health')).status]).toEqual(['web', 200]);
    expect((await operator.send(HEALTH).response()).status).toBe(200);
    await gateway.edit(of(one, two));
    expect([(await get(one)).body, (await get(two, '/health')).status]).toEqual(['web', 200]);
  });

  test('one address of a port becomes all of them, and back; what connects meanwhile is served', async () => {
    const port = await freePort();
    const of = (host: string) => named({ web: web(`${host}:${port}`) });
    await using gateway = await testGateway(of('127.0.0.1'));
    await using client = await RawClient.to(port);
    for (const host of ['0.0.0.0', '127.0.0.1', 'localhost']) {
      await gateway.edit(of(host));
      expect(gateway.running.reloader.reloads.last).toMatchObject({ result: 'applied' });
      expect((await get(port)).body).toBe('web');
      expect(await ask(client)).toBe('web');
    }
  });

  test('every address that cannot be had is told of with its place, and what stood in the way is back', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port: busy } = taken.address() as net.AddressInfo;
    const port = await freePort();
    await using gateway = await testGateway(named({ web: web(`127.0.0.1:${port}`) }));
    await gateway.edit(
      named({ web: web(`127.0.0.1:${port}`), busy: web(`127.0.0.1:${busy}`), far: web(`192.0.2.1:${port}`) }),
    );
    const { problems } = gateway.running.reloader.reloads.last!;
    expect(problems.map(({ pointer, message, line }) => [pointer, message, line > 0])).toEqual([
      [
        '/listeners/busy/address',
        `listener busy cannot have 127.0.0.1:${busy}: EADDRINUSE, something else listens there`,
        true,
      ],
      [
        '/listeners/far/address',
        `listener far cannot have 192.0.2.1:${port}: EADDRNOTAVAIL, this machine has no such address`,
        true,
      ],
    ]);
    expect((await get(port)).body).toBe('web');
    expect(problems).toHaveLength(2);
    // Only now is the port given up for all addresses; another still stands in the way of that.
    const other = net.createServer().listen(port, '127.0.0.3');
    await once(other, 'listening');
    await gateway.edit(named({ all: web(`0.0.0.0:${port}`) }));
    expect(gateway.running.reloader.reloads.last?.problems.map(({ pointer }) => pointer)).toEqual([
      '/listeners/all/address',
    ]);
    expect((await get(port)).body).toBe('web');
    other.close();
    taken.close();
  });
});
