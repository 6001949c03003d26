/** Reloads as operators see them over the admin listener: a list, one by one, waited for, as a stream of events, as metrics. */
import http from 'node:http';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { ReloadView } from '../../src/runtime/reload/reload.ts';
import { simpleConfig, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { type Answer, get, getJson } from '../support/requests.ts';
import { chat, chatOrigin } from '../support/streams.ts';

const ADMIN = { admin: { address: '127.0.0.1:0' } };
const viewOf = ({ body }: Answer): ReloadView => JSON.parse(body) as ReloadView;
const post = (gateway: TestGateway, query = '', headers: http.OutgoingHttpHeaders = {}): Promise<Answer> =>
  get(gateway.adminPort(), `/reloads${query}`, { method: 'POST', headers });
const last = ({ body: { phases } }: { body: ReloadView }): string | undefined => phases.at(-1)?.phase;

describe('/reloads', () => {
  test('lists what was, the newest first; each is found by its id, the newest as last', async () => {
    await using origin = await httpOrigin();
    const config = simpleConfig(origin.port, ADMIN);
    await using gateway = await testGateway(config);
    await gateway.edit({ ...config, colour: 'red' });
    const port = gateway.adminPort();
    const { reloads } = await getJson<{ reloads: ReloadView[] }>(port, '/reloads');
    expect(reloads).toMatchObject([
      { result: 'failed', reason: 'validate', problems: 1, generation: 1 },
      { result: 'applied', trigger: 'start', problems: 0, generation: 1 },
    ]);
    expect(reloads[0]).not.toHaveProperty('problem');
    const newest = await getJson<ReloadView>(port, '/reloads/last');
    expect(newest).toEqual(await getJson(port, `/reloads/${reloads[0]!.id}`));
    expect(newest.problems).toMatchObject([{ message: 'unknown setting colour', line: 1, pointer: '/colour' }]);
    expect(newest.problem).toMatch(/gateway\.json:1:\d+/);
    expect((await get(port, '/reloads/none')).status).toBe(404);
    expect((await get(port, '/reloads/last?wait=soon')).status).toBe(400);
    expect((await get(port, '/reloads/last?wait=active&timeout=6m')).status).toBe(400);
    expect((await get(port, '/reloads/last?timeout=6s')).status).toBe(400);
  });

  test('POST has it read again: told at once where to look, or waited for', async () => {
    await using origin = await httpOrigin();
    const config = simpleConfig(origin.port, ADMIN);
    await using gateway = await testGateway(config);
    const asked = await post(gateway);
    expect([200, 202]).toContain(asked.status);
    expect(asked.headers['location']).toBe(`/reloads/${viewOf(asked).id}`);
    const waited = await post(gateway, '?wait=active&by=cli');
    expect([waited.status, viewOf(waited)]).toMatchObject([200, { result: 'unchanged', trigger: 'cli' }]);
    expect((await post(gateway, '?by=nobody')).status).toBe(400);
    expect((await post(gateway, '', { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  });

  test('a gateway that stops takes none', async () => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway(simpleConfig(origin.port, ADMIN));
    await gateway.running.reloader.close();
    expect((await post(gateway)).status).toBe(503);
  });

  test('?wait=active answers when it is in effect or refused, ?wait=drained when nothing runs on older ones', async () => {
    await using origin = await chatOrigin();
    const config = simpleConfig(origin.port, ADMIN);
    await using gateway = await testGateway(config);
    const port = gateway.adminPort();
    await using stream = await chat(gateway.port());
    await gateway.edit({ ...config, pools: { origin: { endpoints: [`localhost:${origin.port}`] } } });
    const active = await getJson<ReloadView>(port, '/reloads/last?wait=active');
    expect(last({ body: active })).toBe('active');
    const tooSoon = await getJson<ReloadView>(port, '/reloads/last?wait=drained&timeout=20ms');
    expect(last({ body: tooSoon })).toBe('active');
    const reload = gateway.running.reloader.reloads.find('last')!;
    const listeners = reload.listeners;
    const waiting = getJson<ReloadView>(port, '/reloads/last?wait=drained');
    await until(() => reload.listeners === listeners + 1, 'somebody waits');
    stream.socket.destroy();
    expect(last({ body: await waiting })).toBe('drained');
    expect(reload.listeners).toBe(listeners);
    // Neither is there anything to wait for with one that was refused.
    await gateway.edit({ ...config, colour: 'red' });
    expect(await getJson<ReloadView>(port, '/reloads/last?wait=drained')).toMatchObject({ result: 'failed' });
  });

  test('whoever leaves while waiting, or whose time is over, leaves nothing behind', async () => {
    await using origin = await chatOrigin();
    const config = simpleConfig(origin.port, ADMIN);
    await using gateway = await testGateway(config);
    await using stream = await chat(gateway.port());
    await gateway.edit({ ...config, pools: { origin: { endpoints: [`localhost:${origin.port}`] } } });
    const reload = gateway.running.reloader.reloads.find('last')!;
    const { listeners } = reload;
    const path = '/reloads/last?wait=drained';
    const requests = Array.from({ length: 20 }, () => {
      const request = http.get({ host: '127.0.0.1', port: gateway.adminPort(), path, agent: false });
      request.on('error', () => {});
      return request;
    });
    await until(() => reload.listeners === listeners + 20, 'all wait');
    for (const request of requests) request.destroy();
    await until(() => reload.listeners === listeners, 'all are forgotten');
    await get(gateway.adminPort(), `${path}&timeout=1ms`);
    expect(reload.listeners).toBe(listeners);
    stream.socket.destroy();
  });
});

test('/events tells each phase as it is reached, and how it ended', async () => {
  await using origin = await httpOrigin();
  const config = simpleConfig(origin.port, ADMIN);
  await using gateway = await testGateway(config);
  const request = http.get({ host: '127.0.0.1', port: gateway.adminPort(), path: '/events', agent: false });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  let text = '';
  response.setEncoding('utf8').on('data', (part: string) => (text += part));
  await until(() => text.startsWith(': prozy'), 'the stream has begun');
  await gateway.edit({ ...config, routes: [{ name: 'all', match: {}, respond: { body: 'new' } }] });
  const { id } = gateway.running.reloader.reloads.last!;
  const told = (type: string): Record<string, unknown>[] =>
    [...text.matchAll(/^event: (.*)\ndata: (.*)$/gm)]
      .filter(([, one]) => one === type)
      .map(([, , data]) => JSON.parse(data!) as Record<string, unknown>);
  await until(() => told('reload').length === 1 && told('reload_phase').length === 8, 'all is told');
  expect(told('reload_phase').map(({ phase }) => phase)).toEqual(
    ['seen', 'parsed', 'validated', 'planned', 'tested', 'bound', 'active', 'drained'], // In their order.
  );
  expect(told('reload_phase').every((event) => event['id'] === id && typeof event['ms'] === 'number')).toBe(true);
  expect(told('reload')[0]).toMatchObject({ id, result: 'applied', reason: '', generation: 2 });
  await gateway.edit({ ...config, colour: 'red' });
  await until(() => told('reload').length === 2, 'the refusal is told');
  expect(told('reload')[1]).toMatchObject({ result: 'failed', reason: 'validate', generation: 2 });
  request.destroy();
});

test('/metrics counts what reloads failed at and times each phase', async () => {
  await using origin = await httpOrigin();
  const config = simpleConfig(origin.port, ADMIN);
  await using gateway = await testGateway(config);
  const lines = async (): Promise<string[]> => (await get(gateway.adminPort(), '/metrics')).body.split('\n');
  expect(await lines()).toContain('prozy_config_last_reload_failure_timestamp_seconds 0');
  await gateway.edit('{');
  await gateway.edit({ ...config, colour: 'red' });
  const told = await lines();
  for (const line of [
    'prozy_config_reload_failures_total{reason="parse"} 1',
    'prozy_config_reload_failures_total{reason="validate"} 1',
    'prozy_config_reload_failures_total{reason="bind"} 0',
    'prozy_config_reload_phase_duration_seconds_count{phase="seen"} 3',
    'prozy_config_reload_phase_duration_seconds_count{phase="parsed"} 2',
    'prozy_config_reload_phase_duration_seconds_count{phase="drained"} 1',
  ])
    expect(told).toContain(line);
  const failedAt = told.find((line) => line.startsWith('prozy_config_last_reload_failure_timestamp_seconds'))!;
  expect(Math.abs(Number(failedAt.split(' ')[1]) * 1000 - Date.now())).toBeLessThan(60_000);
});
