/** Warnings don't keep a config from taking effect, and are told wherever one looks; what is disabled comes back whole. */
import { expect, test } from 'vitest';
import { simpleConfig, testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { get, getJson } from '../support/requests.ts';
import { start } from '../support/command.ts';

const ADMIN = { admin: { address: '127.0.0.1:0' } };
const MAINTENANCE = { name: 'maintenance', match: {}, respond: { status: 503, body: 'back soon' } };
const HIDDEN = 'route all can never match: maintenance takes all its requests';

interface Shown {
  readonly warnings: readonly { readonly level: string; readonly message: string }[];
}

test('maintenance: a first route takes everything, with a warning that is logged once, and goes again', async () => {
  await using origin = await httpOrigin();
  const config = simpleConfig(origin.port, ADMIN);
  await using gateway = await testGateway(config);
  const { reloader } = gateway.running;
  const closed = { ...config, routes: [MAINTENANCE, { name: 'all', match: {}, pool: 'origin' }] };
  const pretty = (one: object): string => JSON.stringify(one, null, 2);
  await gateway.edit(pretty(closed));
  expect(reloader.reloads.last).toMatchObject({ result: 'applied', problem: '' });
  expect(reloader.reloads.last!.warning).toContain(`warning: routes[1]  ${HIDDEN}`);
  expect(await get(gateway.port())).toMatchObject({ status: 503, body: 'back soon' });
  const shown = await getJson<Shown>(gateway.adminPort(), '/generations');
  expect(shown.warnings).toMatchObject([{ level: 'warning', message: HIDDEN }]);
  const metrics = (await get(gateway.adminPort(), '/metrics')).body;
  expect(metrics).toContain('prozy_config_last_reload_successful 1');

  // The same warnings again, after another edit and a reload that is asked for: nothing that the log does not have.
  await gateway.edit(pretty({ ...closed, logging: { level: 'debug' } }));
  await using again = start(['reload', '--admin', `127.0.0.1:${gateway.adminPort()}`]);
  const { code, out, err } = await again.end();
  expect({ code, told: out.includes('nothing has changed'), warned: err.includes(HIDDEN) }).toEqual({
    code: 0,
    told: true,
    warned: true,
  });
  const warned = (): number => gateway.logged.filter(({ event }) => event === 'config has warnings').length;
  expect(warned()).toBe(1);

  // Another warning before it, and a route that moves it: only what is new is told.
  const more = { ...closed, routes: [{ name: 'new', match: { path: '/a/*' }, pool: 'origin' }, ...closed.routes] };
  await gateway.edit(pretty(more));
  const told = gateway.logged.filter(({ event }) => event === 'config has warnings').map(({ warning }) => warning);
  expect(told).toHaveLength(2);
  expect(told[1]).toContain('* stands for itself here');
  expect(told[1]).not.toContain(HIDDEN);
  await gateway.edit(
    pretty({ 'x-note': 1, ...more, routes: [{ ...more.routes[0], name: 'b', match: { path: '/b' } }, ...more.routes] }),
  );
  await gateway.edit(pretty(closed));
  expect(reloader.reloads.last!.warning).toContain(HIDDEN);
  expect(warned()).toBe(2);

  await gateway.edit(config);
  expect(reloader.reloads.last).toMatchObject({ result: 'applied', warning: '', problems: [] });
  expect((await get(gateway.port(), '/x')).body).toBe('ok /x');
  await gateway.edit(closed);
  expect(warned()).toBe(3);
});

test('what is disabled serves nothing, and everything again when it is enabled', async () => {
  await using origin = await httpOrigin();
  const deny = { type: 'acl', acl: 'nobody' };
  const config = (enabled: boolean): object => ({
    version: 1,
    acls: { nobody: { default: 'deny' } },
    pools: {
      origin: {
        endpoints: [
          { address: `127.0.0.1:${origin.port}`, enabled: !enabled },
          { address: '127.0.0.1:9', enabled },
        ],
      },
      spare: { endpoints: [`127.0.0.1:${origin.port}`] },
    },
    listeners: { web: { address: '127.0.0.1:0' }, more: { address: '127.0.0.1:0', enabled } },
    routes: [
      { ...MAINTENANCE, match: { path: '/maintained' }, enabled },
      { name: 'denied', match: { path: '/denied' }, policies: [{ ...deny, enabled }], pool: 'spare' },
      { name: 'all', match: {}, pool: 'origin' },
    ],
  });
  await using gateway = await testGateway(config(false));
  const seen = async (): Promise<number[]> => {
    const paths = ['/maintained', '/denied', '/x'];
    return await Promise.all(paths.map(async (path) => (await get(gateway.port(), path)).status));
  };
  expect(await seen()).toEqual([200, 200, 200]);
  expect(gateway.running.gateway.addressOf('more')).toBeNull();
  await gateway.edit(config(true));
  // Nobody listens at the other endpoint.
  expect(await seen()).toEqual([503, 403, 502]);
  expect(gateway.running.gateway.addressOf('more')).not.toBeNull();
  await gateway.edit(config(false));
  expect(await seen()).toEqual([200, 200, 200]);
  expect(gateway.running.gateway.addressOf('more')).toBeNull();
});

test.each([
  'round_robin',
  'weighted_round_robin',
  'least_connections',
  'random',
  'ip_hash',
  'p2c',
  'ring_hash',
  'maglev',
])('a pool whose endpoints are all disabled: %s has no one to ask, and its fallback answers', async (strategy) => {
  await using origin = await httpOrigin();
  const off = { address: `127.0.0.1:${origin.port}`, enabled: false };
  const config = simpleConfig(origin.port, {
    pools: { origin: { strategy, endpoints: [off] }, spare: { endpoints: [`127.0.0.1:${origin.port}`] } },
  });
  await using gateway = await testGateway(config);
  expect(gateway.running.reloader.warnings).toMatchObject([
    { message: 'every endpoint is disabled: requests get 503' },
  ]);
  expect((await get(gateway.port())).status).toBe(503);
  const pools = { ...(config['pools'] as object), origin: { strategy, endpoints: [off], fallback: { pool: 'spare' } } };
  await gateway.edit({ ...config, pools });
  expect((await get(gateway.port(), '/y')).body).toBe('ok /y');
});

test('an answer of the route itself is not hidden by what its cache still has', async () => {
  await using origin = await httpOrigin();
  const policies = [{ type: 'cache', cache: 'pages', default_ttl: '1h' }];
  const config = (action: object): ReturnType<typeof simpleConfig> =>
    simpleConfig(origin.port, { caches: { pages: {} }, routes: [{ name: 'all', match: {}, policies, ...action }] });
  await using gateway = await testGateway(config({ pool: 'origin' }));
  for (let i = 0; i < 2; i++) expect((await get(gateway.port(), '/x')).body).toBe('ok /x');
  await gateway.edit(config({ respond: { status: 503, body: 'back soon' } }));
  expect(gateway.running.reloader.reloads.last).toMatchObject({ result: 'applied' });
  expect(await get(gateway.port(), '/x')).toMatchObject({ status: 503, body: 'back soon' });
});

test.each([
  ['', 'has nothing in it'],
  ['version: 1\n', 'there is no listener'],
  ['version: 1\nadmin: { address: "127.0.0.1:0" }\n', 'there is no listener'],
  ['version: 1\nlisteners: { web: { address: "127.0.0.1:0", enabled: false } }\n', 'every listener is disabled'],
])('a config without a listener does not close the ones there are: %j', async (text, message) => {
  await using gateway = await testGateway(
    'version: 1\nlisteners: { web: { address: "127.0.0.1:0" } }\nroutes: [{ name: all, match: {}, respond: {} }]\n',
  );
  await gateway.edit(text);
  expect(gateway.running.reloader.reloads.last).toMatchObject({ result: 'failed' });
  expect(gateway.running.reloader.reloads.last!.problem).toContain(message);
  expect((await get(gateway.port())).status).toBe(200);
  await expect(testGateway(text)).rejects.toThrow(message);
});
