/** Every setting of pool.health on real sockets: what takes an endpoint out, for how long, and what brings it back. */
import { describe, expect, test } from 'vitest';
import { type Fault, FaultOrigin } from '../support/fault-origin.ts';
import { endpointOf, simpleConfig, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { get } from '../support/requests.ts';

/** Two endpoints, the first of which is to fall ill; nobody is asked twice unless `pool` says so. */
async function two(health: object, pool: object = {}, clock = new ManualClock()) {
  const ill = await FaultOrigin.open();
  const well = await FaultOrigin.open();
  const endpoints = [`127.0.0.1:${ill.port}`, `127.0.0.1:${well.port}`];
  const config = simpleConfig(0, {
    pools: { origin: { endpoints, retries: { attempts: 0 }, health: { backoff: { jitter: 0 }, ...health }, ...pool } },
  });
  const gateway = await testGateway(config, { clock, random: () => 0.5 });
  return {
    ill,
    well,
    gateway,
    clock,
    health: endpointOf(gateway, 'origin').health,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await ill[Symbol.asyncDispose]();
      await well[Symbol.asyncDispose]();
    },
  };
}

async function ask(gateway: TestGateway, times: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < times; i++) statuses.push((await get(gateway.port())).status);
  return statuses;
}

describe('passive', () => {
  test.each([
    'close',
    'reset_at_0',
    'reset_in_head',
    'garbage',
    'endless_head',
    'interim_flood',
    'status_503',
  ] as Fault[])('failures: the third %s in a row takes it out', async (fault) => {
    await using one = await two({ passive: { failures: 3 } });
    await one.ill.become(fault);
    const states: string[] = [];
    for (let i = 0; i < 3; i++) {
      await ask(one.gateway, 2);
      states.push(one.health.state);
    }
    expect(states).toEqual(['healthy', 'healthy', 'failing']);
    expect(await ask(one.gateway, 4)).toEqual([200, 200, 200, 200]);
    expect(one.ill.faults).toBe(3);
  });

  test('failures: a good answer between them begins the count anew; 0 never takes it out', async () => {
    await using one = await two({ passive: { failures: 2 } });
    one.ill.next.push('close', null, 'close', null, 'close');
    await ask(one.gateway, 10);
    expect(one.health.state).toBe('healthy');
    await using never = await two({ passive: { failures: 0 } });
    await never.ill.become('close');
    await ask(never.gateway, 30);
    expect([never.health.state, never.ill.faults]).toEqual(['healthy', 15]);
  });

  test('failures: one that breaks every body is out again with the next, not after as many again', async () => {
    await using one = await two({ passive: { failures: 3 }, backoff: { first: '2s', jitter: 0 } });
    await one.ill.become('half_chunks');
    const asked = (): Promise<unknown> => get(one.gateway.port()).catch(() => null);
    for (let i = 0; i < 6; i++) await asked();
    expect([one.health.state, one.ill.faults]).toEqual(['failing', 3]);
    one.clock.advance(2200);
    for (let i = 0; i < 6; i++) await asked();
    expect([one.health.state, one.ill.faults]).toEqual(['failing', 4]);
    await one.ill.become(null);
    one.clock.advance(2200);
    await ask(one.gateway, 2);
    await one.ill.become('half_chunks');
    for (let i = 0; i < 4; i++) await asked();
    expect([one.health.state, one.ill.faults]).toEqual(['healthy', 6]);
  });

  test('statuses: only those that are listed count', async () => {
    await using one = await two({ passive: { failures: 1, statuses: [500] } });
    await one.ill.become('status_503');
    await ask(one.gateway, 6);
    expect(one.health.state).toBe('healthy');
  });

  test('latency: an answer that takes longer counts', async () => {
    const clock = new ManualClock();
    await using one = await two({ passive: { failures: 1, latency: '1s' } }, {}, clock);
    await one.ill.become('slow_drip');
    const answer = get(one.gateway.port());
    await until(() => one.ill.requests === 1, 'it is asked');
    clock.advance(1200);
    expect((await answer).status).toBe(200);
    expect([one.health.state, one.health.lastError]).toEqual(['failing', 'slow']);
  });

  test.each([
    [50, ['failing', 'healthy']],
    [100, ['failing', 'failing']],
    [0, ['healthy', 'healthy']],
  ])('max_ejected: %i percent', async (percent, states) => {
    await using one = await two({ passive: { failures: 1, max_ejected: percent } });
    await one.ill.become('close');
    await one.well.become('close');
    await ask(one.gateway, 4);
    expect([0, 1].map((i) => endpointOf(one.gateway, 'origin', i).health.state)).toEqual(states);
  });
});

