/** Upgrades: an exchange becomes a tunnel after the backend's 101, and not before. */
import { createHash, randomBytes } from 'node:crypto';
import type net from 'node:net';
import { describe, expect, test } from 'vitest';
import { originServer } from '../../examples/origin-server/server.ts';
import { poolLoad, simpleConfig, testGateway, until } from '../support/gateway.ts';
import { answering, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get, getJson } from '../support/requests.ts';

const OFFER = 'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: chat/2, chat/1\r\n\r\n';
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: chat/1\r\n\r\n';

test('bytes that either side sends right behind its head are part of the tunnel', async () => {
  await using origin = await rawOrigin((socket) => {
    socket.once('data', () => {
      socket.write(`${SWITCH}first`);
      socket.on('data', (part: Buffer) => socket.write(part));
      socket.on('end', () => socket.end('last'));
    });
  });
  await using gateway = await testGateway(simpleConfig(origin.port));
  await using client = await RawClient.to(gateway.port());
  const response = await client.send(`${OFFER}early`).response();
  expect([response.status, response.headers['upgrade'], response.headers['connection']]).toEqual([
    101,
    'chat/1',
    'Upgrade',
  ]);
  await until(() => client.text.endsWith('firstearly'), 'both have been heard');
  expect(Buffer.concat(origin.received[0]!).toString()).toMatch(/\r\n\r\nearly$/);
  client.send('late').socket.end();
  await client.end();
  expect(client.text).toMatch(/firstearlylatelast$/);
});

test('a client may end right behind its request: the backend gets its bytes, then the end, and may still answer', async () => {
  await using origin = await rawOrigin((socket) => {
    socket.once('data', () => socket.write(SWITCH));
    socket.on('end', () => socket.end('bye'));
  });
  await using gateway = await testGateway(simpleConfig(origin.port));
  for (const early of ['', 'early', 'x'.repeat(200_000)]) {
    await using client = await RawClient.to(gateway.port());
    client.send(`${OFFER}${early}`).socket.end();
    await client.end();
    expect(client.text).toMatch(/^HTTP\/1\.1 101 [^]*bye$/);
    expect(Buffer.concat(origin.received.at(-1)!).toString().split('\r\n\r\n')[1]).toBe(early);
  }
});

