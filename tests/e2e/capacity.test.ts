/** How many requests and connections endpoints and pools get, and which connections are kept. */
import { describe, expect, test } from 'vitest';
import { FaultOrigin } from '../support/fault-origin.ts';
import { endpointOf, poolLoad, simpleConfig, testGateway, until } from '../support/gateway.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { answering, httpOrigin, type Origin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

const address = ({ port }: { port: number }): string => `127.0.0.1:${port}`;

function config(endpoints: readonly unknown[], pool: object = {}): Record<string, unknown> {
  return simpleConfig(0, { pools: { origin: { endpoints, ...pool } } });
}

/** Counts what is open at the same time. */
async function counting(delay = 2) {
  const seen = { open: 0, mostOpen: 0, busy: 0, mostBusy: 0, connections: 0 };
  const origin = await rawOrigin((socket) => {
    seen.connections++;
    seen.mostOpen = Math.max(seen.mostOpen, ++seen.open);
    socket.on('end', () => socket.end());
    socket.on('close', () => seen.open--);
    answering((one) => {
      seen.mostBusy = Math.max(seen.mostBusy, ++seen.busy);
      setTimeout(() => {
        seen.busy--;
        one.write(OK);
      }, delay);
    })(socket);
  });
  return Object.assign(origin, { seen });
}

describe('limits', () => {
  test.each([
    [
      'max_requests of an endpoint',
      'busy',
      (origin: Origin) => config([{ address: address(origin), max_requests: 3 }]),
    ],
    [
      'max_connections of an endpoint',
      'open',
      (origin: Origin) => config([{ address: address(origin), max_connections: 3 }]),
    ],
    ['max_requests of a pool', 'busy', (origin: Origin) => config([address(origin)], { max_requests: 3 })],
    ['max_connections of a pool', 'open', (origin: Origin) => config([address(origin)], { max_connections: 3 })],
  ] as const)('%s: 60 requests are served, and never more than 3 at a time', async (_, what, configOf) => {
    await using origin = await counting();
    await using gateway = await testGateway(configOf(origin));
    const answers = await Promise.all(Array.from({ length: 60 }, () => get(gateway.port())));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(what === 'busy' ? origin.seen.mostBusy : origin.seen.mostOpen).toBe(3);
    expect(poolLoad(gateway, 'origin').metrics.queued).toBeGreaterThan(0);
  });

  test('a pool whose connections all idle at one endpoint makes room for the others', async () => {
    await using first = await counting();
    await using second = await counting();
    await using gateway = await testGateway(
      config([address(first), { address: address(second), weight: 0 }], { max_connections: 3 }),
    );
    await Promise.all(Array.from({ length: 3 }, () => get(gateway.port())));
    expect(poolLoad(gateway, 'origin').idle).toBe(3);
    await gateway.edit(config([{ address: address(first), weight: 0 }, address(second)], { max_connections: 3 }));
    const answers = await Promise.all(Array.from({ length: 9 }, () => get(gateway.port())));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    const { connections } = poolLoad(gateway, 'origin');
    expect([connections, second.seen.mostOpen]).toEqual([3, 3]);
    await until(() => first.seen.open === 0, 'the idle ones have made room');
  });

  test('making room for a fresh connection does not let prewarming exceed the limit', async () => {
    await using first = await rawOrigin(answering(OK, (socket) => socket.destroy(), OK));
    const pool = { max_connections: 2, keepalive: { prewarm: 2 } };
    await using gateway = await testGateway(config([address(first)], pool));
    const load = poolLoad(gateway, 'origin');
    await until(() => load.idle === 2, 'two are there');
    await using client = await RawClient.to(gateway.port());
    let most = 0;
    for (let i = 0; i < 20; i++) {
      client.send(GET);
      await until(
        () => client.text.split('HTTP/1.1').length > i + 1,
        'an answer',
        () => {
          most = Math.max(most, load.connections);
          return Promise.resolve();
        },
      );
    }
    expect(most).toBe(2);
  });

  test('a tcp listener and http share the limits of their pool, and a stream that ends makes room', async () => {
    await using origin = await rawOrigin((socket) => void socket.on('end', () => socket.end()));
    const listeners = {
      web: { address: '127.0.0.1:0' },
      tcp: { address: '127.0.0.1:0', protocol: 'tcp', pool: 'origin' },
    };
    const routes = [{ name: 'all', match: {}, pool: 'origin', listeners: ['web'] }];
    const one = config([{ address: address(origin), max_connections: 2 }], { queue: { depth: 1 } });
    await using gateway = await testGateway({ ...one, listeners, routes });
    const load = poolLoad(gateway, 'origin');
    await using stream = await RawClient.to(gateway.port('tcp'));
    await until(() => origin.received.length === 1, 'the stream is there');
    await using request = await RawClient.to(gateway.port());
    request.send(GET);
    await until(() => origin.received.length === 2, 'the request is there');
    await using waiting = await RawClient.to(gateway.port('tcp'));
    await until(() => load.queue.length === 1, 'another stream waits');
    expect((await get(gateway.port())).status).toBe(503);
    stream.socket.end();
    await until(() => origin.received.length === 3, 'it is let in');
    expect([load.connections, load.active, load.queue.length]).toEqual([2, 2, 0]);
    waiting.socket.destroy();
  });
});

