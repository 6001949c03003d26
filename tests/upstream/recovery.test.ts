/** The connections that the gateway tries at endpoints that are out: how many at a time, and that each has its turn. */
import { expect, test } from 'vitest';
import type { PoolPlan } from '../../src/plan/types/pool.ts';
import type { EndpointState } from '../../src/upstream/endpoint.ts';
import type { PoolLoad } from '../../src/upstream/load.ts';
import { Recovery } from '../../src/upstream/recovery.ts';
import { FaultOrigin } from '../support/fault-origin.ts';
import { ManualClock } from '../support/manual-clock.ts';

test('at most 64 at a time, each endpoint in its turn, and nothing is left when it stops', async () => {
  await using origin = await FaultOrigin.open();
  await origin.become('full_backlog');
  const address = { text: '', host: '127.0.0.1', port: origin.port, path: null };
  const begun = Array.from({ length: 100 }, () => 0);
  const endpoints = begun.map((_, i) => ({
    state: {
      health: { failing: true, unreachable: true },
      connections: { tls: null },
      get address() {
        begun[i]!++;
        return address;
      },
    } as unknown as EndpointState,
  }));
  const clock = new ManualClock();
  const load = { suspecting: new Set(), freed: () => {} } as unknown as PoolLoad;
  const plan = { health: { active: null, backoff: { probe: 1000 } }, timeouts: { connect: 5000 } } as PoolPlan;
  const recovery = new Recovery(plan, () => endpoints, { load, clock, random: () => 0 });
  recovery.start();
  const sum = (): number => begun.reduce((all, one) => all + (one > 0 ? 1 : 0), 0);
  clock.advance(1000);
  expect(sum()).toBe(64);
  clock.advance(1000);
  expect(sum()).toBe(100);
  recovery.stop();
  expect([clock.waiting, load.suspecting.size]).toEqual([0, 0]);
});
