/** A config that can't be is refused whole: nothing of it takes effect, the old one serves on, and everybody can see why. */
import { once } from 'node:events';
import net from 'node:net';
import { expect, test } from 'vitest';
import { simpleConfig, testGateway, until } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { get, getJson } from '../support/requests.ts';

interface Generations {
  readonly last_reload: { readonly result: string; readonly problem: string; readonly generation: number };
  readonly generations: readonly { readonly generation: number; readonly state: string; readonly leases: number }[];
}

const ADMIN = { admin: { address: '127.0.0.1:0' } };

test('a broken file is told of once, with every problem at its place; the old one serves, the watcher lives', async () => {
  await using origin = await httpOrigin();
  const good = simpleConfig(origin.port, ADMIN);
  await using gateway = await testGateway(good);
  const broken = {
    ...good,
    pools: { origin: { endpoints: [], colour: 'red' } },
    routes: [{ name: 'all', match: {}, pool: 'orign' }],
  };
  await gateway.edit(broken);
  expect((await get(gateway.port(), '/x')).body).toBe('ok /x');
  const refused = gateway.logged.filter(({ event }) => String(event).startsWith('config refused'));
  expect(refused).toHaveLength(1);
  for (const part of ['unknown setting colour', 'endpoints']) expect(refused[0]!['problem']).toContain(part);
  expect(refused[0]!['problem']).toMatch(/gateway\.json:\d+:\d+/);
  const seen = await getJson<Generations>(gateway.adminPort(), '/generations');
  expect(seen.last_reload).toMatchObject({ result: 'failed', generation: 1 });
  expect(seen.last_reload.problem).toContain('unknown setting colour');
  const metrics = (await get(gateway.adminPort(), '/metrics')).body;
  expect(metrics).toContain('prozy_config_last_reload_successful 0');
  expect(metrics).toContain('prozy_config_reloads_total{result="failed"} 1');
  expect((await get(gateway.adminPort(), '/ready')).status).toBe(200);

  await gateway.edit({ ...good, routes: [{ name: 'all', match: {}, respond: { body: 'new' } }] });
  expect((await get(gateway.port())).body).toBe('new');
  expect((await get(gateway.adminPort(), '/metrics')).body).toContain('prozy_config_last_reload_successful 1');
});

test('the same broken text written again is not told again', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(simpleConfig(origin.port));
  await gateway.edit('{');
  const { reloader } = gateway.running;
  const last = reloader.reloads.last;
  for (let i = 0; i < 3; i++) {
    reloader.hint();
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  expect(reloader.reloads.last).toBe(last);
  expect(gateway.logged.filter(({ level }) => level === 'error')).toHaveLength(1);
});

test('text that differs and means the same makes no new generation', async () => {
  await using origin = await httpOrigin();
  const config = simpleConfig(origin.port);
  await using gateway = await testGateway(config);
  await gateway.edit(`${JSON.stringify(config, null, 4)}\n\n`);
  expect(gateway.running.reloader.reloads.last).toMatchObject({ result: 'unchanged', generation: 1 });
  expect(gateway.running.gateway.current!.generation).toBe(1);
});

test('a file that is touched and not changed is not even compiled', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(simpleConfig(origin.port));
  const { reloader } = gateway.running;
  const { last } = reloader.reloads;
  reloader.hint();
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(reloader.reloads.last).toBe(last);
});

test('no routes are no routes', async () => {
  await using origin = await httpOrigin();
  const config = simpleConfig(origin.port);
  await using gateway = await testGateway(config);
  await gateway.edit({ ...config, routes: [] });
  expect((await get(gateway.port(), '/x')).status).toBe(404);
});

test('a port that is taken fails the reload whole: not one of its listeners opens, no route changes', async () => {
  await using origin = await httpOrigin();
  const taken = net.createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as net.AddressInfo;
  const config = simpleConfig(origin.port);
  await using gateway = await testGateway(config);
  await gateway.edit({
    ...config,
    listeners: {
      web: { address: '127.0.0.1:0' },
      more: { address: '127.0.0.1:0' },
      third: { address: `127.0.0.1:${port}` },
    },
    routes: [{ name: 'all', match: {}, respond: { body: 'new' } }],
  });
  expect(gateway.running.reloader.reloads.last).toMatchObject({ result: 'failed', generation: 1 });
  expect(gateway.running.reloader.reloads.last!.problem).toContain(
    `  listeners.third.address  listener third cannot have 127.0.0.1:${port}: EADDRINUSE`,
  );
  expect(gateway.running.gateway.addressOf('more')).toBeNull();
  expect((await get(gateway.port(), '/x')).body).toBe('ok /x');
  taken.close();
  await once(taken, 'close');
  gateway.running.reloader.force('sighup');
  await until(
    () => gateway.running.reloader.reloads.last!.result === 'applied',
    'the port is free and SIGHUP tries again',
  );
  expect((await get(port)).body).toBe('new');
});

test('an access log that cannot be opened fails the reload whole', async () => {
  await using origin = await httpOrigin();
  const config = simpleConfig(origin.port);
  await using gateway = await testGateway(config);
  await gateway.edit({ ...config, logging: { access: { path: '/proc/no/such/file' } }, routes: [] });
  expect(gateway.running.reloader.reloads.last!.problem).toMatch(
    / {2}logging\.access\.path {2}the access log cannot have \/proc\/no\/such\/file: E/,
  );
  expect((await get(gateway.port(), '/x')).body).toBe('ok /x');
});

test('a start with a broken file, or a port that is taken, fails and leaves nothing behind', async () => {
  await expect(testGateway('version: 2\nlisteners: []\n')).rejects.toThrow(/must be 1[\s\S]*listeners/);
  const taken = net.createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as net.AddressInfo;
  const config = { version: 1, listeners: { web: { address: `127.0.0.1:${port}` } } };
  await expect(testGateway(config)).rejects.toThrow(/EADDRINUSE/);
  taken.close();
  await once(taken, 'close');
});
