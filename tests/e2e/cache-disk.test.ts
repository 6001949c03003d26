/** A cache's disk behind real sockets: what survives, what does not come back, what becomes of a disk that fails. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { simpleConfig, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { type Answer, type AskOptions, get as ask } from '../support/requests.ts';

function directory(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'prozy-disk-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

const config = (port: number, path: string, disk: object = {}, cache: object = {}): Record<string, unknown> =>
  simpleConfig(port, {
    caches: { pages: { disk: { path, ...disk }, ...cache } },
    routes: [{ name: 'all', match: {}, pool: 'origin', policies: [{ type: 'cache', cache: 'pages' }] }],
  });

/** The port is another one after a restart; the name stays. */
const get = (gateway: TestGateway, path: string, options: AskOptions = {}): Promise<Answer> =>
  ask(gateway.port(), path, { ...options, headers: { host: 'example.com', ...options.headers } });

const metrics = (gateway: TestGateway) => gateway.running.gateway.metrics.cache('pages').disk;
const ready = (gateway: TestGateway): Promise<void> =>
  until(() => gateway.logged.some(({ event }) => event === 'the disk of a cache is ready'), 'the disk is ready');

test('survives a restart', async () => {
  using disk = directory();
  await using origin = await httpOrigin(({ url }, response) => {
    response.setHeader('cache-control', 'max-age=1000');
    response.setHeader('etag', '"1"');
    response.end(`body of ${url}`);
  });
  {
    await using gateway = await testGateway(config(origin.port, disk.path));
    await ready(gateway);
    for (let i = 0; i < 50; i++) await get(gateway, `/${i}`);
  }
  expect(origin.requests.length).toBe(50);
  await using gateway = await testGateway(config(origin.port, disk.path));
  await ready(gateway);
  for (let i = 0; i < 50; i++) {
    const { status, body, headers } = await get(gateway, `/${i}`);
    expect([status, body, headers.etag]).toEqual([200, `body of /${i}`, '"1"']);
    expect(headers['cache-status']).toContain('hit');
  }
  expect(origin.requests.length).toBe(50);
  expect(metrics(gateway).hits).toBe(50);
  expect(gateway.logged.filter(({ level }) => level === 'error')).toEqual([]);
});
