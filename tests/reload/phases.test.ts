/** Every reload is seen: what set it off, the phases that it reached and how long each took, why it failed, when it drained. */
import { once } from 'node:events';
import net from 'node:net';
import { describe, expect, test } from 'vitest';
import type { ReloadView } from '../../src/runtime/reload/reload.ts';
import { simpleConfig, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { get } from '../support/requests.ts';
import { chat, chatOrigin } from '../support/streams.ts';

const WHOLE = ['seen', 'parsed', 'validated', 'planned', 'tested', 'bound', 'active', 'drained'];

const phasesOf = ({ phases }: ReloadView): string[] => phases.map(({ phase }) => phase);

const newest = ({ running: { reloader } }: TestGateway): ReloadView => reloader.reloads.find('last')!.view;

const fixed = (body: string): object[] => [{ name: 'all', match: {}, respond: { body } }];

/** Each phase has its time, and all of them together are what it took. */
function timed(view: ReloadView): void {
  const before = view.phases.filter(({ phase }) => phase !== 'drained');
  for (const { ms, at } of view.phases) {
    expect(ms).toBeGreaterThanOrEqual(0);
    expect(at).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  }
  const sum = before.reduce((all, { ms }) => all + ms, 0);
  expect(Math.abs(sum - view.duration_ms)).toBeLessThan(1);
}

test('a start and an edit go through all phases, in order, and each is timed', async () => {
  await using origin = await httpOrigin();
  const config = simpleConfig(origin.port);
  await using gateway = await testGateway(config);
  const start = newest(gateway);
  expect(start).toMatchObject({ trigger: 'start', result: 'applied', reason: '', generation: 1, problems: [] });
  expect(phasesOf(start)).toEqual(WHOLE);
  timed(start);
  await gateway.edit({ ...config, routes: fixed('new') });
  const edit = newest(gateway);
  expect(edit).toMatchObject({ result: 'applied', generation: 2, problem: '' });
  expect(['watch', 'poll']).toContain(edit.trigger);
  expect(edit.changes).toBe('~1 route');
  expect(phasesOf(edit)).toEqual(WHOLE);
  timed(edit);
  expect(edit.id).not.toBe(start.id);
  expect(edit.digest).not.toBe(start.digest);
  const line = gateway.logged.findLast(({ event }) => event === 'config in effect')!;
  expect(line).toMatchObject({ reload: edit.id, trigger: edit.trigger, digest: edit.digest, generation: 2 });
  expect(Object.keys(line['ms'] as object)).toEqual(WHOLE);
});

test('what is compiled in a process of its own is timed there', async () => {
  await using origin = await httpOrigin();
  const many = Array.from({ length: 600 }, (_, i) => ({ name: `r${i}`, match: { path: `/r${i}` }, pool: 'origin' }));
  await using gateway = await testGateway(simpleConfig(origin.port, { routes: many }));
  const start = newest(gateway);
  expect(phasesOf(start)).toEqual(WHOLE);
  timed(start);
  for (const phase of ['parsed', 'validated', 'planned'])
    expect(start.phases.find((one) => one.phase === phase)!.ms).toBeGreaterThan(0.1);
});

describe('a reload that fails', () => {
  const cases: readonly (readonly [string, readonly string[], (port: number) => object | string, RegExp])[] = [
    ['parse', ['seen'], () => '{\n  "version" 1\n}', /^Colon expected|^Unexpected/],
    ['validate', ['seen', 'parsed'], (port) => simpleConfig(port, { colour: 'red' }), /^unknown setting colour/],
    [
      'plan',
      ['seen', 'parsed', 'validated'],
      (port) => simpleConfig(port, { routes: [{ name: 'all', match: {}, pool: 'orign' }] }),
      /^there is no pool orign/,
    ],
    [
      'tests',
      ['seen', 'parsed', 'validated', 'planned'],
      (port) => simpleConfig(port, { invariants: [{ type: 'route_exists', route: 'other' }] }),
      /other/,
    ],
  ];
  test.each(cases)('at %s says so, how far it came, and what is wrong where', async (reason, reached, bad, message) => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway(simpleConfig(origin.port));
    await gateway.edit(bad(origin.port));
    const failed = newest(gateway);
    expect(failed).toMatchObject({ result: 'failed', reason, generation: 1, problems_left_out: 0 });
    expect(phasesOf(failed)).toEqual(reached);
    expect(failed.problems[0]!.message).toMatch(message);
    expect(failed.problems[0]).toMatchObject({ file: gateway.file, line: expect.any(Number) as number });
    expect(failed.problem).toContain(`${gateway.file}:${failed.problems[0]!.line}:${failed.problems[0]!.column}`);
    const line = gateway.logged.findLast(({ level }) => level === 'error')!;
    expect(line).toMatchObject({ reload: failed.id, reason, problem: failed.problem });
    expect((await get(gateway.port(), '/x')).body).toBe('ok /x');
    await gateway.edit(simpleConfig(origin.port));
    expect(newest(gateway)).toMatchObject({ result: 'unchanged', generation: 1 });
    expect(phasesOf(newest(gateway))).toEqual(WHOLE.filter((phase) => phase !== 'bound'));
  });

  test('at an address that is taken says so, and names the place', async () => {
    await using origin = await httpOrigin();
    const taken = net.createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as net.AddressInfo;
    await using gateway = await testGateway(simpleConfig(origin.port));
    const listeners = { web: { address: '127.0.0.1:0' }, more: { address: `127.0.0.1:${port}` } };
    await gateway.edit(JSON.stringify(simpleConfig(origin.port, { listeners }), null, 2));
    const failed = newest(gateway);
    expect(failed).toMatchObject({ result: 'failed', reason: 'bind', generation: 1 });
    expect(phasesOf(failed)).toEqual(WHOLE.slice(0, 5));
    const message = `listener more cannot have 127.0.0.1:${port}: EADDRINUSE, something else listens there`;
    expect(failed.problems).toEqual([
      { level: 'error', file: gateway.file, line: 8, column: 18, pointer: '/listeners/more/address', message },
    ]);
    taken.close();
  });

  test.each([400, 3000])('with %i problems, more than anybody reads, keeps the first of them', async (count) => {
    await using origin = await httpOrigin();
    const config = simpleConfig(origin.port);
    await using gateway = await testGateway(config);
    const names = Array.from({ length: count }, (_, i) => `unknown_${'x'.repeat(100)}_${i}`);
    await gateway.edit({ ...config, ...Object.fromEntries(names.map((name) => [name, 1])) });
    const { problems, problems_left_out: rest, problem } = newest(gateway);
    expect([problems.length, rest]).toEqual([100, count - 100]);
    expect(problem.length).toBeLessThan(70_000);
    expect(problem).toMatch(/… and more$/);
  });
});

