/** An operator's commands and the stream of events, over the admin listener and the command line. */
import http from 'node:http';
import { writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { program } from '../../src/cli/program.ts';
import { diffPlans } from '../../src/plan/diff.ts';
import { forecast } from '../../src/plan/diff/forecast.ts';
import type { GatewayEvent } from '../../src/observe/events.ts';
import type { Plan } from '../../src/plan/types.ts';
import { start } from '../support/command.ts';
import { endpointOf, simpleConfig, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';
import { chat, chatOrigin, echoes } from '../support/streams.ts';

const ADMIN = { admin: { address: '127.0.0.1:0' } };
const of = (...ports: number[]) =>
  simpleConfig(0, {
    ...ADMIN,
    pools: { app: { endpoints: ports.map((port) => `127.0.0.1:${port}`) } },
    routes: [{ name: 'all', match: {}, pool: 'app' }],
  });

const say = (gateway: TestGateway, port: number, word: string, headers: http.OutgoingHttpHeaders = {}) =>
  get(gateway.adminPort(), `/backends/app/127.0.0.1%3A${port}/${word}`, { method: 'POST', headers });

const bodies = async (gateway: TestGateway, times: number): Promise<string[]> => {
  const seen = new Set<string>();
  for (let i = 0; i < times; i++) seen.add((await get(gateway.port())).body);
  return [...seen].toSorted();
};

describe('commands', () => {
  test('drain, disable, enable: what runs goes on, nothing new comes, and reloads do not undo it', async () => {
    const slow: (() => void)[] = [];
    await using one = await httpOrigin(({ url }, response) => {
      if (url === '/slow') slow.push(() => response.end('slow'));
      else response.end('one');
    });
    await using two = await httpOrigin((_, response) => response.end('two'));
    await using gateway = await testGateway(of(one.port, two.port));
    await using client = await RawClient.to(gateway.port());
    client.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => slow.length === 1, 'one is under way');
    const drained = await say(gateway, one.port, 'drain');
    expect(JSON.parse(drained.body)).toMatchObject({
      pool: 'app',
      state: 'draining',
      admin_state: 'draining',
      active: 1,
    });
    expect(await bodies(gateway, 6)).toEqual(['two']);
    await gateway.edit({ ...of(one.port, two.port), reload: { drain: '7s' } });
    expect(await bodies(gateway, 6)).toEqual(['two']);
    slow[0]!();
    expect((await client.response()).body).toBe('slow');
    const disabled = await say(gateway, one.port, 'disable');
    expect(JSON.parse(disabled.body)).toMatchObject({ state: 'disabled', open: 0, idle: 0 });
    expect(await bodies(gateway, 4)).toEqual(['two']);
    await say(gateway, one.port, 'enable');
    expect(await bodies(gateway, 6)).toEqual(['one', 'two']);
  });

  test('a pool that is renamed keeps the word, the health and the streams of its endpoints if it says so', async () => {
    await using origin = await chatOrigin();
    const renamed = (pool: string, more: object = {}): Record<string, unknown> => ({
      ...of(origin.port),
      pools: { [pool]: { endpoints: [`127.0.0.1:${origin.port}`], ...more } },
      routes: [{ name: 'all', match: {}, pool }],
    });
    await using gateway = await testGateway(renamed('app'));
    await using stream = await chat(gateway.port());
    await say(gateway, origin.port, 'drain');
    const live = {
      connections: {},
      leases: [],
      older: 0,
      endpoints: [{ pool: 'app', endpoint: `127.0.0.1:${origin.port}`, active: 1, idle: 0, admin_state: 'draining' }],
    };
    const before = gateway.running.gateway.current!.plan;
    await gateway.edit(renamed('young', { renamed_from: 'app' }));
    const { current } = gateway.running.gateway;
    const forgets = (plan: Plan) => forecast(before, plan, diffPlans(before, plan), live).forgets.length;
    expect(forgets(current!.plan)).toBe(0);
    expect(
      diffPlans(before, current!.plan).changes.map(({ kind, name, action }) => [kind, name, action]),
    ).toContainEqual(['pool', 'young', 'renamed']);
    expect(endpointOf(gateway, 'young').health.adminState).toBe('draining');
    expect(endpointOf(gateway, 'young').pool).toBe('young');
    await echoes(stream);
    expect(gateway.running.gateway.snapshots.map(({ leases }) => leases)).toEqual([1]);
    // The next edit need not say it again; another pool of the old name begins anew, and so does one that does not say it.
    await gateway.edit(renamed('young'));
    expect(endpointOf(gateway, 'young').health.adminState).toBe('draining');
    await gateway.edit(renamed('app'));
    expect(endpointOf(gateway, 'app').health.adminState).toBe('enabled');
    expect(forgets(gateway.running.gateway.current!.plan)).toBe(0);
    expect(gateway.logged.map(({ event }) => event)).toContain('the reload forgets the admin state of an endpoint');
    await gateway.edit(renamed('third'));
    expect(forgets(gateway.running.gateway.current!.plan)).toBe(1);
    stream.socket.resetAndDestroy();
    await until(() => gateway.running.gateway.snapshots.length === 1, 'the stream is over');
  });

  test('a reload that forgets a drain says so in its view, in the log, in the events and in prozy reload', async () => {
    await using origin = await httpOrigin();
    const named = (pool: string, more: object = {}): Record<string, unknown> => ({
      ...of(origin.port),
      pools: { [pool]: { endpoints: [`127.0.0.1:${origin.port}`], ...more } },
      routes: [{ name: 'all', match: {}, pool }],
    });
    await using gateway = await testGateway(named('app'));
    const { reloader, gateway: running } = gateway.running;
    const events: GatewayEvent[] = [];
    running.events.listen((event) => event.type === 'forgets' && events.push(event));
    const warned = (): readonly object[] =>
      gateway.logged.filter(({ event }) => event === 'the reload forgets the admin state of an endpoint');
    await say(gateway, origin.port, 'drain');
    await gateway.edit(named('right', { renamed_from: 'app' }));
    expect(reloader.reloads.last).toMatchObject({ result: 'applied', forgets: [] });
    expect([events, warned()]).toEqual([[], []]);

    // A typo: there was no pool rihgt.
    await gateway.edit(named('wrong', { renamed_from: 'rihgt' }));
    expect(endpointOf(gateway, 'wrong').health.adminState).toBe('enabled');
    const forgotten = { pool: 'right', endpoint: `127.0.0.1:${origin.port}`, admin_state: 'draining' };
    const { last } = reloader.reloads;
    expect(last).toMatchObject({ result: 'applied', forgets: [forgotten] });
    expect(events).toMatchObject([{ id: last!.id, ...forgotten }]);
    expect(warned()).toMatchObject([{ level: 'warn', reload: last!.id, ...forgotten }]);

    // Once: the next reload has nothing left to forget.
    await gateway.edit({ ...named('again'), reload: { watch: false } });
    expect(reloader.reloads.last).toMatchObject({ result: 'applied', forgets: [] });
    expect(warned()).toHaveLength(1);

    running.current!.pools.get('again')!.value.endpoints[0]!.state.command('disabled');
    writeFileSync(gateway.file, JSON.stringify(named('other')));
    await using command = start(['reload', '--admin', `127.0.0.1:${gateway.adminPort()}`]);
    const { out } = await command.end();
    expect(out).toContain(`forgets that again/127.0.0.1:${origin.port} is disabled`);
  });

  test('what does not exist is 404, another method 405, another site 403', async () => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway(of(origin.port));
    expect((await say(gateway, 1, 'drain')).status).toBe(404);
    expect((await get(gateway.adminPort(), '/backends/app/%E0%A4%A/drain', { method: 'POST' })).status).toBe(404);
    expect((await get(gateway.adminPort(), '/backends/app/x/drain')).status).toBe(405);
    expect((await say(gateway, origin.port, 'drain', { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await say(gateway, origin.port, 'drain', { origin: 'http://elsewhere.test' })).status).toBe(403);
    const host = `127.0.0.1:${gateway.adminPort()}`;
    expect((await say(gateway, origin.port, 'drain', { origin: `http://${host}`, host })).status).toBe(200);
  });
});

describe('the command line', () => {
  afterEach(() => void vi.restoreAllMocks());

  test('shows backends and sets their admin_state', async () => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway(of(origin.port));
    const written: string[] = [];
    const keep = (text: string | Uint8Array): boolean => written.push(String(text)) > 0;
    vi.spyOn(process.stdout, 'write').mockImplementation(keep);
    vi.spyOn(process.stderr, 'write').mockImplementation(keep);
    const admin = ['--admin', `127.0.0.1:${gateway.adminPort()}`];
    const endpoint = `127.0.0.1:${origin.port}`;
    expect(await program(['drain', 'app', endpoint, ...admin])).toBe(0);
    expect(written.splice(0).join('')).toBe(`app ${endpoint}: draining, 0 under way\n`);
    expect(await program(['backends', ...admin])).toBe(0);
    expect(written.splice(0).join('')).toMatch(/^POOL +ENDPOINT +STATE .*\napp +127\.0\.0\.1:\d+ +draining /);
    expect(await program(['enable', 'app', 'nobody:1', ...admin])).toBe(1);
    expect(written.splice(0).join('')).toBe('there is no endpoint nobody:1 in a pool app\n');
    expect(await program(['backends', '--admin', '127.0.0.1:1'])).toBe(1);
    expect(written.splice(0).join('')).toContain('127.0.0.1:1 does not answer');
  });
});

test('/events tells of endpoints and reloads, and leaves nobody listening', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(of(origin.port, 1));
  await using events = await RawClient.to(gateway.adminPort());
  events.send('GET /events HTTP/1.1\r\nHost: a\r\n\r\n');
  await until(() => events.text.includes(': prozy'), 'the stream has begun');
  await get(gateway.port());
  await get(gateway.port());
  await until(() => events.text.includes('"reason":"connect_refused"'), 'the endpoint is told of');
  await gateway.edit({ ...of(origin.port), reload: { drain: '7s' } });
  await until(() => events.text.includes('"result":"applied"'), 'the reload is told of');
  expect(events.text).toMatch(/event: endpoint\ndata: \{"time":"[^"]+","type":"endpoint","pool":"app"/);
  events.socket.destroy();
  await until(() => gateway.running.gateway.events.listeners === 0, 'nobody listens');
});
