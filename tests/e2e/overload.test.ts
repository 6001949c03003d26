/** A gateway that has more to do than it can says so, and goes on with what it has begun. */
import { once } from 'node:events';
import net from 'node:net';
import { expect, test } from 'vitest';
import { get } from '../support/requests.ts';
import { simpleConfig, testGateway, until } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';

test('limits.overload.memory: new requests get a 503, /ready says why, what runs is finished; a reload ends it', async () => {
  let release = (): void => {};
  await using origin = await httpOrigin(({ url }, response) => {
    if (url === '/slow') release = () => response.end('slow');
    else response.end('quick');
  });
  const calm = simpleConfig(origin.port, {
    admin: { address: '127.0.0.1:0' },
    listeners: { web: { address: '127.0.0.1:0' }, raw: { address: '127.0.0.1:0', protocol: 'tcp', pool: 'origin' } },
  });
  await using gateway = await testGateway(calm);
  await using slow = await RawClient.to(gateway.port());
  slow.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
  await until(() => origin.requests.length === 1, 'the slow one is under way');
  await gateway.edit({ ...calm, limits: { overload: { memory: '1MiB' } } });
  await until(() => gateway.running.gateway.state === 'overloaded', 'the memory has been looked at');
  const refused = await get(gateway.port(), '/x');
  expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1']);
  expect((await get(gateway.adminPort(), '/ready')).status).toBe(503);
  const raw = net.connect(gateway.port('raw'), '127.0.0.1');
  const [error] = (await once(raw, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNRESET');
  const metrics = (await get(gateway.adminPort(), '/metrics')).body;
  expect(metrics).toContain('prozy_listener_refused_total{listener="web",reason="overload"} 1');
  expect(metrics).toContain('prozy_listener_refused_total{listener="raw",reason="overload"} 1');
  release();
  expect((await slow.response()).body).toBe('slow');
  await gateway.edit(calm);
  expect((await get(gateway.port(), '/x')).status).toBe(200);
  expect((await get(gateway.adminPort(), '/ready')).status).toBe(200);
});

test('limits.overload.loop_delay: a loop that is held up is noticed', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(simpleConfig(origin.port, { limits: { overload: { loop_delay: '300ms' } } }));
  const states: string[] = [];
  gateway.running.gateway.events.listen(({ type, reason }) => states.push(`${type} ${String(reason)}`));
  const end = performance.now() + 1500;
  while (performance.now() < end);
  await until(() => states.includes('overload event loop delay'), 'it has been noticed');
  await until(() => gateway.running.gateway.state === 'serving', 'it is over');
});
