/** Success rates on real sockets: one of five that fails now and then, never often enough in a row. */
import { expect, test } from 'vitest';
import { applyPlan } from '../../src/runtime/reload/reload-path.ts';
import { FaultOrigin } from '../support/fault-origin.ts';
import { endpointOf, simpleConfig, testGateway } from '../support/gateway.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { get } from '../support/requests.ts';

async function five(health: object = {}) {
  const origins = await Promise.all(Array.from({ length: 5 }, () => FaultOrigin.open()));
  const clock = new ManualClock();
  const endpoints = origins.map(({ port }) => `127.0.0.1:${port}`);
  const passive = { success_rate: { min_requests: 10 } };
  const pools = { origin: { endpoints, health: { passive, backoff: { jitter: 0 }, ...health } } };
  const gateway = await testGateway(simpleConfig(0, { pools }), { clock, random: () => 0.5 });
  return {
    ill: origins[2]!,
    gateway,
    clock,
    states: () => origins.map((_, i) => endpointOf(gateway, 'origin', i).health.state),
    async ask(times: number): Promise<number> {
      let failed = 0;
      for (let i = 0; i < times; i++) if ((await get(gateway.port())).status !== 200) failed++;
      return failed;
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      for (const origin of origins) await origin[Symbol.asyncDispose]();
    },
  };
}

test('it is out after the interval, and says why; when its pause is over one that succeeds brings it back', async () => {
  await using one = await five();
  for (let i = 0; i < 10; i++) one.ill.next.push('garbage', null);
  // Their requests are repaired elsewhere.
  expect(await one.ask(100)).toBe(0);
  expect(one.states()).toEqual(Array(5).fill('healthy'));
  one.clock.advance(10_000);
  await one.ask(1);
  expect(one.states()).toEqual(['healthy', 'healthy', 'failing', 'healthy', 'healthy']);
  expect(one.gateway.logged).toContainEqual(
    expect.objectContaining({
      event: 'endpoint is unavailable',
      endpoint: `127.0.0.1:${one.ill.port}`,
      reason: 'success_rate',
    }),
  );
  const asked = one.ill.requests;
  await one.ask(20);
  expect(one.ill.requests).toBe(asked);
  one.ill.next.length = 0;
  one.clock.advance(5000);
  await one.ask(20);
  expect(one.states()).toEqual(Array(5).fill('healthy'));
});

test('deviations: 0 leaves it in', async () => {
  await using one = await five({ passive: { success_rate: { min_requests: 10, deviations: 0 } } });
  for (let i = 0; i < 10; i++) one.ill.next.push('garbage', null);
  await one.ask(100);
  one.clock.advance(10_000);
  await one.ask(1);
  expect(one.states()).toEqual(Array(5).fill('healthy'));
});

test('what is counted outlives a reload', async () => {
  await using one = await five();
  for (let i = 0; i < 10; i++) one.ill.next.push('garbage', null);
  await one.ask(100);
  const { gateway } = one.gateway.running;
  await applyPlan(gateway, {
    ...gateway.current!.plan,
    reload: { ...gateway.current!.plan.reload, maxGenerations: 7 },
  });
  one.clock.advance(10_000);
  await one.ask(1);
  expect(one.states()[2]).toBe('failing');
});
