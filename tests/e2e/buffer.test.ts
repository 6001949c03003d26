/** The buffer policy: nothing of a backend is taken before the whole body is there, and it can be sent again. */
import { describe, expect, test } from 'vitest';
import { FaultOrigin } from '../support/fault-origin.ts';
import { poolLoad, simpleConfig, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type HttpOrigin, httpOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';

type Parts = Readonly<Record<string, unknown>>;

function config(ports: readonly number[], { buffer = {}, route = {}, pool = {}, ...more }: Record<string, Parts> = {}) {
  const endpoints = ports.map((port) => `127.0.0.1:${port}`);
  return simpleConfig(0, {
    pools: { origin: { endpoints, health: { passive: { failures: 0 } }, ...pool } },
    routes: [{ name: 'all', match: {}, policies: [{ type: 'buffer', ...buffer }], pool: 'origin', ...route }],
    ...more,
  });
}

/** Answers with the request's body. */
function echo(): Promise<HttpOrigin> {
  return httpOrigin((request, response) => void response.end(request.body));
}

/** Bytes of request bodies that requests under way have sent. */
function bytesIn({ running: { gateway } }: TestGateway): number {
  return [...gateway.current!.holders].reduce((sum, holder) => sum + holder.view().bytesIn, 0);
}

const POST = 'POST / HTTP/1.1\r\nHost: a\r\n';
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

describe('the body', () => {
  test('is read before an endpoint is chosen, and sent with its length', async () => {
    await using origin = await echo();
    await using gateway = await testGateway(config([origin.port], { pool: { max_requests: 1 } }));
    await using client = await RawClient.to(gateway.port());
    client.send(`${CHUNKED}${chunk('hello ')}`);
    await until(() => gateway.running.gateway.current!.leases === 1, 'the request has begun');
    // The one place of the pool is free for others meanwhile.
    expect((await get(gateway.port())).status).toBe(200);
    expect([poolLoad(gateway, 'origin').active, origin.requests.length]).toEqual([0, 1]);
    client.send(`${chunk('world')}0\r\nX-Trailer: 1\r\n\r\n`);
    expect((await client.response()).body).toBe('hello world');
    const { headers, body } = origin.requests[1]!;
    expect([body, headers['content-length'], headers['transfer-encoding']]).toEqual(['hello world', '11', undefined]);
  });

  test.each([
    ['Content-Length: 0\r\n\r\n', '0'],
    ['Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n', '0'],
    ['\r\n', undefined],
  ])('may be empty: %j', async (rest, length) => {
    await using origin = await echo();
    await using gateway = await testGateway(config([origin.port]));
    await using client = await RawClient.to(gateway.port());
    client.send(POST + rest).send('GET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    expect([(await client.response()).status, (await client.response()).status]).toEqual([200, 200]);
    expect(origin.requests[0]!.headers['content-length']).toBe(length);
    expect(origin.requests[0]!.headers['transfer-encoding']).toBeUndefined();
  });

  test('may be large, of a slow client and for a slow backend, and another follows on the connection', async () => {
    await using origin = await echo();
    await using gateway = await testGateway(config([origin.port], { buffer: { size: '8MiB' } }));
    await using client = await RawClient.to(gateway.port());
    const body = '0123456789abcdef'.repeat(300_000);
    for (let i = 0; i < 2; i++) {
      client.send(`${POST}Content-Length: ${body.length}\r\n\r\n${body}`);
      expect((await client.response()).body === body).toBe(true);
    }
  });
});

describe('a body that is too large', () => {
  test('is refused at once if its length says so, without a 100', async () => {
    await using origin = await echo();
    await using gateway = await testGateway(config([origin.port], { buffer: { size: 10 } }));
    await using client = await RawClient.to(gateway.port());
    client.send(`${POST}Content-Length: 11\r\nExpect: 100-continue\r\n\r\n`);
    expect((await client.response()).status).toBe(413);
    await using fine = await RawClient.to(gateway.port());
    fine.send(`${POST}Content-Length: 10\r\n\r\n0123456789`);
    expect((await fine.response()).body).toBe('0123456789');
    expect(origin.requests).toHaveLength(1);
  });

  test('is refused when the limit is exceeded if it is chunked', async () => {
    await using origin = await echo();
    await using gateway = await testGateway(config([origin.port], { buffer: { size: 10 } }));
    await using client = await RawClient.to(gateway.port());
    client.send(`${CHUNKED}${chunk('0123456789')}`);
    await until(() => gateway.running.gateway.current!.leases === 1, 'the request has begun');
    expect(client.text).toBe('');
    client.send(chunk('x'));
    expect((await client.response()).status).toBe(413);
    await until(() => client.ended, 'the connection ends, for the rest is not read');
    expect(origin.requests).toHaveLength(0);
  });
});

describe('Expect', () => {
  test('is met by the gateway, and not sent to the backend', async () => {
    await using origin = await echo();
    await using gateway = await testGateway(config([origin.port]));
    await using client = await RawClient.to(gateway.port());
    client.send(`${POST}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n`);
    expect((await client.response()).status).toBe(100);
    expect(origin.received).toHaveLength(0);
    client.send('hello');
    expect((await client.response()).body).toBe('hello');
    expect(origin.requests[0]!.headers['expect']).toBeUndefined();
  });

  test('is not met if a policy in front refuses the request', async () => {
    const acls = { closed: { default: 'deny' } };
    const policies = [{ type: 'acl', acl: 'closed' }, { type: 'buffer' }];
    await using gateway = await testGateway(config([1], { acls, route: { policies } }));
    await using client = await RawClient.to(gateway.port());
    client.send(`${POST}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n`);
    expect((await client.response()).status).toBe(403);
  });
});

describe('a further attempt', () => {
  const body = 'x'.repeat(300_000);
  const retries = { non_idempotent: true, body_size: '1KiB' };

  test.each(['close', 'refuse'] as const)('after %s sends the whole body again, of any size', async (fault) => {
    await using ill = await FaultOrigin.open();
    await ill.become(fault);
    await using well = await echo();
    await using gateway = await testGateway(config([ill.port, well.port], { pool: { retries } }));
    const answer = await get(gateway.port(), '/', { method: 'POST', body });
    expect([answer.status, answer.body === body]).toEqual([200, true]);
  });

  test('of a POST that was sent needs the permission', async () => {
    await using ill = await FaultOrigin.open();
    ill.fault = 'close';
    await using well = await echo();
    for (const [method, status] of [
      ['POST', 502],
      ['PUT', 200],
    ] as const) {
      await using gateway = await testGateway(config([ill.port, well.port]));
      expect((await get(gateway.port(), '/', { method, body })).status).toBe(status);
    }
    expect([ill.requests, well.requests.length]).toEqual([2, 1]);
  });

  test('without the policy, a body of that size is not sent again', async () => {
    await using ill = await FaultOrigin.open();
    ill.fault = 'close';
    await using well = await echo();
    const route = { policies: [] };
    await using gateway = await testGateway(config([ill.port, well.port], { pool: { retries }, route }));
    expect((await get(gateway.port(), '/', { method: 'PUT', body })).status).toBe(502);
  });

  test('mirrors one copy', async () => {
    await using ill = await FaultOrigin.open();
    ill.fault = 'close';
    await using well = await echo();
    await using shadow = await echo();
    const pools = {
      origin: { endpoints: [`127.0.0.1:${ill.port}`, `127.0.0.1:${well.port}`], retries },
      shadow: { endpoints: [`127.0.0.1:${shadow.port}`] },
    };
    const route = { mirror: { pool: 'shadow', body_size: '1MiB' } };
    await using gateway = await testGateway(config([], { pools, route }));
    expect((await get(gateway.port(), '/', { method: 'POST', body })).status).toBe(200);
    await until(() => shadow.requests.length === 1, 'the copy has arrived');
    expect(shadow.requests[0]!.body === body).toBe(true);
  });
});

describe('the memory for bodies', () => {
  const limits = { buffer_memory: '150KB' };

  test('is bounded over all requests, and free when they end', async () => {
    await using origin = await echo();
    await using gateway = await testGateway(config([origin.port], { limits }));
    await using first = await RawClient.to(gateway.port());
    first.send(`${POST}Content-Length: 100000\r\n\r\n${'x'.repeat(90_000)}`);
    await until(() => bytesIn(gateway) === 90_000, 'most of its body has arrived');
    const refused = await get(gateway.port(), '/', { method: 'POST', body: 'x'.repeat(100_000) });
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1']);
    const metrics = await gateway.running.gateway.exposition.text();
    const used = Number(/^prozy_buffered_body_bytes (\d+)$/m.exec(metrics)![1]);
    expect(used).toBeGreaterThanOrEqual(90_000);
    expect(used).toBeLessThanOrEqual(100_000);
    first.send('x'.repeat(10_000));
    expect((await first.response()).status).toBe(200);
    expect((await get(gateway.port(), '/', { method: 'POST', body: 'x'.repeat(100_000) })).status).toBe(200);
  });

  test('is free when clients leave, stall or send too much', async () => {
    const clock = new ManualClock();
    await using origin = await echo();
    const listeners = { web: { address: '127.0.0.1:0', timeouts: { body: '5s' } } };
    const buffer = { size: '90KB' };
    await using gateway = await testGateway(config([origin.port], { limits, listeners, buffer }), { clock });
    const begun = (): boolean => bytesIn(gateway) > 0;
    const over = (): boolean => gateway.running.gateway.current!.leases === 0;
    for (let i = 0; i < 3; i++) {
      {
        await using gone = await RawClient.to(gateway.port());
        gone.send(`${POST}Content-Length: 80000\r\n\r\n${'x'.repeat(70_000)}`);
        await until(begun, 'it has begun');
      }
      await until(over, 'the client that left is forgotten');
      await using slow = await RawClient.to(gateway.port());
      slow.send(`${CHUNKED}${chunk('x'.repeat(60_000))}`);
      await until(begun, 'it has begun');
      clock.advance(6000);
      expect((await slow.response()).status).toBe(408);
      const large = await get(gateway.port(), '/', {
        method: 'POST',
        headers: { 'transfer-encoding': 'chunked' },
        body: 'x'.repeat(91_000),
      });
      expect(large.status).toBe(413);
    }
    expect((await get(gateway.port(), '/', { method: 'POST', body: 'x'.repeat(90_000) })).status).toBe(200);
    expect(gateway.running.gateway.bufferedBytes).toBe(0);
  });
});

test('a body may take minutes, as long as the client does not pause for too long', async () => {
  const clock = new ManualClock();
  await using origin = await echo();
  await using gateway = await testGateway(config([origin.port]), { clock });
  await using client = await RawClient.to(gateway.port());
  client.send(CHUNKED);
  for (let i = 1; i <= 10; i++) {
    client.send(chunk('x'));
    await until(() => bytesIn(gateway) >= 6 * i, 'the part has arrived');
    clock.advance(50_000);
  }
  client.send('0\r\n\r\n');
  expect((await client.response()).body).toBe('x'.repeat(10));
});

test('a reload that leaves the route alone does not disturb a body on its way', async () => {
  await using origin = await echo();
  const before = config([origin.port]);
  await using gateway = await testGateway(before);
  await using client = await RawClient.to(gateway.port());
  client.send(`${CHUNKED}${chunk('hello ')}`);
  await until(() => gateway.running.gateway.current!.leases === 1, 'the request has begun');
  await gateway.edit({ ...before, logging: { level: 'warn' } });
  expect(gateway.running.gateway.snapshots).toHaveLength(1);
  client.send(`${chunk('world')}0\r\n\r\n`);
  expect((await client.response()).body).toBe('hello world');
});
