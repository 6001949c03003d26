/** What a route says over its listener and pool: timeouts, the size of bodies, retries. */
import { describe, expect, test } from 'vitest';
import { FaultOrigin } from '../support/fault-origin.ts';
import { testGateway, until } from '../support/gateway.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { httpOrigin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';

function config(ports: readonly number[], route: object, { listener = {}, pool = {} } = {}): Record<string, unknown> {
  return {
    version: 1,
    listeners: { web: { address: '127.0.0.1:0', ...listener } },
    pools: {
      origin: {
        endpoints: ports.map((port) => `127.0.0.1:${port}`),
        health: { passive: { failures: 0 } },
        ...pool,
      },
    },
    routes: [
      { name: 'own', match: { path: '/own' }, pool: 'origin', ...route },
      { name: 'rest', match: {}, pool: 'origin' },
    ],
  };
}

const post = (path: string, length: number): string =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;

describe('the size of a body', () => {
  test.each([
    ['more', '60', '20', 25, 200, 413],
    ['less', '5', '40', 8, 413, 200],
    ['none', '0', '10', 15, 200, 413],
    ['one where the listener has none', '5', '0', 8, 413, 200],
  ])('a route may have %s than its listener', async (_, own, others, length, atOwn, atRest) => {
    await using origin = await httpOrigin();
    const listener = { limits: { body_size: others } };
    await using gateway = await testGateway(config([origin.port], { limits: { body_size: own } }, { listener }));
    for (const [path, status] of [
      ['/own', atOwn],
      ['/rest', atRest],
    ] as const) {
      await using announced = await RawClient.to(gateway.port());
      announced.send(`${post(path, length)}${'x'.repeat(length)}`);
      expect((await announced.response()).status).toBe(status);
      await using chunked = await RawClient.to(gateway.port());
      const size = length.toString(16);
      chunked.send(`POST ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`);
      chunked.send(`${size}\r\n${'x'.repeat(length)}\r\n0\r\n\r\n`);
      expect((await chunked.response()).status).toBe(status);
    }
  });

  test('is judged before a 100 is asked for, and nothing of the request is sent on', async () => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway(config([origin.port], { limits: { body_size: '5' } }));
    await using client = await RawClient.to(gateway.port());
    client.send('PUT /own HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n');
    expect((await client.response()).status).toBe(413);
    expect(origin.received).toEqual([]);
  });
});

test("a route's first_byte and body count over those of its pool and listener", async () => {
  const clock = new ManualClock();
  await using origin = await rawOrigin(() => {});
  const route = { timeouts: { first_byte: '9s', body: '2s' } };
  const over = { listener: { timeouts: { body: '5s' } }, pool: { timeouts: { first_byte: '4s' } } };
  await using gateway = await testGateway(config([origin.port], route, over), { clock });
  await using own = await RawClient.to(gateway.port());
  await using rest = await RawClient.to(gateway.port());
  own.send('GET /own HTTP/1.1\r\nHost: a\r\n\r\n');
  rest.send('GET /rest HTTP/1.1\r\nHost: a\r\n\r\n');
  await until(() => origin.received.filter((one) => one.length > 0).length === 2, 'both have arrived');
  clock.advance(4200);
  expect((await rest.response()).status).toBe(504);
  expect(own.text).toBe('');
  clock.advance(5000);
  expect((await own.response()).status).toBe(504);
  await using slow = await RawClient.to(gateway.port());
  slow.send(`${post('/own', 10)}12345`);
  await until(() => String(origin.received.at(-1)?.at(-1)).endsWith('12345'), 'half of it has arrived');
  clock.advance(2200);
  expect((await slow.response()).status).toBe(408);
});

test("a route's retries count over its pool's, each setting by itself", async () => {
  await using ill = await FaultOrigin.open();
  ill.fault = 'close';
  const route = { retries: { attempts: 0 } };
  await using gateway = await testGateway(config([ill.port], route, { pool: { retries: { attempts: 1 } } }));
  expect((await get(gateway.port(), '/own')).status).toBe(502);
  expect(ill.requests).toBe(1);
  expect((await get(gateway.port(), '/rest')).status).toBe(502);
  expect(ill.requests).toBe(3);
});

test("a route's per_try_timeout is followed by another attempt", async () => {
  const clock = new ManualClock();
  await using slow = await FaultOrigin.open();
  slow.fault = 'black_hole';
  await using well = await httpOrigin();
  const route = { retries: { per_try_timeout: '2s' } };
  await using gateway = await testGateway(config([slow.port, well.port], route), { clock });
  const answer = get(gateway.port(), '/own');
  await until(() => slow.requests === 1 || well.requests.length === 1, 'one is asked');
  clock.advance(2200);
  expect((await answer).status).toBe(200);
});

test('an edit of them reaches the next request', async () => {
  await using origin = await httpOrigin();
  const of = (size: string): Record<string, unknown> => config([origin.port], { limits: { body_size: size } });
  await using gateway = await testGateway(of('5'));
  const status = async (): Promise<number> => {
    await using client = await RawClient.to(gateway.port());
    return (await client.send(`${post('/own', 8)}12345678`).response()).status;
  };
  expect(await status()).toBe(413);
  await gateway.edit(of('9'));
  expect(await status()).toBe(200);
});

test('a tunnel follows its route to the next config, and has its timeout from its next byte on', async () => {
  const clock = new ManualClock();
  await using origin = await rawOrigin((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      socket.pipe(socket);
    });
  });
  const of = (tunnel: string): Record<string, unknown> => config([origin.port], { timeouts: { tunnel } });
  await using gateway = await testGateway(of('1h'), { clock });
  await using client = await RawClient.to(gateway.port());
  client.send('GET /own HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
  await client.response();
  clock.advance(3_500_000);
  await gateway.edit(of('5s'));
  await until(() => gateway.running.gateway.snapshots.length === 1, 'it has gone over');
  client.send('on');
  await until(() => client.text.endsWith('on'), 'the echo comes');
  clock.advance(4800);
  expect(client.closed).toBe(false);
  clock.advance(400);
  await until(() => client.closed, 'it is reset');
});
