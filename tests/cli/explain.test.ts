/** `prozy explain` as people use it: of a file, of a gateway that runs, of a generation that is on its way out. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Explanation } from '../../src/explain/explanation.ts';
import { type Finished, start } from '../support/command.ts';
import { simpleConfig, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { freePort } from '../support/ports.ts';
import { RawClient } from '../support/raw-client.ts';
import { get, getJson } from '../support/requests.ts';

const folder = fileURLToPath(new URL('../golden/explain/', import.meta.url));
const FILE = join(folder, 'gateway.yaml');

async function explain(...args: string[]): Promise<Finished> {
  await using running = start(['explain', ...args], { WORD: 'hush-hush' });
  return await running.end();
}

const TENANT = ['-H', 'x-tenant: acme', '-H', 'X-Debug: 1'];

const CASES: readonly (readonly [name: string, code: number, args: readonly string[]])[] = [
  ['sent.txt', 0, ['GET', 'http://API.example.com:8080/v1/%61?v', ...TENANT, '--client', '10.1.2.3']],
  [
    'sent.json',
    0,
    ['GET', 'http://API.example.com:8080/v1/%61?v', ...TENANT, '--client', '10.1.2.3', '--format', 'json'],
  ],
  ['denied.txt', 0, ['POST', 'http://api.example.com/v1?v=', ...TENANT, '--listener', 'web']],
  ['behind-a-proxy.txt', 0, ['GET', 'http://a:8080/x', '--client', '10.9.1.1', '-H', 'x-forwarded-for: 203.0.113.7']],
  ['redirect.txt', 0, ['GET', 'http://x.old.example.com:8080/p7?q']],
  ['no-route.txt', 1, ['PUT', 'http://www.example.com:8080/']],
  ['refused.txt', 1, ['GET', 'http://a:8080/%zz']],
  ['refused.json', 1, ['GET', 'http://a:8080/%zz', '--format', 'json']],
  ['tls.txt', 0, ['tls://DB.example.com', '--client', '10.1.2.3', '--alpn', 'h2,http/1.1']],
  ['tls.json', 0, ['tls://DB.example.com', '--client', '10.1.2.3', '--alpn', 'h2,http/1.1', '--format', 'json']],
  ['tls-refused.txt', 1, ['tls://x.example.com:8443', '--client', '10.1.2.3']],
  ['tls-denied.txt', 1, ['tls://db.example.com', '--listener', 'edge']],
  ['listener.txt', 1, ['GET', 'http://a:8081/version']],
];

describe('of a file', () => {
  test.each(CASES)('%s', async (name, code, args) => {
    const finished = await explain(FILE, ...args);
    expect([finished.code, finished.err]).toEqual([code, '']);
    const path = join(folder, name);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, finished.out);
    expect(existsSync(path) ? readFileSync(path, 'utf8') : 'a file that is missing').toBe(finished.out);
    expect(finished.out).not.toContain('hush');
  });

  test('what is disabled is told of where it stands, and is not asked', async () => {
    const file = fileURLToPath(new URL('../golden/good/disabled.yaml', import.meta.url));
    const { code, out, err } = await explain(file, 'GET', 'http://example.com/shop/x');
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^ +maintenance +disabled, else it could take it\n +> +shop +takes it$/m);
    expect(out).toMatch(/^ +rest +would take it, but comes later\n +spare +disabled, else it could take it$/m);
    expect(out).toMatch(
      /^ +cors +disabled\n +compress +passes .*\n +decompress +disabled\n +acl +disabled\n +headers +passes .*\n +cache +disabled$/m,
    );
    expect(out).toMatch(/^ +10\.0\.0\.2:3000 +disabled$/m);
    const closed = await explain(file, 'GET', 'http://example.com/', '--listener', 'old');
    expect(closed).toMatchObject({ code: 2, err: 'prozy: explain: listener old is disabled\n' });
  });

  test('what cannot be asked is wrong usage: 2, and says why', async () => {
    const wrong: readonly (readonly [string, readonly string[]])[] = [
      ['the URL must be absolute', ['GET', '/v1']],
      ['it could come to any of web, inside', ['GET', 'http://a/']],
      ['there is no listener wab', ['GET', 'http://a/', '--listener', 'wab']],
      ['db is a tcp listener', ['GET', 'http://a/', '--listener', 'db']],
      ['--client must be an IP address', ['GET', 'http://a:8080/', '--client', 'me']],
      ["a header is given as 'name: value'", ['GET', 'http://a:8080/', '-H', 'x-a']],
      ['--generation is of a running gateway', ['GET', 'http://a:8080/', '--generation', '1']],
      ['needs a URL', ['GET']],
    ];
    const told = await Promise.all(wrong.map(([, args]) => explain(FILE, ...args)));
    told.forEach(({ code, err, out }, i) => {
      expect([code, out]).toEqual([2, '']);
      expect(err).toContain(wrong[i]![0]);
    });
  });

  test('a config with problems shows them: 1; one that only fails its own tests is explained', async () => {
    const bad = await explain(join(folder, '../bad/unknown-names.yaml'), 'GET', 'http://a/');
    expect([bad.code, bad.out]).toEqual([1, '']);
    expect(bad.err).toContain('did you mean');
    const failing = await explain(join(folder, '../bad/tests.yaml'), 'GET', 'http://a:8080/version');
    expect(failing.code).toBe(0);
    expect(failing.out).toContain('route version, which answers 200');
  });
});

const admin = (gateway: TestGateway): string => `127.0.0.1:${gateway.adminPort()}`;
const page = (gateway: TestGateway, query: string): Promise<Explanation> =>
  getJson<Explanation>(gateway.adminPort(), `/explain?${query}`);

describe('of a running gateway', () => {
  test('the endpoints as they stand, and the one that is next: asking changes nothing', async () => {
    await using one = await httpOrigin((_, response) => response.end('one'));
    await using two = await httpOrigin((_, response) => response.end('two'));
    await using three = await httpOrigin((_, response) => response.end('three'));
    const ports = { one: one.port, two: two.port, three: three.port };
    await using gateway = await testGateway(
      simpleConfig(0, {
        admin: { address: '127.0.0.1:0' },
        pools: { app: { endpoints: Object.values(ports).map((port) => `127.0.0.1:${port}`) } },
        routes: [
          {
            name: 'all',
            match: {},
            policies: [{ type: 'headers', request: { set: { 'x-key': 'hush-hush' } } }],
            pool: 'app',
          },
        ],
      }),
    );
    await get(gateway.adminPort(), `/backends/app/127.0.0.1%3A${ports.three}/drain`, { method: 'POST' });
    const seen = new Set<string>();
    for (let i = 0; i < 6; i++) {
      const told = await Promise.all([1, 2, 3].map(() => page(gateway, 'url=http://a/x&method=GET')));
      const next = told.map(({ pools }) => pools[0]!.endpoints.find(({ choice }) => choice === 'next')!.endpoint);
      const { body } = await get(gateway.port());
      const came = `127.0.0.1:${ports[body as keyof typeof ports]}`;
      expect(next).toEqual([came, came, came]);
      seen.add(body);
    }
    expect(seen).toEqual(new Set(['one', 'two']));
    const { code, out } = await explain(admin(gateway), 'GET', 'http://a/x');
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`127.0.0.1:${ports.three} +draining +may not be asked`));
    expect(out).toMatch(new RegExp(`> +127.0.0.1:(${ports.one}|${ports.two}) +healthy +may be asked`));
    expect(out).toContain('x-key: …');
    expect(out).not.toContain('hush');
    expect(out).toContain('generation 1');
  });

  test('endpoints that are out may be tried while none is well, and not while one is', async () => {
    const dead = await freePort();
    await using well = await httpOrigin();
    await using gateway = await testGateway(
      simpleConfig(0, {
        admin: { address: '127.0.0.1:0' },
        pools: { app: { endpoints: [`127.0.0.1:${dead}`, `127.0.0.1:${well.port}`], retries: { attempts: 0 } } },
        routes: [{ name: 'all', match: {}, pool: 'app' }],
      }),
    );
    const seen = async (): Promise<string[]> =>
      (await page(gateway, 'url=http://a/x&method=GET')).pools[0]!.endpoints.map(
        ({ may, choice }) => `${may}: ${choice}`,
      );
    expect((await get(gateway.port())).status).toBe(502);
    expect(await seen()).toEqual(['not be asked: no', 'be asked: next']);
    await get(gateway.adminPort(), `/backends/app/127.0.0.1%3A${well.port}/disable`, { method: 'POST' });
    expect(await seen()).toEqual(['be tried: next', 'not be asked: no']);
    expect((await get(gateway.port())).status).toBe(502);
  });

  test('a generation that is still alive, and one that is not', async () => {
    const held: (() => void)[] = [];
    await using origin = await httpOrigin((_, response) => held.push(() => response.end('done')));
    const config = simpleConfig(origin.port, { admin: { address: '127.0.0.1:0' } });
    await using gateway = await testGateway(config);
    await using client = await RawClient.to(gateway.port());
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => held.length === 1, 'the request is under way');
    await gateway.edit({ ...config, routes: [{ name: 'new', match: {}, respond: { status: 204 } }] });
    const now = await explain(admin(gateway), 'GET', 'http://a/', '--format', 'json');
    expect(JSON.parse(now.out)).toMatchObject({ generation: 2, route: 'new', outcome: { by: 'respond', status: 204 } });
    const then = await explain(admin(gateway), 'GET', 'http://a/', '--generation', '1');
    expect(then.code).toBe(0);
    expect(then.out).toContain('=> route all, to pool origin');
    held[0]!();
    expect((await client.response()).body).toBe('done');
    const gone = await explain(admin(gateway), 'GET', 'http://a/', '--generation', '1');
    expect([gone.code, gone.out]).toEqual([1, '']);
    expect(gone.err).toContain('that generation is not alive');
  });

  test('a port that is free of choice is known by where it is; what is wrong with a question is said', async () => {
    await using gateway = await testGateway({
      version: 1,
      admin: { address: '127.0.0.1:0' },
      listeners: { web: { address: '127.0.0.1:0' }, other: { address: '127.0.0.1:0' } },
      routes: [{ name: 'web', listeners: ['web'], match: {}, respond: {} }],
    });
    const at = (listener: string): string => `http://a:${gateway.port(listener)}/`;
    expect((await explain(admin(gateway), 'GET', at('web'))).code).toBe(0);
    const other = await explain(`http://${admin(gateway)}`, 'GET', at('other'));
    expect(other.code).toBe(1);
    expect(other.out).toContain('listener web, not other');
    const unclear = await explain(admin(gateway), 'GET', 'http://a/');
    expect([unclear.code, unclear.err]).toEqual([
      2,
      'prozy: explain: it could come to any of web, other; name one (--listener NAME), or its port in the URL\n',
    ]);
    for (const query of [
      '',
      'url=x',
      'url=http://a&listener=web&colour=1',
      'url=http://a&client=me',
      'url=http://a&header=x',
    ])
      expect((await get(gateway.adminPort(), `/explain?${query}`)).status).toBe(400);
    expect((await get(gateway.adminPort(), '/explain?url=http://a&listener=web&generation=9')).status).toBe(404);
    expect((await get(gateway.adminPort(), '/explain?url=http://a', { method: 'POST' })).status).toBe(405);
  });

  test('of many routes the nearest are told, and all as JSON; a Unix socket has no client address', async () => {
    const many = Array.from({ length: 500 }, (_, i) => ({
      name: `r${i}`,
      match: { host: `${i % 5}.test`, path: `/${i}`, methods: [i % 2 === 0 ? 'GET' : 'POST'] },
      respond: {},
    }));
    await using gateway = await testGateway({
      version: 1,
      admin: { address: '127.0.0.1:0' },
      listeners: { web: { address: `unix:${join(tmpdir(), `prozy-${process.pid}.sock`)}` } },
      routes: many,
    });
    const short = await explain(admin(gateway), 'GET', 'http://2.test/412');
    expect(short.out).toMatch(/from unix:\n[\s\S]*> {2}r412 +takes it[\s\S]* and 470 more, /);
    expect(short.out.match(/^ +>? +r\d+ /gm)).toHaveLength(30);
    // All that are shown fail in one condition: no other route is as near.
    expect(short.out).not.toContain('; ');
    const long = await explain(admin(gateway), 'GET', 'http://2.test/412', '--format', 'json');
    expect((JSON.parse(long.out) as Explanation).routes.map(({ name }) => name)).toEqual(many.map(({ name }) => name));
  });

  test('no gateway there: 1', async () => {
    expect((await explain('127.0.0.1:1', 'GET', 'http://a/')).code).toBe(1);
  });
});