test('drained comes when nothing runs on what was before it, however many reloads that is', async () => {
  await using origin = await chatOrigin();
  const config = simpleConfig(origin.port);
  await using gateway = await testGateway(config);
  await using stream = await chat(gateway.port());
  await gateway.edit({ ...config, pools: { origin: { endpoints: [`localhost:${origin.port}`] } } });
  const second = newest(gateway);
  await gateway.edit({ ...config, routes: fixed('new') });
  const third = newest(gateway);
  expect([second, third].map((view) => phasesOf(view).at(-1))).toEqual(['active', 'active']);
  stream.socket.destroy();
  const { reloads } = gateway.running.reloader;
  const drained = (id: string): boolean => reloads.find(id)!.has('drained');
  await until(() => drained(second.id) && drained(third.id), 'both are drained');
  expect(reloads.find(second.id)!.view.phases.at(-1)!.ms).toBeGreaterThan(0);
});

test('SIGHUP is a reload though nothing has changed, once for all that ask before its turn', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(simpleConfig(origin.port));
  const { reloader } = gateway.running;
  const first = reloader.force('sighup')!;
  const [second, third] = [reloader.force('sighup')!, reloader.force('sighup')!];
  expect(second).toBe(third);
  expect(first).not.toBe(second);
  await until(() => second.result !== 'pending', 'both have had their turn');
  expect([first.view, second.view]).toMatchObject([
    { result: 'unchanged', trigger: 'sighup', generation: 1 },
    { result: 'unchanged', trigger: 'sighup', generation: 1 },
  ]);
  expect(reloader.reloads.all.map(({ id }) => id).slice(0, 2)).toEqual([second.id, first.id]);
});

test('a file that is still bad is refused again if somebody asks', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(simpleConfig(origin.port));
  await gateway.edit('{');
  const again = gateway.running.reloader.force('sighup')!;
  await until(() => again.result !== 'pending', 'it has had its turn');
  expect(again.view).toMatchObject({ result: 'failed', reason: 'parse' });
});

test('the last hundred are kept, and nobody waits for one that is not', async () => {
  await using origin = await chatOrigin();
  const config = simpleConfig(origin.port);
  await using gateway = await testGateway(config);
  await using stream = await chat(gateway.port());
  const { reloads } = gateway.running.reloader;
  await gateway.edit({ ...config, pools: { origin: { endpoints: [`localhost:${origin.port}`] } } });
  const old = reloads.find('last')!;
  let told = 0;
  old.listen(() => told++);
  for (let i = 0; i < 100; i++) await gateway.edit({ ...config, routes: fixed(`${i}`) });
  expect(reloads.all).toHaveLength(100);
  expect(reloads.find(old.id)).toBeNull();
  expect([told, old.has('drained'), phasesOf(old.view).at(-1)]).toEqual([1, true, 'active']);
  stream.socket.destroy();
});
