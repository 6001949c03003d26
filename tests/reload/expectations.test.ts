/** A config that fails its own tests or invariants never takes effect, however it comes: by a start, a reload, or large. */
import { expect, test } from 'vitest';
import { simpleConfig, testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { get } from '../support/requests.ts';

const TESTS = [{ name: 'x goes to the origin', request: { url: 'http://a/x' }, expect: { route: 'all' } }];
const fixed = { name: 'fixed', match: { path: '/x' }, respond: { body: 'new' } };

test('a reload whose test fails is refused, says why and where, and the old config serves; mended, it takes effect', async () => {
  await using origin = await httpOrigin();
  const config = simpleConfig(origin.port, { tests: TESTS });
  await using gateway = await testGateway(config);
  const { reloader } = gateway.running;
  const routes = [fixed, { name: 'all', match: {}, pool: 'origin' }];
  await gateway.edit({ ...config, routes });
  expect(reloader.reloads.last).toMatchObject({ result: 'failed', generation: 1 });
  expect(reloader.reloads.last!.problem).toMatch(
    /gateway\.json:1:\d+ {2}tests\[0\]\.expect\.route {2}x goes to the origin: expected route all, but route fixed answers it with 200/,
  );
  expect((await get(gateway.port(), '/x')).body).toBe('ok /x');
  const refused = gateway.logged.filter(({ event }) => String(event).startsWith('config refused'));
  expect(refused).toHaveLength(1);

  await gateway.edit({ ...config, routes, tests: [{ ...TESTS[0], expect: { route: 'fixed', status: 200 } }] });
  expect(reloader.reloads.last).toMatchObject({ result: 'applied', generation: 2 });
  expect((await get(gateway.port(), '/x')).body).toBe('new');
});

test('a reload that breaks an invariant is refused', async () => {
  await using origin = await httpOrigin();
  const config = simpleConfig(origin.port, { invariants: [{ type: 'min_endpoints', endpoints: 1 }] });
  await using gateway = await testGateway(config);
  const { reloader } = gateway.running;
  await gateway.edit({
    ...config,
    pools: { origin: { endpoints: [{ address: `127.0.0.1:${origin.port}`, weight: 1 }, '127.0.0.1:1'] } },
    invariants: [{ type: 'min_endpoints', pool: 'origin', endpoints: 3 }],
  });
  expect(reloader.reloads.last!.problem).toContain('pool origin has 2 endpoints of weight above 0, and needs 3');
  expect((await get(gateway.port(), '/x')).body).toBe('ok /x');
});

test('a start with a failing test fails', async () => {
  const tests = [{ request: { url: 'http://a/' }, expect: { status: 200 } }];
  await expect(testGateway(simpleConfig(1, { tests }))).rejects.toThrow(/expected status 200, but route all sends it/);
});

test('tests that only change make no new generation: they are nothing that is served', async () => {
  await using origin = await httpOrigin();
  const config = simpleConfig(origin.port, { tests: TESTS });
  await using gateway = await testGateway(config);
  await gateway.edit({ ...config, tests: [], invariants: [{ type: 'route_exists', route: 'all' }] });
  expect(gateway.running.reloader.reloads.last).toMatchObject({ result: 'unchanged', generation: 1 });
});

test('a large config is tested in the process that compiles it, and refused just so', async () => {
  await using origin = await httpOrigin();
  const many = Array.from({ length: 600 }, (_, i) => ({ name: `r${i}`, match: { path: `/r${i}` }, pool: 'origin' }));
  const tests = many.map(({ name }) => ({ request: { url: `http://a/${name}/x` }, expect: { route: name } }));
  const config = simpleConfig(origin.port, { tests, routes: many });
  expect(JSON.stringify(config).length).toBeGreaterThan(64 * 1024);
  await using gateway = await testGateway(config);
  const { reloader } = gateway.running;
  expect(reloader.reloads.last).toMatchObject({ result: 'applied' });
  await gateway.edit({ ...config, routes: [{ ...fixed, match: { path: '/r300/x' } }, ...many] });
  expect(reloader.reloads.last!.result).toBe('failed');
  expect(reloader.reloads.last!.problem).toContain('expected route r300, but route fixed answers it with 200');
  expect(reloader.reloads.last!.problem).not.toContain('r301');
  expect((await get(gateway.port(), '/r300/x')).body).toBe('ok /r300/x');
});
