/** Fallbacks: who answers when a pool has nobody, and when nobody else may. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { testGateway, until } from '../support/gateway.ts';
import { answering, httpOrigin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';
import { freePort } from '../support/ports.ts';

const folder = mkdtempSync(join(tmpdir(), 'prozy-fallback-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Pools = Readonly<Record<string, object>>;

/** The first pool is the route's. */
function config(pools: Pools, more: object = {}): object {
  return {
    version: 1,
    admin: { address: '127.0.0.1:0' },
    listeners: { web: { address: '127.0.0.1:0' } },
    pools,
    routes: [{ name: 'all', match: {}, pool: Object.keys(pools)[0] }],
    ...more,
  };
}

const at = (port: number, more: object = {}): object => ({ endpoints: [`127.0.0.1:${port}`], ...more });
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello';
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

interface Line {
  readonly status: number;
  readonly endpoint?: string;
  readonly error?: string;
}

/** What the access log says of what `use` does. */
async function logged(pools: Pools, use: (port: number) => Promise<void>): Promise<Line[]> {
  const path = join(folder, `${Math.trunc(performance.now() * 1000)}.log`);
  {
    await using gateway = await testGateway(config(pools, { logging: { access: { path } } }));
    await use(gateway.port());
    await until(() => gateway.running.gateway.current!.leases === 0, 'everything is over');
  }
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Line);
}

