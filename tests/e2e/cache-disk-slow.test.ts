/** A disk that answers late, or never. */
import type fs from 'node:fs';
import { expect, test, vi } from 'vitest';
import { place } from '../support/disk.ts';
import { simpleConfig, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { get as ask } from '../support/requests.ts';

/** While it is slow, what is read waits here. */
const slow = vi.hoisted(() => ({ is: false, reads: [] as (() => void)[], writes: [] as (() => void)[] }));

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  const held = (name: 'read' | 'writev', into: (() => void)[]) => {
    // Every overload is passed on as it is.
    const call = real[name] as (...args: unknown[]) => void;
    return (...args: unknown[]) => {
      if (slow.is) into.push(() => call(...args));
      else call(...args);
    };
  };
  const slowed = { read: held('read', slow.reads), writev: held('writev', slow.writes) };
  return { ...real, ...slowed, default: { ...real, ...slowed } };
});

const config = (port: number, path: string): object =>
  simpleConfig(port, {
    caches: { pages: { disk: { path } } },
    routes: [{ name: 'all', match: {}, pool: 'origin', policies: [{ type: 'cache', cache: 'pages' }] }],
  });

const metrics = (gateway: TestGateway) => gateway.running.gateway.metrics.cache('pages').disk;
const ready = (gateway: TestGateway): Promise<void> =>
  until(() => gateway.logged.some(({ event }) => event === 'the disk of a cache is ready'), 'the disk is ready');

test('the origin is asked instead, by all who waited; nor does the end wait', async () => {
  using at = place();
  await using origin = await httpOrigin((_, response) => {
    response.setHeader('cache-control', 'max-age=1000');
    response.end('body');
  });
  const get = (gateway: TestGateway, path: string) => ask(gateway.port(), path, { headers: { host: 'example.com' } });
  {
    await using gateway = await testGateway(config(origin.port, at.path));
    await ready(gateway);
    await get(gateway, '/x');
  }
  {
    await using gateway = await testGateway(config(origin.port, at.path));
    await ready(gateway);
    slow.is = true;
    const answers = await Promise.all([get(gateway, '/x'), get(gateway, '/x')]);
    expect(answers.map(({ body }) => body)).toEqual(['body', 'body']);
    expect(metrics(gateway)).toMatchObject({ late: 2, hits: 0 });
    expect(origin.requests.length).toBe(2);
    // What is read at last is not given in place of what has come meanwhile.
    slow.is = false;
    for (const read of slow.reads.splice(0)) read();
    expect((await get(gateway, '/x')).body).toBe('body');
    slow.is = true;
    await get(gateway, '/y');
    await until(() => slow.writes.length > 0, 'it is being written');
  }
  // It is over, and the disk has taken nothing yet.
  expect(slow.writes.length).toBeGreaterThan(0);
  slow.is = false;
  for (const write of slow.writes.splice(0)) write();
}, 60_000);
