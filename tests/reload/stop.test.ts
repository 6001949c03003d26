/** A stop that says so first: whoever is told in time loses nothing. */
import { expect, test } from 'vitest';
import { type Clock, systemClock } from '../../src/kit/clock.ts';
import { simpleConfig, testGateway, until } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n';
const DELAY = 3_600_000;

/** The system's, but for the delay of a stop, which is over when that is said. */
class StopClock implements Clock {
  #over: (() => void) | null = null;

  now = systemClock.now.bind(systemClock);
  wall = systemClock.wall.bind(systemClock);
  every = systemClock.every.bind(systemClock);

  after(ms: number, due: () => void): ReturnType<Clock['after']> {
    if (ms !== DELAY) return systemClock.after(ms, due);
    this.#over = due;
    return { cancel: () => (this.#over = null) };
  }

  get delaying(): boolean {
    return this.#over !== null;
  }

  end(): void {
    this.#over?.();
  }
}

test('ten busy keep-alive clients behind a balancer that asks /ready lose nothing', async () => {
  await using origin = await httpOrigin();
  const config = simpleConfig(origin.port, { admin: { address: '127.0.0.1:0' } });
  const clock = new StopClock();
  await using stopping = await testGateway(config, { clock });
  await using other = await testGateway(config);
  const [admin, first] = [stopping.adminPort(), stopping.port()];
  const balancer = { target: first, done: false };
  const answers = { [first]: 0, [other.port()]: 0 };
  const work = async (): Promise<void> => {
    while (!balancer.done) {
      const port = balancer.target;
      await using client = await RawClient.to(port);
      for (let told = false; !told && !balancer.done; ) {
        const response = await client.send(GET).response();
        expect(response.status).toBe(200);
        answers[port]!++;
        told = response.headers['connection'] === 'close';
      }
    }
  };
  const clients = Array.from({ length: 10 }, work);
  await until(() => answers[first]! > 100, 'all are busy');
  const stopped = stopping.running.close(undefined, DELAY);
  // As a balancer does; what it has not told yet still connects here, and is served.
  const ready = await get(admin, '/ready');
  expect([ready.status, JSON.parse(ready.body)]).toEqual([503, { ready: false, state: 'draining' }]);
  const before = answers[first]!;
  await until(() => answers[first]! > before + 100, 'new connections are served while it says so');
  expect((await get(first, '/x')).headers['connection']).toBe('close');
  balancer.target = other.port();
  const { gateway } = stopping.running;
  await until(() => gateway.metrics.listener('web').active === 0, 'all have gone');
  await until(() => clock.delaying, 'the delay runs');
  clock.end();
  await stopped;
  await expect(get(first)).rejects.toThrow(/ECONNREFUSED/);
  await until(() => answers[other.port()]! > 100, 'the other serves');
  balancer.done = true;
  await Promise.all(clients);
});

test('a connection that has just come may send its request; one that has had an answer ends with a FIN', async () => {
  await using origin = await httpOrigin();
  const clock = new StopClock();
  await using gateway = await testGateway(simpleConfig(origin.port), { clock });
  await using used = await RawClient.to(gateway.port());
  expect((await used.send(GET).response()).status).toBe(200);
  await using fresh = await RawClient.to(gateway.port());
  await until(() => gateway.running.gateway.metrics.listener('web').active === 2, 'both are accepted');
  const stopped = gateway.running.close(undefined, DELAY);
  await until(() => clock.delaying, 'the delay runs');
  clock.end();
  await until(() => used.ended, 'the one ends');
  // It crosses the end: it is read, and not answered with a reset.
  used.send(GET);
  const response = await fresh.send(GET).response();
  expect([response.status, response.headers['connection']]).toEqual([200, 'close']);
  for (const client of [used, fresh]) client.socket.end();
  await stopped;
  expect([used.error, fresh.error]).toEqual(['', '']);
});
