/** A pool of which no endpoint is well: requests try all the same, a few at a time, and one that is back is found at once. */
import type http from 'node:http';
import { describe, expect, test } from 'vitest';
import { systemRandom } from '../../src/kit/random.ts';
import { FaultOrigin } from '../support/fault-origin.ts';
import { endpointOf, poolLoad, simpleConfig, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { httpOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';

const addressOf = ({ port }: { readonly port: number }): string => `127.0.0.1:${port}`;

const pooled = (endpoints: readonly unknown[], pool: object = {}): Record<string, unknown> =>
  simpleConfig(0, { pools: { origin: { endpoints, ...pool } } });

const statusOf = async (gateway: TestGateway): Promise<number> => (await get(gateway.port())).status;

/** While the clock goes on in small steps. */
async function edit(gateway: TestGateway, clock: ManualClock, config: object): Promise<void> {
  let done = false;
  const edited = gateway.edit(config).then(() => (done = true));
  await until(
    () => done,
    'the edit is in effect',
    () => Promise.resolve(clock.advance(20)),
  );
  await edited;
}

describe('an endpoint that is down, and then up again', () => {
  test.each([
    'round_robin',
    'weighted_round_robin',
    'least_connections',
    'random',
    'p2c',
    'ip_hash',
    { type: 'ring_hash', key: 'client' },
    { type: 'maglev', key: 'client' },
  ])(
    '%j: each request tries, and the first after its return is answered, however long it was down',
    async (strategy) => {
      await using origin = await FaultOrigin.open();
      const clock = new ManualClock();
      // Nothing but requests try it.
      const health = { backoff: { probe: '0s' } };
      await using gateway = await testGateway(pooled([addressOf(origin)], { strategy, health }), { clock });
      for (const seconds of [3, 10, 60, 180]) {
        await origin.become('refuse');
        for (let passed = 0; passed < seconds; passed += seconds / 4) {
          expect(await statusOf(gateway)).toBe(502);
          clock.advance((seconds / 4) * 1000);
        }
        await origin.become(null);
        expect(await statusOf(gateway)).toBe(200);
      }
    },
  );

  test('is known to be well within a second without any request, and nothing is left that asks', async () => {
    await using origin = await FaultOrigin.open();
    const clock = new ManualClock();
    await using gateway = await testGateway(pooled([addressOf(origin)]), { clock });
    const { health } = endpointOf(gateway, 'origin');
    clock.advance(5000);
    const { waiting } = clock;
    await origin.become('refuse');
    expect(await statusOf(gateway)).toBe(502);
    expect(clock.waiting).toBeGreaterThan(waiting);
    const { connections } = origin;
    await origin.become(null);
    clock.advance(1000);
    await until(() => health.state === 'healthy', 'it is found to be well');
    expect([origin.connections - connections, origin.requests]).toEqual([1, 0]);
    clock.advance(5000);
    expect(clock.waiting).toBe(waiting);
    expect(origin.connections - connections).toBe(1);
  });

  test('is found as well while its pool has others that are well', async () => {
    await using ill = await FaultOrigin.open();
    await using other = await FaultOrigin.open();
    const clock = new ManualClock();
    await using gateway = await testGateway(pooled([addressOf(ill), addressOf(other)]), { clock });
    const { health } = endpointOf(gateway, 'origin');
    await ill.become('refuse');
    expect([await statusOf(gateway), await statusOf(gateway)]).toEqual([200, 200]);
    expect(health.state).toBe('failing');
    clock.advance(1000);
    await ill.become(null);
    clock.advance(1000);
    await until(() => health.state === 'healthy', 'it is found to be well');
  });

  test('is found after an edit of its pool, too, which nobody has sent a request to', async () => {
    await using origin = await FaultOrigin.open();
    const clock = new ManualClock();
    await using gateway = await testGateway(pooled([addressOf(origin)]), { clock });
    await origin.become('refuse');
    expect(await statusOf(gateway)).toBe(502);
    await edit(gateway, clock, pooled([addressOf(origin)], { retries: { attempts: 3 } }));
    await origin.become(null);
    clock.advance(1000);
    await until(() => endpointOf(gateway, 'origin').health.state === 'healthy', 'it is found to be well');
  });

  test('is not tried any more once its gateway stops, or its pool is gone from the config', async () => {
    await using origin = await FaultOrigin.open();
    const clock = new ManualClock();
    {
      await using gateway = await testGateway(pooled([addressOf(origin)]), { clock });
      await origin.become('refuse');
      expect(await statusOf(gateway)).toBe(502);
      const routes = [{ name: 'all', match: {}, respond: {} }];
      await edit(gateway, clock, { ...pooled([]), pools: {}, routes });
      await origin.become(null);
      clock.advance(3000);
      expect(await statusOf(gateway)).toBe(200);
      await origin.become('refuse');
      await edit(gateway, clock, pooled([addressOf(origin)]));
      expect(await statusOf(gateway)).toBe(502);
    }
    await origin.become(null);
    expect(clock.waiting).toBe(0);
    expect(origin.connections).toBe(0);
  });

  test('is not tried by anything while it is drained or disabled', async () => {
    await using origin = await FaultOrigin.open();
    const clock = new ManualClock();
    await using gateway = await testGateway(pooled([addressOf(origin)]), { clock });
    await origin.become('refuse');
    expect(await statusOf(gateway)).toBe(502);
    for (const admin_state of ['draining', 'disabled'] as const) {
      endpointOf(gateway, 'origin').command(admin_state);
      await origin.become(null);
      clock.advance(3000);
      expect(await statusOf(gateway)).toBe(503);
    }
    expect(origin.connections).toBe(0);
    endpointOf(gateway, 'origin').command('enabled');
    clock.advance(1000);
    await until(() => endpointOf(gateway, 'origin').health.state === 'healthy', 'it is found to be well');
  });

  test('that swallowed connections is found though a request still hangs at it', async () => {
    await using origin = await FaultOrigin.open();
    const clock = new ManualClock();
    const health = { backoff: { retries: 0 } };
    await using gateway = await testGateway(pooled([addressOf(origin)], { health, timeouts: { connect: '2s' } }), {
      clock,
    });
    await origin.become('full_backlog');
    const first = get(gateway.port());
    await until(() => poolLoad(gateway, 'origin').connections === 1, 'it is tried');
    clock.advance(2100);
    expect((await first).status).toBe(504);
    const hanging = get(gateway.port());
    await until(() => poolLoad(gateway, 'origin').connections === 1, 'it is tried again');
    const waiting = get(gateway.port());
    await until(() => poolLoad(gateway, 'origin').queue.length === 1, 'another waits');
    await origin.become(null);
    clock.advance(1000);
    await until(() => endpointOf(gateway, 'origin').health.state === 'healthy', 'it is found to be well');
    expect((await waiting).status).toBe(200);
    clock.advance(2100);
    expect([200, 504]).toContain((await hanging).status);
  });
});

/** Answers what it is told, when it is told. */
async function holding() {
  const held: http.ServerResponse[] = [];
  const origin = await httpOrigin((_, response) => held.push(response));
  return Object.assign(origin, { held });
}

describe('a herd', () => {
  const STRICT = { passive: { failures: 1, statuses: [500], max_ejected: 100 }, backoff: { retries: 0 } };

  test.each(['least_connections', 'ring_hash'])(
    '%s: one request tries, the others wait for it, and those for whom there is no room are told at once',
    async (type) => {
      await using origin = await holding();
      const strategy = type === 'ring_hash' ? { type, key: 'path' } : type;
      const clock = new ManualClock();
      await using gateway = await testGateway(
        pooled([addressOf(origin)], { strategy, health: STRICT, queue: { depth: 10 } }),
        { clock },
      );
      const load = poolLoad(gateway, 'origin');
      const ill = get(gateway.port());
      await until(() => origin.held.length === 1, 'it is asked');
      origin.held[0]!.writeHead(500).end();
      expect((await ill).status).toBe(500);
      const answers = Array.from({ length: 30 }, () => statusOf(gateway));
      const refused = answers.map((answer) => answer.then((status) => status === 503));
      let told = 0;
      for (const one of refused) void one.then((was) => (told += was ? 1 : 0));
      await until(() => told === 19 && load.queue.length === 10 && origin.held.length === 2, 'one of them tries');
      // It fails: the next has its try.
      origin.held[1]!.writeHead(500).end();
      await until(() => origin.held.length === 3, 'the next tries');
      expect(load.queue.length).toBe(9);
      // That one succeeds: the rest goes on.
      origin.held[2]!.end();
      await until(() => origin.held.length === 12, 'all others are let in');
      for (const response of origin.held.slice(3)) response.end();
      const counts = Map.groupBy(await Promise.all(answers), (status) => status);
      expect([200, 500, 503].map((status) => counts.get(status)?.length)).toEqual([10, 1, 19]);
    },
  );

  test('one that hangs makes room for another after a second', async () => {
    await using origin = await holding();
    const clock = new ManualClock();
    await using gateway = await testGateway(pooled([addressOf(origin)], { health: STRICT }), { clock });
    const ill = get(gateway.port());
    await until(() => origin.held.length === 1, 'it is asked');
    origin.held[0]!.writeHead(500).end();
    await ill;
    const hanging = get(gateway.port());
    await until(() => origin.held.length === 2, 'one tries');
    const waiting = get(gateway.port());
    await until(() => poolLoad(gateway, 'origin').queue.length === 1, 'another waits');
    clock.advance(1100);
    clock.advance(1100);
    await until(() => origin.held.length === 3, 'the other tries');
    origin.held[2]!.end();
    expect((await waiting).status).toBe(200);
    origin.held[1]!.end();
    expect((await hanging).status).toBe(200);
  });

  test('with tries left until its breaker opens, as many at a time try', async () => {
    await using origin = await holding();
    const health = { ...STRICT, backoff: { retries: 4 } };
    await using gateway = await testGateway(pooled([addressOf(origin)], { health, queue: { depth: 0 } }));
    const ill = get(gateway.port());
    await until(() => origin.held.length === 1, 'it is asked');
    origin.held[0]!.writeHead(500).end();
    await ill;
    const answers = Array.from({ length: 9 }, () => statusOf(gateway));
    let told = 0;
    for (const one of answers) void one.then((status) => (told += status === 503 ? 1 : 0));
    await until(() => told === 5 && origin.held.length === 5, 'four try');
    for (const response of origin.held.slice(1)) response.end();
    expect((await Promise.all(answers)).filter((status) => status === 200)).toHaveLength(4);
  });
});

test.each([
  ['0s', [11, 11]],
  ['100s', [2, 20]],
])('least_connections, with a slow start of %s: what an endpoint gets that is well again', async (start, expected) => {
  await using ill = await FaultOrigin.open();
  await using other = await FaultOrigin.open();
  const clock = new ManualClock();
  const pool = { strategy: 'least_connections', health: { slow_start: start } };
  await using gateway = await testGateway(pooled([addressOf(ill), addressOf(other)], pool), { clock });
  clock.advance(101_000);
  await ill.become('refuse');
  expect([await statusOf(gateway), await statusOf(gateway)]).toEqual([200, 200]);
  await ill.become(null);
  clock.advance(1000);
  await until(() => endpointOf(gateway, 'origin').health.state === 'healthy', 'it is found to be well');
  for (const origin of [ill, other]) await origin.become('black_hole');
  const before = [ill.requests, other.requests];
  for (let i = 0; i < 22; i++) {
    get(gateway.port()).catch(() => {});
    await until(() => poolLoad(gateway, 'origin').active === i + 1, 'it is under way');
  }
  const came = (): number[] => [ill.requests - before[0]!, other.requests - before[1]!];
  await until(() => 22 === came()[0]! + came()[1]!, 'all have come');
  expect(came()).toEqual(expected);
});

test('a fallback is used while none is well, and given back within a second', async () => {
  await using origin = await FaultOrigin.open();
  await using other = await httpOrigin((_, response) => response.end('other'));
  const clock = new ManualClock();
  const config = simpleConfig(0, {
    pools: {
      origin: { endpoints: [addressOf(origin)], fallback: { pool: 'other' } },
      other: { endpoints: [addressOf(other)] },
    },
  });
  await using gateway = await testGateway(config, { clock });
  await origin.become('refuse');
  const errors = (): number => gateway.running.gateway.metrics.endpoint('origin', addressOf(origin)).connectErrors;
  for (let i = 0; i < 3; i++) expect((await get(gateway.port())).body).toBe('other');
  // The first found out for the others.
  expect(errors()).toBe(1);
  await origin.become(null);
  clock.advance(1000);
  await until(() => endpointOf(gateway, 'origin').health.state === 'healthy', 'it is found to be well');
  expect((await get(gateway.port())).body).toBe('all is well');
});

test('clients that are kept stay with their endpoint when all were out', async () => {
  const origins = [await FaultOrigin.open(), await FaultOrigin.open(), await FaultOrigin.open()];
  const health = { backoff: { probe: '0s' } };
  await using gateway = await testGateway(pooled(origins.map(addressOf), { sticky: {}, health }));
  const cookies: string[] = [];
  for (let i = 0; i < 3; i++) cookies.push(String((await get(gateway.port())).headers['set-cookie']).split(';')[0]!);
  const before = origins.map(({ requests }) => requests);
  for (const cookie of cookies.toReversed()) {
    for (const origin of origins) await origin.become('refuse');
    expect(await statusOf(gateway)).toBe(502);
    for (const origin of origins) await origin.become(null);
    const { status, headers } = await get(gateway.port(), '/', { headers: { cookie } });
    expect([status, headers['set-cookie']]).toEqual([200, undefined]);
  }
  expect(origins.map(({ requests }, i) => requests - before[i]!)).toEqual([1, 1, 1]);
  for (const origin of origins) await origin[Symbol.asyncDispose]();
});

test('tcp: each connection tries, and a tunnel is no try that goes on', async () => {
  await using origin = await FaultOrigin.open();
  await origin.become('refuse');
  const config = {
    version: 1,
    listeners: { web: { address: '127.0.0.1:0', protocol: 'tcp', pool: 'origin' } },
    pools: { origin: { endpoints: [addressOf(origin)], health: { backoff: { probe: '0s' } } } },
  };
  await using gateway = await testGateway(config);
  for (let i = 0; i < 3; i++) {
    await using client = await RawClient.to(gateway.port());
    await until(() => client.closed, 'it is let go');
  }
  const errors = gateway.running.gateway.metrics.endpoint('origin', addressOf(origin)).connectErrors;
  expect(errors).toBe(3);
  await origin.become(null);
  await using client = await RawClient.to(gateway.port());
  expect((await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').response()).status).toBe(200);
  const { health } = endpointOf(gateway, 'origin');
  expect([health.state, health.trials, poolLoad(gateway, 'origin').active]).toEqual(['healthy', 0, 1]);
});

test('an edit of a pool after each request leaves none of its endpoints out', async () => {
  await using one = await FaultOrigin.open();
  await using two = await FaultOrigin.open();
  await using gateway = await testGateway(pooled([addressOf(one), addressOf(two)]), { firstTurns: systemRandom });
  for (let i = 0; i < 30; i++) {
    await gateway.edit(pooled([addressOf(one), addressOf(two)], { timeouts: { total: `${100 + i}s` } }));
    expect(await statusOf(gateway)).toBe(200);
  }
  // By chance alone all thirty would be at one of them once in five hundred million times.
  expect(one.requests).toBeGreaterThan(0);
  expect(two.requests).toBeGreaterThan(0);
});
