/** What a client may ask at most, and what it gets beyond. */
import net from 'node:net';
import { describe, expect, test } from 'vitest';
import { simpleConfig, testGateway, until } from '../support/gateway.ts';
import { answering, httpOrigin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';

function limited(originPort: number, limits: object, more: Record<string, unknown> = {}): Record<string, unknown> {
  return simpleConfig(originPort, { listeners: { web: { address: '127.0.0.1:0', limits } }, ...more });
}

describe('requests', () => {
  test.each([
    ['uri_size', { uri_size: 100 }, `GET /${'a'.repeat(120)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
    ['header_size', { header_size: '1KiB' }, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(1100)}\r\n\r\n`, 431],
    ['header_size without an end', { header_size: '1KiB' }, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(2000)}`, 431],
    ['header_count', { header_count: 5 }, `GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(6)}\r\n`, 431],
    ['body_size, as announced', { body_size: 10 }, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n', 413],
  ])('%s', async (_, limits, text, status) => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway(limited(origin.port, limits));
    await using client = await RawClient.to(gateway.port());
    const response = await client.send(text).response();
    expect([response.status, response.headers['connection']]).toEqual([status, 'close']);
    await client.end();
    expect(origin.requests).toHaveLength(0);
  });

  test('just within them a request passes', async () => {
    await using origin = await httpOrigin();
    const limits = { uri_size: 100, header_size: 300, header_count: 5, body_size: 10 };
    await using gateway = await testGateway(limited(origin.port, limits));
    await using client = await RawClient.to(gateway.port());
    const head = `POST /${'a'.repeat(99)} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nX: 1\r\nX: 2\r\nX: 3\r\n\r\n`;
    expect((await client.send(`${head}0123456789`).response()).status).toBe(200);
  });

  test('body_size as it comes in chunks: 413, and the origin never sees a whole request', async () => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway(limited(origin.port, { body_size: 10 }));
    await using client = await RawClient.to(gateway.port());
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n');
    await until(() => origin.received.length === 1, 'the first part is on its way');
    expect((await client.send('8\r\n12345678\r\n').response()).status).toBe(413);
    await client.end();
    expect(origin.requests).toHaveLength(0);
  });

  test('an expectation that nobody knows is 417', async () => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway(simpleConfig(origin.port));
    await using client = await RawClient.to(gateway.port());
    const text = 'POST / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\nContent-Length: 1\r\n\r\n';
    expect((await client.send(text).response()).status).toBe(417);
  });
});

describe('connections', () => {
  const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

  test.each([
    ['of a listener', 503, { listeners: { web: { address: '127.0.0.1:0', limits: { connections: 2 } } } }],
    ['of a client', 429, { listeners: { web: { address: '127.0.0.1:0', limits: { connections_per_client: 2 } } } }],
    ['of the gateway', 503, { limits: { connections: 2 } }],
  ])('one too many %s is told so with a %i, and there is room again when one ends', async (_, status, more) => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway(simpleConfig(origin.port, { admin: { address: '127.0.0.1:0' }, ...more }));
    await using first = await RawClient.to(gateway.port());
    await using second = await RawClient.to(gateway.port());
    expect((await first.send(GET).response()).status).toBe(200);
    expect((await second.send(GET).response()).status).toBe(200);
    await using third = await RawClient.to(gateway.port());
    const refused = await third.response();
    expect([refused.status, refused.headers['connection'], refused.headers['retry-after']]).toEqual([
      status,
      'close',
      '1',
    ]);
    await third.end();
    const metrics = (await get(gateway.adminPort(), '/metrics')).body;
    expect(metrics).toContain('prozy_listener_refused_total{listener="web",reason="limit"} 1');
    expect(metrics).toContain('prozy_listener_connections{listener="web"} 2');
    first.socket.destroy();
    await until(() => gateway.running.gateway.metrics.listener('web').active === 1, 'the first is gone');
    await using fourth = await RawClient.to(gateway.port());
    expect((await fourth.send(GET).response()).status).toBe(200);
  });

  test('max_connections of a pool: 503 while all are taken', async () => {
    await using origin = await rawOrigin(() => {});
    const pools = { origin: { endpoints: [`127.0.0.1:${origin.port}`], max_connections: 1, queue: { depth: 0 } } };
    await using gateway = await testGateway(simpleConfig(origin.port, { pools }));
    await using first = await RawClient.to(gateway.port());
    first.send(GET);
    await until(() => origin.received.length === 1, 'the only connection is taken');
    expect((await get(gateway.port())).status).toBe(503);
    expect(origin.received).toHaveLength(1);
  });

  test('keepalive.connections: no more idle ones are kept than it says', async () => {
    await using origin = await rawOrigin(answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
    const pools = { origin: { endpoints: [`127.0.0.1:${origin.port}`], keepalive: { connections: 1 } } };
    await using gateway = await testGateway(simpleConfig(origin.port, { pools, admin: { address: '127.0.0.1:0' } }));
    await Promise.all(Array.from({ length: 8 }, () => get(gateway.port())));
    const [backend] = JSON.parse((await get(gateway.adminPort(), '/backends')).body) as {
      idle: number;
      open: number;
    }[];
    expect([backend!.idle, backend!.open]).toEqual([1, 1]);
  });

  test('a flood of connections that never speak costs no more than its place', async () => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway(limited(origin.port, { connections: 50 }));
    const sockets = Array.from({ length: 300 }, () => net.connect(gateway.port(), '127.0.0.1').on('error', () => {}));
    await until(() => gateway.running.gateway.metrics.listener('web').refusedByLimit === 250, 'all have been accepted');
    for (const socket of sockets) socket.destroy();
    await until(() => gateway.running.gateway.metrics.listener('web').active === 0, 'all are gone');
    expect((await get(gateway.port())).status).toBe(200);
  });
});