describe('keepalive', () => {
  test('max_age: a connection as old as that is closed when it comes back, and while it is idle', async () => {
    const clock = new ManualClock();
    await using origin = await httpOrigin();
    const pool = { keepalive: { max_age: '10s', idle: '60s' } };
    await using gateway = await testGateway(config([address(origin)], pool), { clock });
    const { connections } = endpointOf(gateway, 'origin');
    await get(gateway.port());
    expect(connections.idle).toBe(1);
    clock.advance(9800);
    await get(gateway.port());
    expect([connections.idle, origin.received.length]).toEqual([1, 1]);
    clock.advance(400);
    expect(connections.idle).toBe(0);
    await get(gateway.port());
    expect(origin.received.length).toBe(2);
  });

  test('prewarm: they are there before a request, again after each, and within the limits', async () => {
    await using origin = await counting();
    await using gateway = await testGateway(config([address(origin)], { keepalive: { prewarm: 3 } }));
    const { connections, metrics } = endpointOf(gateway, 'origin');
    await until(() => connections.idle === 3, 'three are there');
    const answers = await Promise.all([get(gateway.port()), get(gateway.port())]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(metrics.connectionsReused).toBe(2);
    await until(() => connections.idle >= 3 && connections.dialing === 0, 'three are there again');
    await using few = await testGateway(
      config([{ address: address(origin), max_connections: 2 }], { keepalive: { prewarm: 3 } }),
    );
    await until(() => endpointOf(few, 'origin').connections.idle === 2, 'as many as it may have');
  });

  test('prewarm: an origin that hangs up on everybody is not called without end', async () => {
    await using origin = await rawOrigin((socket) => void socket.end());
    await using other = await httpOrigin();
    const pool = { keepalive: { prewarm: 2 }, retries: { attempts: 3 } };
    await using gateway = await testGateway(config([address(origin), address(other)], pool));
    for (let i = 0; i < 50; i++) expect((await get(gateway.port())).status).toBe(200);
    expect(origin.received.length).toBeLessThan(30);
  });

  test('prewarm: connections that are being made end with the gateway', async () => {
    await using origin = await FaultOrigin.open();
    await origin.become('full_backlog');
    await using gateway = await testGateway(config([address(origin)], { keepalive: { prewarm: 2 } }));
    expect(endpointOf(gateway, 'origin').connections.dialing).toBe(2);
  });

  test('a request that waits for a connection that is being prewarmed in vain then tries for itself', async () => {
    const clock = new ManualClock();
    await using origin = await FaultOrigin.open();
    await origin.become('full_backlog');
    const pool = { keepalive: { prewarm: 1 }, max_connections: 1, queue: { wait: '60s' } };
    await using gateway = await testGateway(config([address(origin)], pool), { clock });
    const load = poolLoad(gateway, 'origin');
    const answer = get(gateway.port());
    await until(() => load.queue.length === 1, 'it waits');
    clock.advance(5200);
    await until(() => load.queue.length === 0 && load.active === 1, 'it tries');
    clock.advance(5200);
    expect((await answer).status).toBe(504);
  });
});
