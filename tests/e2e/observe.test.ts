/** What operators see: access log, admin pages, metrics, application log. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { simpleConfig, testGateway, until } from '../support/gateway.ts';
import { answering, httpOrigin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get, getJson } from '../support/requests.ts';

const folder = mkdtempSync(join(tmpdir(), 'prozy-logs-'));
afterAll(() => rmSync(folder, { recursive: true }));
const ADMIN = { admin: { address: '127.0.0.1:0' } };

interface Line {
  readonly [name: string]: unknown;
}

/** What a gateway of that config logs while `use` uses it. */
async function logged(config: Record<string, unknown>, use: (port: number) => Promise<void>): Promise<Line[]> {
  const path = join(folder, `${Math.trunc(performance.now() * 1000)}.log`);
  {
    await using gateway = await testGateway({ ...config, logging: { access: { path } } });
    await use(gateway.port());
    await until(() => gateway.running.gateway.current!.leases === 0, 'everything is over');
  }
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
}

describe('the access log', () => {
  test('has a line for each exchange with everything about it', async () => {
    await using origin = await httpOrigin((_, response) => response.end('hello'));
    const [line, ...rest] = await logged(simpleConfig(origin.port), async (port) => {
      const headers = { host: 'Site.test:80', 'user-agent': 'té"st\\1' };
      await get(port, '/a"b?c=\\d', { headers });
    });
    expect(rest).toEqual([]);
    expect(line).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
      request_id: expect.stringMatching(/^.{9}\d+$/) as string,
      kind: 'http',
      listener: 'web',
      route: 'all',
      endpoint: `127.0.0.1:${origin.port}`,
      generation: 1,
      protocol: 'HTTP/1.1',
      method: 'GET',
      host: 'Site.test:80',
      client: '127.0.0.1',
      client_port: expect.any(Number) as number,
      target: '/a"b?c=\\d',
      status: 200,
      upstream_ms: expect.any(Number) as number,
      user_agent: 'té"st\\1',
      bytes_in: 0,
      bytes_out: 5,
      duration_ms: expect.any(Number) as number,
    });
    expect(Number(line!['duration_ms'])).toBeGreaterThanOrEqual(Number(line!['upstream_ms']));
  });

  test('says what went wrong, also with a request that could not be read', async () => {
    const lines = await logged(
      simpleConfig(1, { routes: [{ name: 'all', match: { path: '/x' }, pool: 'origin' }] }),
      async (port) => {
        await get(port, '/none');
        await get(port, '/x');
        await using bad = await RawClient.to(port);
        await bad.send('GET / HTTP/9.9\r\n\r\n').response();
      },
    );
    expect(lines.map(({ status, error, route }) => [status, error, route])).toEqual([
      [404, 'no_route', ''],
      [502, 'connect_refused', 'all'],
      [505, 'version_not_supported', ''],
    ]);
  });

  test('has a client that left, a tunnel and its bytes', async () => {
    await using origin = await rawOrigin((socket) => {
      answering((one) => {
        one.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n12345');
      })(socket);
    });
    const lines = await logged(simpleConfig(origin.port), async (port) => {
      await using client = await RawClient.to(port);
      await client.send('GET /t HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n').response();
      client.send('123');
      await until(() => Buffer.concat(origin.received[0]!).toString().endsWith('123'), 'the bytes have arrived');
      client.socket.resetAndDestroy();
    });
    expect(lines[0]).toMatchObject({ status: 101, bytes_in: 3, bytes_out: 5, error: 'ECONNRESET', target: '/t' });
  });
});