describe('another pool', () => {
  test('answers where nobody can be connected to, with any method and its body, and the log says who it was', async () => {
    await using other = await httpOrigin(({ method, body }, response) => response.end(`other ${method} ${body}`));
    const dead = await freePort();
    const lines = await logged(
      { app: at(dead, { fallback: { pool: 'other' } }), other: at(other.port) },
      async (port) => {
        await using client = await RawClient.to(port);
        // The first is refused; after it, none is known to be well.
        for (let i = 0; i < 3; i++) {
          const { status, body } = await client.send(POST).response();
          expect([status, body]).toEqual([200, 'other POST hello']);
        }
        expect((await client.send(GET).response()).body).toBe('other GET ');
      },
    );
    const expected = { status: 200, endpoint: `127.0.0.1:${other.port}` };
    expect(lines).toMatchObject([expected, expected, expected, expected]);
    expect(lines.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(other.requests).toHaveLength(4);
  });

  test('is one of three at most, each asked in turn, and the metrics count who went on', async () => {
    await using last = await httpOrigin();
    const pools = {
      one: at(await freePort(), { fallback: { pool: 'two' } }),
      two: at(await freePort(), { fallback: { pool: 'three' } }),
      three: at(last.port),
    };
    await using gateway = await testGateway(config(pools));
    expect((await get(gateway.port(), '/x')).body).toBe('ok /x');
    const { body } = await get(gateway.adminPort(), '/metrics');
    for (const [pool, count] of [
      ['one', 1],
      ['two', 1],
      ['three', 0],
    ])
      expect(body.split('\n')).toContain(`prozy_pool_fallbacks_total{pool="${pool}"} ${count}`);
  });

  test('of which nobody can be had is no answer: 502 as without it', async () => {
    const pools = { one: at(await freePort(), { fallback: { pool: 'two' } }), two: at(await freePort()) };
    const lines = await logged(pools, async (port) => {
      for (let i = 0; i < 2; i++) expect((await get(port)).status).toBe(502);
    });
    expect(lines).toMatchObject([{ error: 'connect_refused' }, { error: 'connect_refused' }]);
  });

  test('answers while a pool is full: at once where nobody may wait, else after the wait', async () => {
    const held: (() => void)[] = [];
    await using busy = await httpOrigin((_, response) => held.push(() => response.end('busy')));
    await using other = await httpOrigin((_, response) => response.end('other'));
    const full = (queue: object): object =>
      config({ app: at(busy.port, { max_requests: 1, queue, fallback: { pool: 'other' } }), other: at(other.port) });
    await using gateway = await testGateway(full({ depth: 0 }));
    const first = get(gateway.port());
    await until(() => held.length === 1, 'the pool is full');
    expect((await get(gateway.port())).body).toBe('other');
    await gateway.edit(full({ depth: 5, wait: '150ms' }));
    const started = performance.now();
    expect((await get(gateway.port())).body).toBe('other');
    expect(performance.now() - started).toBeGreaterThan(40);
    // Who finds room while waiting is answered by the pool itself.
    await gateway.edit(full({ depth: 5, wait: '60s' }));
    const waiting = get(gateway.port());
    const queued = (): number => gateway.running.gateway.metrics.pools.get('app')!.queued;
    await until(() => queued() === 2, 'it waits');
    held[0]!();
    expect((await first).body).toBe('busy');
    await until(() => held.length === 2, 'it has room');
    held[1]!();
    expect((await waiting).body).toBe('busy');
  });

  test('takes over after a pooled connection that had died, if the request may be repeated', async () => {
    await using other = await httpOrigin(({ body }, response) => response.end(`other ${body}`));
    // Answers one request on each connection and closes on the next, as a server that is going away does.
    const app = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\napp');
        socket.once('data', () => socket.resetAndDestroy());
      });
    });
    app.listen(0, '127.0.0.1');
    await once(app, 'listening');
    const { port } = app.address() as net.AddressInfo;
    await using gateway = await testGateway(
      config({ app: at(port, { fallback: { pool: 'other' } }), other: at(other.port) }),
    );
    await using client = await RawClient.to(gateway.port());
    expect((await client.send(GET).response()).body).toBe('app');
    // Nobody new is let in; the connection that there is stays.
    app.close();
    const put = 'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
    expect((await client.send(put).response()).body).toBe('other abc');
    expect(other.requests).toHaveLength(1);
  });

  test('is not asked for what an upstream may have acted on', async () => {
    await using other = await httpOrigin();
    await using app = await rawOrigin((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const pool = at(app.port, { fallback: { pool: 'other' }, retries: { attempts: 0 } });
    await using gateway = await testGateway(config({ app: pool, other: at(other.port) }));
    await using client = await RawClient.to(gateway.port());
    expect((await client.send(POST).response()).status).toBe(502);
    await using again = await RawClient.to(gateway.port());
    expect((await again.send(GET).response()).status).toBe(502);
    expect(other.requests).toEqual([]);
  });

  test('is not asked when the last of the retries gave an answer, nor after one whose answer was not wanted', async () => {
    await using other = await httpOrigin();
    await using app = await httpOrigin((_, response) => response.writeHead(500).end('broken'));
    const dead = await freePort();
    const fallback = { pool: 'other' };
    const retries = { statuses: [500], attempts: 1 };
    const endpoints = [`127.0.0.1:${app.port}`, `127.0.0.1:${dead}`];
    const pools = { app: at(app.port, { fallback, retries }), other: at(other.port) };
    await using gateway = await testGateway(config(pools));
    const { status, body } = await get(gateway.port());
    expect([status, body]).toEqual([500, 'broken']);
    // The first in turn answers 500; the second can't be reached; the first has had the request.
    await gateway.edit(config({ ...pools, app: { endpoints, fallback, retries, strategy: 'round_robin' } }));
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) statuses.push((await get(gateway.port())).status);
    expect(statuses).toEqual([502, 500, 500]);
    expect(other.requests).toEqual([]);
  });
});