describe('backoff', () => {
  test('a refused connection takes it out at once; the pauses double from first to max; the breaker opens', async () => {
    await using one = await two({ backoff: { first: '2s', max: '5s', retries: 2, jitter: 0 } }, { retries: {} });
    await one.ill.become('refuse');
    const states: string[] = [];
    for (const pause of [2000, 4000, 5000, 5000]) {
      const before = one.health.failures;
      expect(await ask(one.gateway, 2)).toEqual([200, 200]);
      expect(one.health.failures).toBe(before + 1);
      states.push(one.health.state);
      one.clock.advance(pause - 100);
      expect(await ask(one.gateway, 2)).toEqual([200, 200]);
      expect(one.health.failures).toBe(before + 1);
      one.clock.advance(200);
    }
    expect(states).toEqual(['failing', 'failing', 'open', 'open']);
    expect(one.health.state).toBe('half_open');
    await one.ill.become(null);
    expect(await ask(one.gateway, 2)).toEqual([200, 200]);
    expect([one.health.state, one.health.failures]).toEqual(['healthy', 0]);
  });

  test('jitter shortens the pause', async () => {
    await using one = await two({ backoff: { first: '10s', jitter: 40 } }, { retries: {} });
    await one.ill.become('refuse');
    await ask(one.gateway, 2);
    one.clock.advance(7900);
    expect(one.health.tier()).toBe(1);
    one.clock.advance(200);
    expect(one.health.tier()).toBe(0);
  });

  test('if all are out, requests try all the same; if none may be tried, a 503 says when to come back', async () => {
    await using one = await two({ backoff: { first: '7s', jitter: 0 } });
    await one.ill.become('refuse');
    await one.well.become('refuse');
    expect(await ask(one.gateway, 4)).toEqual([502, 502, 502, 502]);
    for (const i of [0, 1]) endpointOf(one.gateway, 'origin', i).command('disabled');
    const { status, headers } = await get(one.gateway.port());
    expect([status, headers['retry-after']]).toEqual([503, '1']);
  });
});

const descending = (a: number, b: number): number => b - a;

test('panic: while fewer are well than that, all are asked', async () => {
  for (const [panic, statuses] of [
    [0, [200, 200, 200, 200]],
    [60, [502, 502, 200, 200]],
  ] as const) {
    await using one = await two({ panic, backoff: { first: '60s' } });
    await one.ill.become('refuse');
    await ask(one.gateway, 2);
    one.clock.advance(200);
    expect((await ask(one.gateway, 4)).toSorted(descending)).toEqual(statuses);
  }
});

test('slow_start: one that is well again gets its share little by little', async () => {
  await using one = await two({ slow_start: '100s', backoff: { first: '1s', jitter: 0 } }, { retries: {} });
  one.clock.advance(101_000);
  await ask(one.gateway, 4);
  expect(one.ill.requests).toBe(2);
  await one.ill.become('refuse');
  await ask(one.gateway, 2);
  await one.ill.become(null);
  one.clock.advance(1200);
  const shares: number[] = [];
  await ask(one.gateway, 2);
  expect(one.health.state).toBe('healthy');
  for (const passed of [0, 30_000, 40_000, 40_000]) {
    one.clock.advance(passed);
    const before = one.ill.requests;
    await ask(one.gateway, 40);
    shares.push(one.ill.requests - before);
  }
  expect(shares[0]).toBeLessThan(6);
  expect(shares[1]).toBeGreaterThan(shares[0]!);
  expect(shares[2]).toBeGreaterThan(shares[1]!);
  expect(shares[3]).toBe(20);
});
