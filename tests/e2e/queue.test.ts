/** Those who wait for room at a pool: how many, how long, in which order, and who is told what. */
import { describe, expect, test } from 'vitest';
import { poolLoad, simpleConfig, testGateway, until } from '../support/gateway.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { FaultOrigin } from '../support/fault-origin.ts';
import { httpOrigin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';

const of = (path: string): string => `GET /${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** Answers when it is told to, in the order of the requests. */
async function holding() {
  const held: { url: string; answer: () => void }[] = [];
  const origin = await httpOrigin(({ url }, response) => {
    held.push({ url, answer: () => response.end(`ok ${url}`) });
  });
  return Object.assign(origin, { held });
}

function queued(port: number, queue: object, more: object = { max_requests: 1 }): Record<string, unknown> {
  return simpleConfig(port, { pools: { origin: { endpoints: [`127.0.0.1:${port}`], queue, ...more } } });
}

describe('order', () => {
  async function orderOf(queue: object, count: number): Promise<string[]> {
    await using origin = await holding();
    await using gateway = await testGateway(queued(origin.port, queue));
    const { queue: waiting } = poolLoad(gateway, 'origin');
    const clients: RawClient[] = [];
    for (let i = 0; i <= count; i++) {
      const client = await RawClient.to(gateway.port());
      clients.push(client);
      client.send(of(String(i)));
      await until(() => (i === 0 ? origin.held.length === 1 : waiting.length === i), `${i} has come`);
    }
    for (let i = 0; i <= count; i++) {
      origin.held[i]!.answer();
      await until(() => i === count || origin.held.length === i + 2, `${i + 1} is let in`);
    }
    for (const client of clients) expect((await client.response()).status).toBe(200);
    for (const client of clients) await client[Symbol.asyncDispose]();
    return origin.held.map(({ url }) => url.slice(1));
  }

  test('fifo: exactly as they came', async () => {
    expect(await orderOf({ depth: 8 }, 8)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8']);
  });

  test('adaptive_lifo: the last first while more than half of the depth is taken, then the first', async () => {
    const order = await orderOf({ depth: 8, order: 'adaptive_lifo' }, 8);
    expect(order).toEqual(['0', '8', '7', '6', '5', '1', '2', '3', '4']);
  });
});

test('depth: one more than that is refused at once with Retry-After; 0: nobody waits', async () => {
  for (const depth of [0, 2]) {
    await using origin = await holding();
    await using gateway = await testGateway(queued(origin.port, { depth }));
    const load = poolLoad(gateway, 'origin');
    const first = get(gateway.port());
    await until(() => origin.held.length === 1, 'the only place is taken');
    const waiting = Array.from({ length: depth }, () => get(gateway.port()));
    await until(() => load.queue.length === depth, 'the queue is full');
    const refused = await get(gateway.port());
    expect([refused.status, refused.headers['retry-after'], load.metrics.queueRefusals]).toEqual([503, '1', 1]);
    for (let i = 0; i <= depth; i++) {
      await until(() => origin.held.length > i, 'the next is let in');
      origin.held[i]!.answer();
    }
    for (const answer of [first, ...waiting]) expect((await answer).status).toBe(200);
  }
});

test('wait: whoever has waited that long gets a 503 with Retry-After', async () => {
  const clock = new ManualClock();
  await using origin = await holding();
  await using gateway = await testGateway(queued(origin.port, { wait: '3s' }), { clock });
  const first = get(gateway.port());
  await until(() => origin.held.length === 1, 'the only place is taken');
  const load = poolLoad(gateway, 'origin');
  const answer = get(gateway.port());
  await until(() => load.queue.length === 1, 'it waits');
  clock.advance(2800);
  expect(load.queue.length).toBe(1);
  clock.advance(400);
  const { status, headers } = await answer;
  expect([status, headers['retry-after'], load.metrics.queueTimeouts]).toEqual([503, '1', 1]);
  origin.held[0]!.answer();
  expect((await first).status).toBe(200);
});

test('a client that breaks off while it waits is never sent on', async () => {
  await using origin = await holding();
  await using gateway = await testGateway(queued(origin.port, {}));
  const { queue } = poolLoad(gateway, 'origin');
  const first = get(gateway.port());
  await until(() => origin.held.length === 1, 'the only place is taken');
  const leaving = await RawClient.to(gateway.port());
  leaving.send(of('leaving'));
  await until(() => queue.length === 1, 'it waits');
  const last = get(gateway.port(), '/last');
  await until(() => queue.length === 2, 'another waits behind it');
  leaving.socket.resetAndDestroy();
  await until(() => queue.length === 1, 'it has left the queue');
  origin.held[0]!.answer();
  await until(() => origin.held.length === 2, 'the other is let in');
  origin.held[1]!.answer();
  expect([(await first).body, (await last).body]).toEqual(['ok /', 'ok /last']);
});

test('those who wait when the gateway closes are told so, or served if there is time', async () => {
  await using origin = await holding();
  const gateway = await testGateway(queued(origin.port, {}));
  await using holder = await RawClient.to(gateway.port());
  holder.send(of('holder'));
  await until(() => origin.held.length === 1, 'the only place is taken');
  await using waiting = await RawClient.to(gateway.port());
  waiting.send(of('waiting'));
  await until(() => poolLoad(gateway, 'origin').queue.length === 1, 'it waits');
  await gateway[Symbol.asyncDispose]();
  const { status, headers } = await waiting.response();
  expect([status, headers['connection'], headers['retry-after']]).toEqual([503, 'close', '1']);
});

test('a tunnel holds its place, and a tcp client waits for it in the same queue', async () => {
  await using origin = await rawOrigin((socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'));
  });
  const listeners = {
    web: { address: '127.0.0.1:0' },
    tcp: { address: '127.0.0.1:0', protocol: 'tcp', pool: 'origin' },
  };
  const config = { ...queued(origin.port, { depth: 1 }), listeners };
  await using gateway = await testGateway({
    ...config,
    routes: [{ name: 'all', match: {}, pool: 'origin', listeners: ['web'] }],
  });
  const load = poolLoad(gateway, 'origin');
  await using tunnel = await RawClient.to(gateway.port());
  tunnel.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
  expect((await tunnel.response()).status).toBe(101);
  expect([load.active, load.connections]).toEqual([1, 1]);
  await using stream = await RawClient.to(gateway.port('tcp'));
  stream.send('hello');
  await until(() => load.queue.length === 1, 'the tcp client waits');
  // Reset as soon as it is accepted, which may be before it knows that it is connected.
  await RawClient.to(gateway.port('tcp')).then(
    (refused) => refused.end(),
    () => {},
  );
  expect(load.metrics.queueRefusals).toBe(1);
  expect((await get(gateway.port())).status).toBe(503);
  tunnel.socket.resetAndDestroy();
  await until(() => stream.text.startsWith('HTTP/1.1 101'), 'it is let in');
  expect(load.active).toBe(1);
});

test('one that will not go where there is room does not keep it from those behind it', async () => {
  await using hung = await FaultOrigin.open();
  hung.fault = 'black_hole';
  await using other = await holding();
  const clock = new ManualClock();
  const endpoints = [
    { address: `127.0.0.1:${hung.port}`, max_requests: 1 },
    { address: `127.0.0.1:${other.port}`, max_requests: 1 },
  ];
  const retries = { per_try_timeout: '2s' };
  const pools = { origin: { endpoints, retries, health: { passive: { failures: 0 } }, queue: { wait: '60s' } } };
  await using gateway = await testGateway(simpleConfig(0, { pools }), { clock });
  const { queue } = poolLoad(gateway, 'origin');
  await using first = await RawClient.to(gateway.port());
  first.send(of('first'));
  await until(() => hung.requests === 1, 'one hangs');
  clock.advance(1000);
  await using second = await RawClient.to(gateway.port());
  second.send(of('second'));
  await until(() => other.held.length === 1, 'the other endpoint is taken too');
  clock.advance(1200);
  await until(() => queue.length === 1, 'the first has had its time, and waits for the other endpoint');
  hung.fault = null;
  expect((await get(gateway.port())).status).toBe(200);
  hung.next.push('black_hole');
  await using third = await RawClient.to(gateway.port());
  third.send(of('third'));
  await until(() => hung.requests === 3, 'the third hangs');
  const fourth = get(gateway.port());
  await until(() => queue.length === 2, 'the fourth waits behind the first');
  third.socket.resetAndDestroy();
  expect((await fourth).status).toBe(200);
  expect(queue.length).toBe(1);
  other.held[0]!.answer();
  await until(() => other.held.length === 2, 'the first is let in');
  other.held[1]!.answer();
  expect((await first.response()).body).toBe('ok /first');
});