describe('a fixed answer', () => {
  test('comes with its status, headers and body, and the log says why and that no endpoint gave it', async () => {
    const respond = { status: 503, headers: { 'Retry-After': '60', 'Content-Type': 'text/plain' }, body: 'later' };
    const lines = await logged({ app: at(await freePort(), { fallback: { respond } }) }, async (port) => {
      const { status, headers, body } = await get(port);
      expect([status, headers['retry-after'], headers['content-type'], body]).toEqual([
        503,
        '60',
        'text/plain',
        'later',
      ]);
      await using client = await RawClient.to(port);
      const head = await client.send('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n').response('HEAD');
      expect([head.status, head.body, head.headers['content-length']]).toEqual([503, '', '5']);
      // The body was never read: that connection ends.
      expect((await client.send(POST).response()).body).toBe('later');
      await client.end();
    });
    expect(lines).toMatchObject([
      { status: 503, error: 'connect_refused' },
      { status: 503, error: 'no_endpoint' },
      { status: 503, error: 'no_endpoint' },
    ]);
    expect(lines.filter(({ endpoint }) => endpoint !== undefined && endpoint !== '')).toEqual([]);
  });

  test('ends a chain of pools', async () => {
    const pools = {
      app: at(await freePort(), { fallback: { pool: 'other' } }),
      other: at(await freePort(), { fallback: { respond: { status: 200, body: 'closed today' } } }),
    };
    await using gateway = await testGateway(config(pools));
    for (let i = 0; i < 2; i++) expect((await get(gateway.port())).body).toBe('closed today');
  });
});

test('a tcp connection goes on to the other pool; a fixed answer is none for it', async () => {
  await using other = await rawOrigin((socket) => socket.write('hello from other'));
  const pools = (fallback: object): Pools => ({ app: at(deadly, { fallback }), other: at(other.port) });
  const deadly = await freePort();
  const listeners = { db: { address: '127.0.0.1:0', protocol: 'tcp', pool: 'app' } };
  await using gateway = await testGateway(config(pools({ pool: 'other' }), { listeners }));
  for (let i = 0; i < 2; i++) {
    await using client = await RawClient.to(gateway.port('db'));
    await until(() => client.text === 'hello from other', 'the other pool speaks');
  }
  await gateway.edit(config(pools({ respond: { body: 'no' } }), { listeners }));
  // It may be reset before this side knows that it was there.
  let text = '';
  const client = net.connect(gateway.port('db'), '127.0.0.1').on('error', () => {});
  client.on('data', (part: Buffer) => (text += part.toString()));
  await until(() => client.destroyed, 'the connection ends');
  expect(text).toBe('');
});

test('splits, mirrors and fallbacks of a large config come whole out of the thread that compiles it', async () => {
  await using a = await rawOrigin(answering('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na'));
  await using b = await httpOrigin((_, response) => response.end('b'));
  await using copies = await httpOrigin();
  const pools = {
    a: at(a.port, { fallback: { pool: 'b' } }),
    b: at(b.port, { fallback: { respond: { body: 'c' } } }),
    dead: at(await freePort(), { fallback: { pool: 'b' } }),
    copies: at(copies.port),
  };
  const mirror = { pool: 'copies' };
  const of = (weight: number): object => {
    const split = [
      { pool: 'a', weight },
      { pool: 'b', weight: 1 - weight },
    ];
    const filler = Array.from({ length: 400 }, (_, i) => ({
      name: `r${i}`,
      match: { path: `/filler/${i}` },
      split,
      split_by: { header: 'x-user' },
      mirror,
    }));
    const own = [
      { name: 'split', match: { path: '/split' }, split, mirror },
      { name: 'dead', match: {}, pool: 'dead' },
    ];
    return config(pools, { routes: [...filler, ...own] });
  };
  expect(JSON.stringify(of(1)).length).toBeGreaterThan(16 * 1024);
  await using gateway = await testGateway(of(1));
  expect((await get(gateway.port(), '/split')).body).toBe('a');
  await gateway.edit(of(0));
  expect((await get(gateway.port(), '/split')).body).toBe('b');
  expect((await get(gateway.port(), '/filler/399')).body).toBe('b');
  expect((await get(gateway.port(), '/dead')).body).toBe('b');
  await until(() => copies.requests.length === 3, 'all copies have come');
  const { plan } = gateway.running.gateway.current!;
  const [first] = plan.routes;
  expect(first!.action.type === 'split' && first!.action.parts.map(({ pool }) => plan.pools.indexOf(pool))).toEqual([
    0, 1,
  ]);
  expect(plan.routes.slice(0, 401).every((route) => route.mirror!.pool === plan.pools[3])).toBe(true);
}, 20_000);