describe('a tunnel that closes leaves nothing open', () => {
  const closings: readonly [string, (client: RawClient, backend: net.Socket) => Promise<void>][] = [
    [
      'the client ends first',
      async (client, backend) => {
        client.socket.end();
        await until(() => backend.readableEnded, 'the backend is told');
        backend.end();
      },
    ],
    [
      'the backend ends first',
      async (client, backend) => {
        backend.end();
        await client.end();
        client.socket.end();
      },
    ],
    ['the client breaks it', async (client) => void client.socket.resetAndDestroy()],
    ['the backend breaks it', async (_, backend) => void backend.resetAndDestroy()],
  ];

  test.each(closings)('%s', async (_, close) => {
    const backends: net.Socket[] = [];
    const answer = answering(SWITCH, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    await using origin = await rawOrigin((socket) => {
      backends.push(socket);
      answer(socket);
    });
    const listeners = { web: { address: '127.0.0.1:0', limits: { connections: 1 } } };
    const pools = { origin: { endpoints: [`127.0.0.1:${origin.port}`], max_connections: 1 } };
    await using gateway = await testGateway(simpleConfig(origin.port, { listeners, pools }));
    const { current, timed } = gateway.running.gateway;
    await using client = await RawClient.to(gateway.port());
    await client.send(OFFER).response();
    const load = poolLoad(gateway, 'origin');
    expect([current!.leases, load.active, load.connections, load.idle]).toEqual([1, 1, 1, 0]);
    // The client's connection still counts towards the listener's limit, though it no longer speaks HTTP.
    await using second = await RawClient.to(gateway.port());
    expect((await second.response()).status).toBe(503);

    await close(client, backends[0]!);
    await until(() => current!.leases === 0 && client.closed && backends[0]!.closed, 'the tunnel is closed');
    expect([load.active, load.connections, load.idle, client.closed, backends[0]!.closed]).toEqual([
      0,
      0,
      0,
      true,
      true,
    ]);
    second.socket.destroy();
    await until(() => gateway.running.gateway.timed === timed, 'no deadline is left');
    // There is room again on both sides.
    await using third = await RawClient.to(gateway.port());
    expect((await third.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').response()).status).toBe(200);
  });

  test('the end of one frees its place in the pool for a request that waits', async () => {
    await using origin = await rawOrigin(answering(SWITCH));
    const pools = { origin: { endpoints: [`127.0.0.1:${origin.port}`], max_connections: 1 } };
    await using gateway = await testGateway(simpleConfig(origin.port, { pools }));
    await using first = await RawClient.to(gateway.port());
    await first.send(OFFER).response();
    await using second = await RawClient.to(gateway.port());
    second.send(OFFER);
    await until(() => poolLoad(gateway, 'origin').queue.length === 1, 'the second waits');
    first.socket.resetAndDestroy();
    expect((await second.response()).status).toBe(101);
    expect(poolLoad(gateway, 'origin').connections).toBe(1);
  });
});

test('an ordinary answer is an ordinary answer, and the connection goes on', async () => {
  await using origin = await rawOrigin(
    answering(
      'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    ),
  );
  await using gateway = await testGateway(simpleConfig(origin.port));
  await using client = await RawClient.to(gateway.port());
  expect((await client.send(OFFER).response()).body).toBe('no');
  expect((await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').response()).body).toBe('ok');
});

test.each([
  ['that was not offered', SWITCH.replace('chat/1', 'smtp'), OFFER],
  ['when none was offered', SWITCH, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['without a name', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\r\n', OFFER],
])('a 101 to a protocol %s is a bad response', async (_, answer, request) => {
  await using origin = await rawOrigin(answering(answer));
  await using gateway = await testGateway(simpleConfig(origin.port));
  await using client = await RawClient.to(gateway.port());
  expect((await client.send(request).response()).status).toBe(502);
});

test('it is seen: a lease, a tunnel, a busy connection while it lasts, and nothing after', async () => {
  await using origin = await rawOrigin(answering(SWITCH));
  await using gateway = await testGateway(simpleConfig(origin.port, { admin: { address: '127.0.0.1:0' } }));
  const client = await RawClient.to(gateway.port());
  await client.send(OFFER).response();
  const { generations } = await getJson<{ generations: { leases: number }[] }>(gateway.adminPort(), '/generations');
  expect(generations.map(({ leases }) => leases)).toEqual([1]);
  const backend = async () =>
    (await getJson<{ active: number; open: number; idle: number }[]>(gateway.adminPort(), '/backends'))[0];
  expect(await backend()).toMatchObject({ active: 1, open: 1, idle: 0 });
  expect((await get(gateway.adminPort(), '/metrics')).body).toContain('prozy_tunnels{listener="web"} 1');
  client.socket.resetAndDestroy();
  await until(() => gateway.running.gateway.current!.leases === 0, 'the lease is released');
  expect(await backend()).toMatchObject({ active: 0, open: 0, idle: 0 });
  expect((await get(gateway.adminPort(), '/metrics')).body).toContain('prozy_tunnels{listener="web"} 0');
});

test('a real WebSocket client talks to a real WebSocket server through it', async () => {
  const server = originServer().listen(0, '127.0.0.1');
  await until(() => server.listening, 'the server listens');
  const { port } = server.address() as { port: number };
  await using gateway = await testGateway(simpleConfig(port));
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port()}/socket`);
  await new Promise((resolve) => socket.addEventListener('open', resolve));
  for (const size of [0, 1, 125, 126, 65_535, 65_536, 300_000]) {
    const sent = randomBytes(size).toString('hex');
    const answer = new Promise<string>((resolve) =>
      socket.addEventListener('message', ({ data }) => resolve(String(data)), { once: true }),
    );
    socket.send(sent);
    const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
    expect(digest(await answer)).toBe(digest(sent));
  }
  const closed = new Promise<number>((resolve) => socket.addEventListener('close', ({ code }) => resolve(code)));
  socket.close(1000);
  expect(await closed).toBe(1000);
  server.close();
  server.closeAllConnections();
});
