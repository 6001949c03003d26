/** What a reload keeps: everything that its change did not touch. */
import { expect, test } from 'vitest';
import { simpleConfig, testGateway, until } from '../support/gateway.ts';
import { answering, httpOrigin, rawOrigin } from '../support/origin.ts';
import { ShiftedClock } from '../support/shifted-clock.ts';
import { RawClient } from '../support/raw-client.ts';
import { get, getJson } from '../support/requests.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n';
const OTHER = { name: 'other', match: { path: { exact: '/other' } }, respond: { body: 'x' } };

function withOther(config: Record<string, unknown>, body: string): Record<string, unknown> {
  return { ...config, routes: [{ ...OTHER, respond: { body } }, ...(config['routes'] as object[])] };
}

interface Backend {
  readonly endpoint: string;
  readonly healthy: boolean;
  readonly failures: number;
  readonly active: number;
  readonly idle: number;
}

test('an unrelated edit keeps the pooled upstream connections', async () => {
  await using origin = await httpOrigin();
  const config = simpleConfig(origin.port);
  await using gateway = await testGateway(config);
  await using client = await RawClient.to(gateway.port());
  for (let i = 0; i < 10; i++) {
    await gateway.edit(withOther(config, String(i)));
    expect((await client.send(GET).response()).status).toBe(200);
  }
  expect(origin.received).toHaveLength(1);
});

test('so does a change of what is tuning; a change of what is shape begins anew', async () => {
  await using origin = await httpOrigin();
  const config = simpleConfig(origin.port);
  const endpoints = [`127.0.0.1:${origin.port}`];
  await using gateway = await testGateway(config);
  await get(gateway.port());
  await gateway.edit({ ...config, pools: { origin: { endpoints, keepalive: { idle: '7s' }, max_connections: 9 } } });
  await get(gateway.port());
  expect(origin.received).toHaveLength(1);
  await gateway.edit({
    ...config,
    pools: { renamed: { endpoints } },
    routes: [{ name: 'all', match: {}, pool: 'renamed' }],
  });
  await get(gateway.port());
  expect(origin.received).toHaveLength(2);
});

test('an endpoint that failed is still known to have failed', async () => {
  await using origin = await httpOrigin();
  const config = simpleConfig(origin.port, {
    admin: { address: '127.0.0.1:0' },
    pools: { origin: { endpoints: [`127.0.0.1:${origin.port}`, '127.0.0.1:1'] } },
  });
  await using gateway = await testGateway(config);
  for (let i = 0; i < 4; i++) expect((await get(gateway.port())).status).toBe(200);
  const before = await getJson<Backend[]>(gateway.adminPort(), '/backends');
  expect(before.map(({ healthy, failures }) => [healthy, failures])).toEqual([
    [true, 0],
    [false, 1],
  ]);
  await gateway.edit(withOther(config, 'new'));
  expect(await getJson<Backend[]>(gateway.adminPort(), '/backends')).toEqual(before);
});

test('a request under way is finished under the config that it began with, and holds its generation until then', async () => {
  const releases: (() => void)[] = [];
  await using origin = await httpOrigin(({ url }, response) => {
    releases.push(() => response.end(`late ${url}`));
  });
  const headers = (value: string) => [
    {
      name: 'all',
      match: {},
      pool: 'origin',
      policies: [{ type: 'headers', response: { set: { 'x-config': value } } }],
    },
  ];
  const config = simpleConfig(origin.port, { routes: headers('old') });
  await using gateway = await testGateway(config);
  await using before = await RawClient.to(gateway.port());
  await using after = await RawClient.to(gateway.port());
  before.send(GET);
  await until(() => releases.length === 1, 'the first is under way');
  await gateway.edit({ ...config, routes: headers('new') });
  after.send(GET);
  await until(() => releases.length === 2, 'the second is under way');
  expect(gateway.running.gateway.snapshots.map(({ generation, leases }) => [generation, leases])).toEqual([
    [2, 1],
    [1, 1],
  ]);
  for (const release of releases) release();
  expect((await before.response()).headers['x-config']).toBe('old');
  expect((await after.response()).headers['x-config']).toBe('new');
  await until(() => gateway.running.gateway.snapshots.length === 1, 'the old generation ends');
});

test('a tunnel goes over to any number of new generations, until its endpoint is not there; then it has its drain time', async () => {
  await using origin = await rawOrigin(
    answering((socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n');
      socket.on('data', (part: Buffer) => socket.write(part));
    }),
  );
  const config = simpleConfig(origin.port, { reload: { drain: '60s' } });
  const clock = new ShiftedClock({ timers: true });
  await using gateway = await testGateway(config, { clock });
  await using client = await RawClient.to(gateway.port());
  client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n');
  expect((await client.response()).status).toBe(101);
  for (let i = 0; i < 5; i++) {
    const before = client.text.length;
    await gateway.edit(withOther(config, String(i)));
    client.send(`ping ${i}`);
    await until(() => client.text.length > before, 'the echo comes');
  }
  expect(gateway.running.gateway.snapshots.map(({ leases }) => leases)).toEqual([1]);
  await gateway.edit({ ...config, pools: { origin: { endpoints: ['127.0.0.1:1'] } } });
  expect(gateway.running.gateway.snapshots.map(({ leases }) => leases)).toEqual([0, 1]);
  clock.shift(61_000);
  await until(() => client.closed, 'the drain time is over');
  expect(client.error).toBe('ECONNRESET');
  expect(gateway.running.gateway.snapshots).toHaveLength(1);
  expect(gateway.logged.some(({ event }) => event === 'generation ended at its drain deadline')).toBe(true);
});

test('counters go on; series of what is gone are dropped', async () => {
  await using origin = await httpOrigin();
  const config = simpleConfig(origin.port, { admin: { address: '127.0.0.1:0' } });
  await using gateway = await testGateway(withOther(config, 'a'));
  await get(gateway.port(), '/other');
  await get(gateway.port(), '/x');
  await gateway.edit(config);
  await get(gateway.port(), '/x');
  const { body } = await get(gateway.adminPort(), '/metrics');
  expect(body).toContain('prozy_http_requests_total{route="all",code="2xx"} 2');
  expect(body).not.toContain('route="other"');
});
