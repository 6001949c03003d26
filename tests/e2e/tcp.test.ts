/** TCP listeners: bytes both ways, as they are. */
import { createHash, randomBytes } from 'node:crypto';
import net from 'node:net';
import { expect, test } from 'vitest';
import { testGateway, until } from '../support/gateway.ts';
import { rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { stillness } from '../support/stillness.ts';
import { get } from '../support/requests.ts';

function tcp(endpoints: readonly (string | object)[], listener: object = {}, more: object = {}): object {
  return {
    version: 1,
    listeners: { db: { address: '127.0.0.1:0', protocol: 'tcp', pool: 'db', ...listener } },
    pools: { db: { endpoints } },
    ...more,
  };
}

test('the server may speak first', async () => {
  await using origin = await rawOrigin((socket) => socket.write('hello'));
  await using gateway = await testGateway(tcp([`127.0.0.1:${origin.port}`]));
  await using client = await RawClient.to(gateway.port('db'));
  await until(() => client.text === 'hello', 'the greeting comes');
});

test('each side may end while the other goes on', async () => {
  await using origin = await rawOrigin((socket) => {
    let got = '';
    socket.on('data', (part: Buffer) => (got += part.toString()));
    socket.on('end', () => {
      socket.write(`got ${got}`);
      socket.end();
    });
  });
  await using gateway = await testGateway(tcp([`127.0.0.1:${origin.port}`]));
  await using client = await RawClient.to(gateway.port('db'));
  client.send('all of it').socket.end();
  await client.end();
  expect(client.text).toBe('got all of it');

  await using early = await rawOrigin((socket) => socket.end('bye'));
  await using other = await testGateway(tcp([`127.0.0.1:${early.port}`]));
  await using talker = await RawClient.to(other.port('db'));
  await talker.end();
  talker.send('still talking').socket.end();
  await until(() => Buffer.concat(early.received[0]!).toString() === 'still talking', 'the server gets all of it');
});

test('megabytes arrive unchanged in both directions at once', async () => {
  await using origin = await rawOrigin((socket) => socket.pipe(socket));
  await using gateway = await testGateway(tcp([`127.0.0.1:${origin.port}`]));
  const block = randomBytes(1024 * 1024);
  const socket = net.connect(gateway.port('db'), '127.0.0.1').on('error', () => {});
  const sent = createHash('sha256');
  const got = createHash('sha256');
  let bytes = 0;
  socket.on('data', (part: Buffer) => {
    got.update(part);
    bytes += part.length;
  });
  for (let i = 0; i < 20; i++) {
    sent.update(block);
    if (!socket.write(block)) await new Promise((resolve) => socket.once('drain', resolve));
  }
  socket.end();
  await until(() => bytes === 20 * block.length, 'everything has come back');
  expect(got.digest('hex')).toBe(sent.digest('hex'));
});

test('a client that reads nothing stops the server, and memory does not grow', async () => {
  let taken = 0;
  await using origin = await rawOrigin((socket) => {
    const block = Buffer.alloc(1024 * 1024);
    const more = (): void => {
      while (!socket.destroyed && socket.write(block)) taken += block.length;
    };
    socket.on('drain', more);
    more();
  });
  await using gateway = await testGateway(tcp([`127.0.0.1:${origin.port}`]));
  await using client = await RawClient.to(gateway.port('db'));
  client.socket.pause();
  await stillness(() => taken);
  expect(taken).toBeLessThan(64 * 1024 * 1024);
});

test('an endpoint that refuses is passed over; when all do, the client is reset', async () => {
  await using origin = await rawOrigin((socket) => socket.write('here'));
  await using gateway = await testGateway(tcp(['127.0.0.1:1', `127.0.0.1:${origin.port}`]));
  for (let i = 0; i < 3; i++) {
    await using client = await RawClient.to(gateway.port('db'));
    await until(() => client.text === 'here', 'the other answers');
  }
  await using dead = await testGateway(tcp(['127.0.0.1:1']));
  const socket = net.connect(dead.port('db'), '127.0.0.1');
  const code = await new Promise((resolve) =>
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code)),
  );
  expect(code).toBe('ECONNRESET');
});

test('a reset on one side is a reset on the other', async () => {
  let upstream: net.Socket | null = null;
  await using origin = await rawOrigin((socket) => (upstream = socket));
  await using gateway = await testGateway(tcp([`127.0.0.1:${origin.port}`]));
  await using client = await RawClient.to(gateway.port('db'));
  await until(() => upstream !== null, 'both are joined');
  upstream!.resetAndDestroy();
  await until(() => client.closed, 'the client hears of it');
  expect(client.error).toBe('ECONNRESET');
});

test('an address that is not allowed, and one too many, are reset and counted', async () => {
  await using origin = await rawOrigin((socket) => socket.write('here'));
  const admin = { admin: { address: '127.0.0.1:0' } };
  const refusal = async (config: object): Promise<string> => {
    await using gateway = await testGateway(config);
    const first = net.connect(gateway.port('db'), '127.0.0.1').on('error', () => {});
    await new Promise((resolve) => first.on('data', resolve).on('close', resolve));
    const socket = net.connect(gateway.port('db'), '127.0.0.1');
    const code = await new Promise((resolve) =>
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code)),
    );
    expect(code).toBe('ECONNRESET');
    first.destroy();
    return (await get(gateway.adminPort(), '/metrics')).body;
  };
  const endpoints = [`127.0.0.1:${origin.port}`];
  const denied = await refusal(tcp(endpoints, { acl: 'none' }, { ...admin, acls: { none: { default: 'deny' } } }));
  expect(denied).toContain('prozy_listener_refused_total{listener="db",reason="acl"} 2');
  const full = await refusal(tcp(endpoints, { limits: { connections: 1 } }, admin));
  expect(full).toContain('prozy_listener_refused_total{listener="db",reason="limit"} 1');
});

test('least_connections counts tunnels', async () => {
  await using one = await rawOrigin((socket) => socket.write('1'));
  await using two = await rawOrigin((socket) => socket.write('2'));
  const config = {
    version: 1,
    listeners: { db: { address: '127.0.0.1:0', protocol: 'tcp', pool: 'db' } },
    pools: { db: { strategy: 'least_connections', endpoints: [`127.0.0.1:${one.port}`, `127.0.0.1:${two.port}`] } },
  };
  await using gateway = await testGateway(config);
  const clients: RawClient[] = [];
  for (let i = 0; i < 6; i++) {
    const client = await RawClient.to(gateway.port('db'));
    await until(() => client.text !== '', 'somebody answers');
    clients.push(client);
  }
  expect(
    clients
      .map(({ text }) => text)
      .toSorted()
      .join(''),
  ).toBe('111222');
  for (const client of clients) await client[Symbol.asyncDispose]();
});

test('a Unix socket can be listened on and dialled', async () => {
  await using origin = await rawOrigin((socket) => socket.pipe(socket));
  const path = `/tmp/prozy-test-${process.pid}.sock`;
  await using inner = await testGateway(tcp([`127.0.0.1:${origin.port}`], { address: `unix:${path}` }));
  await using outer = await testGateway(tcp([`unix:${path}`]));
  expect(inner.running.gateway.addressOf('db')!.path).toBe(path);
  await using client = await RawClient.to(outer.port('db'));
  client.send('through two');
  await until(() => client.text === 'through two', 'the echo comes');
});
