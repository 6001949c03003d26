/** However often lines that have nothing to do with a pool are edited: what the pool has learned and has under way stays. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planOf } from '../plan/plan-of.ts';
import { applyPlan } from '../../src/runtime/reload/reload-path.ts';
import { FaultOrigin } from '../support/fault-origin.ts';
import { endpointOf, poolLoad, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';

const EDITS = 1000;
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** Lines that have nothing to do with the pool. */
const unrelated = fc.record({
  level: fc.constantFrom('info', 'warn', 'error'),
  drain: fc.integer({ min: 100, max: 200 }),
  // A reference that is none is a problem.
  body: fc.string({ maxLength: 8, unit: 'grapheme-ascii' }).map((text) => text.replaceAll('${', () => '$${')),
  headers: fc.integer({ min: 20, max: 100 }),
  other: fc.integer({ min: 1, max: 100 }),
  more: fc.boolean(),
});

function configOf(endpoints: readonly object[], edit: Record<string, unknown>, number: number): object {
  const { level, drain, body, headers, other, more } = edit;
  return {
    version: 1,
    logging: { level },
    reload: { drain: `${String(drain)}s` },
    listeners: { web: { address: '127.0.0.1:0', limits: { header_count: headers } } },
    pools: {
      origin: {
        endpoints,
        sticky: { cookie: 'to', secret: 'a secret that nobody knows at all' },
        health: { backoff: { first: '30s' } },
        timeouts: { first_byte: '1h' },
        queue: { wait: '1h' },
      },
      other: { endpoints: [`127.0.0.1:${String(other)}`] },
    },
    routes: [
      { name: 'fixed', match: { path: { exact: '/fixed' } }, respond: { body: `${String(body)} ${number}` } },
      ...(more === true ? [{ name: 'other', match: { path: { prefix: '/other' } }, pool: 'other' }] : []),
      { name: 'all', match: {}, pool: 'origin' },
    ],
  };
}

function stateOf(gateway: TestGateway): unknown {
  const { active, retries, connections, idle, queue } = poolLoad(gateway, 'origin');
  const endpoints = [0, 1, 2].map((i) => {
    const { health, active: own, latency } = endpointOf(gateway, 'origin', i);
    const { state, failures, retryAt, retryTime, since, lastError, adminState: admin_state, trials, share } = health;
    return { state, failures, retryAt, retryTime, since, lastError, admin_state, trials, share, own, latency };
  });
  return { active, retries, connections, idle, queue: queue.length, endpoints };
}

test(`${EDITS} edits of other lines change nothing about a pool`, { timeout: 120_000 }, async () => {
  const clock = new ManualClock();
  await using failing = await FaultOrigin.open();
  await failing.become('refuse');
  await using draining = await FaultOrigin.open();
  await using hung = await rawOrigin(() => {});
  const endpoints = [
    { address: `127.0.0.1:${failing.port}`, weight: 3 },
    { address: `127.0.0.1:${draining.port}`, weight: 2 },
    { address: `127.0.0.1:${hung.port}`, weight: 7, max_requests: 1 },
  ];
  const first = { level: 'info', drain: 150, body: '', headers: 50, other: 1, more: false };
  await using gateway = await testGateway(configOf(endpoints, first, 0), { clock });
  const load = poolLoad(gateway, 'origin');
  // One has failed, one has a client that comes back to it and is drained, one is busy, and another request waits for it.
  endpointOf(gateway, 'origin', 2).command('draining');
  let cookie = '';
  for (let i = 0; i < 10; i++) {
    const { headers } = await get(gateway.port());
    cookie = headers['set-cookie']?.[0]?.split(';')[0] ?? cookie;
  }
  endpointOf(gateway, 'origin', 2).command('enabled');
  endpointOf(gateway, 'origin', 1).command('draining');
  await using busy = await RawClient.to(gateway.port());
  busy.send(GET);
  await until(() => hung.received.length === 1, 'one request is under way');
  await using waiting = await RawClient.to(gateway.port());
  waiting.send(GET);
  await until(() => load.queue.length === 1, 'another waits');
  const before = stateOf(gateway);
  expect(before).toMatchObject({ active: 1, queue: 1, endpoints: [{ state: 'failing' }, { state: 'draining' }, {}] });
  let number = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(unrelated, { minLength: 20, maxLength: 20 }), async (edits) => {
      for (const edit of edits) await applyPlan(gateway.running.gateway, planOf(configOf(endpoints, edit, ++number)));
      expect(stateOf(gateway)).toEqual(before);
      expect(poolLoad(gateway, 'origin')).toBe(load);
      const again = await get(gateway.port(), '/', { headers: { cookie } });
      expect([again.status, again.headers['set-cookie']]).toEqual([200, undefined]);
      expect((await get(gateway.port(), '/fixed')).body).toMatch(new RegExp(`${number}$`));
    }),
    { numRuns: EDITS / 20 },
  );
  expect(number).toBe(EDITS);
  expect(gateway.running.gateway.snapshots.map(({ leases }) => leases)).toEqual([2]);
  busy.socket.resetAndDestroy();
  waiting.socket.resetAndDestroy();
  await until(() => load.active === 0 && load.queue.length === 0, 'all is over');
});