describe('the admin pages', () => {
  test('show what is there, read only', async () => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway(simpleConfig(origin.port, ADMIN));
    await get(gateway.port(), '/x');
    const port = gateway.adminPort();
    expect(await getJson(port, '/health')).toEqual({ status: 'ok' });
    expect(await getJson(port, '/ready')).toEqual({ ready: true, state: 'serving' });
    expect(await getJson(port, '/backends')).toEqual([
      {
        pool: 'origin',
        endpoint: `127.0.0.1:${origin.port}`,
        weight: 1,
        name: null,
        priority: 0,
        healthy: true,
        state: 'healthy',
        admin_state: 'enabled',
        failures: 0,
        last_error: '',
        last_error_detail: '',
        since: expect.any(String) as string,
        next_try: null,
        active: 0,
        open: 1,
        idle: 1,
        latency_ms: expect.any(Number) as number,
        retries: 0,
        ejections: 0,
        check: null,
      },
    ]);
    expect(await getJson(port, '/routes')).toMatchObject([
      { name: 'all', action: 'pool', pool: 'origin', policies: [] },
    ]);
    expect(await getJson(port, '/generations')).toMatchObject({
      last_reload: { result: 'applied', generation: 1, problem: '' },
      generations: [{ generation: 1, state: 'active', leases: 0 }],
    });
    expect((await get(port, '/nothing')).status).toBe(404);
    const post = await get(port, '/health', { method: 'POST' });
    expect([post.status, post.headers['allow']]).toEqual([405, 'GET, HEAD']);
    expect((await get(port, '/health', { method: 'HEAD' })).body).toBe('');
  });

  test('/ready says 503 while the gateway stops', async () => {
    const releases: (() => void)[] = [];
    await using origin = await httpOrigin((_, response) => releases.push(() => response.end()));
    await using gateway = await testGateway(simpleConfig(origin.port, ADMIN));
    const pending = get(gateway.port());
    await until(() => releases.length === 1, 'a request is under way');
    const closing = gateway.running.gateway.close(5000);
    const ready = await get(gateway.adminPort(), '/ready');
    expect([ready.status, JSON.parse(ready.body)]).toEqual([503, { ready: false, state: 'draining' }]);
    for (const release of releases) release();
    expect((await pending).status).toBe(200);
    await closing;
  });

  test('/metrics is valid Prometheus text that counts what happened', async () => {
    await using origin = await httpOrigin((seen, response) => {
      response.statusCode = seen.url === '/bad' ? 500 : 200;
      response.end('12345');
    });
    await using gateway = await testGateway(simpleConfig(origin.port, ADMIN));
    for (const path of ['/a', '/b', '/bad']) await get(gateway.port(), path);
    const { body, headers } = await get(gateway.adminPort(), '/metrics');
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    for (const line of [
      'prozy_http_requests_total{route="all",code="2xx"} 2',
      'prozy_http_requests_total{route="all",code="5xx"} 1',
      'prozy_http_request_duration_seconds_count{route="all"} 3',
      'prozy_http_response_bytes_total{route="all"} 15',
      `prozy_upstream_responses_total{pool="origin",endpoint="127.0.0.1:${origin.port}",code="5xx"} 1`,
      `prozy_upstream_connections_opened_total{pool="origin",endpoint="127.0.0.1:${origin.port}"} 1`,
      `prozy_upstream_connections_reused_total{pool="origin",endpoint="127.0.0.1:${origin.port}"} 2`,
      'prozy_listener_accepted_total{listener="web"} 3',
      'prozy_config_reloads_total{result="applied"} 1',
      'prozy_config_last_reload_successful 1',
      'prozy_config_generation 1',
      'prozy_generations_live 1',
      'prozy_leases{generation="1"} 0',
    ]) {
      expect(body.split('\n')).toContain(line);
    }
    const seen = new Set<string>();
    for (const line of body.trimEnd().split('\n')) {
      if (line === '' || line.startsWith('#')) continue;
      expect(line).toMatch(/^[a-zA-Z_:][\w:]*(\{(\w+="(\\.|[^"\\])*",?)*\})? (-?[\d.e+-]+|\+Inf|NaN)$/);
      const series = line.slice(0, line.lastIndexOf(' '));
      expect(seen.has(series)).toBe(false);
      seen.add(series);
    }
  });
});

test('logging.level bounds what is logged', async () => {
  await using origin = await httpOrigin();
  const config = simpleConfig(origin.port);
  await using quiet = await testGateway({ ...config, logging: { level: 'error' } });
  await quiet.edit({ ...config, logging: { level: 'error' }, routes: [] });
  expect(quiet.logged.filter(({ level }) => level !== 'error').length).toBeLessThanOrEqual(1);
  await using loud = await testGateway({ ...config, logging: { level: 'debug' } });
  await loud.edit({ ...config, logging: { level: 'debug' }, routes: [] });
  expect(loud.logged.map(({ event }) => event)).toContain('generation ended');
});
