/** Mirrors: what the other pool gets, and that nothing of it is seen by the client. */
import type net from 'node:net';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/kit/random.ts';
import type { MirrorMetrics } from '../../src/observe/metrics.ts';
import { type TestGateway, testGateway, until } from '../support/gateway.ts';
import { answering, httpOrigin, type Origin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { ShiftedClock } from '../support/shifted-clock.ts';
import { get } from '../support/requests.ts';

const GET = 'GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n';
const post = (body: string): string => `POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const chunked = (body: string): string =>
  `POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\nX-T: 1\r\n\r\n`;

function config(
  app: number,
  copies: number,
  mirror: object = {},
  pools: { app?: object; copies?: object } = {},
): object {
  return {
    version: 1,
    admin: { address: '127.0.0.1:0' },
    listeners: { web: { address: '127.0.0.1:0' } },
    pools: {
      app: { endpoints: [`127.0.0.1:${app}`], ...pools.app },
      copies: { endpoints: [`127.0.0.1:${copies}`], ...pools.copies },
    },
    routes: [{ name: 'all', match: {}, pool: 'app', mirror: { pool: 'copies', ...mirror } }],
  };
}

/** Raw fields as lines. */
const pairsOf = (raw: readonly string[]): string[] =>
  raw.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${raw[i + 1]}`] : []));

function mirrored(gateway: TestGateway): MirrorMetrics {
  return gateway.running.gateway.metrics.mirrors.get('all')!;
}

/** Only the results that there were. */
function results(gateway: TestGateway): object {
  return Object.fromEntries(Object.entries(mirrored(gateway).results).filter(([, count]) => count > 0));
}

const settled = (gateway: TestGateway): Promise<void> =>
  until(() => mirrored(gateway).active === 0 && gateway.running.gateway.current!.leases === 0, 'all is over');

describe('a copy', () => {
  test('has the same head, body and trailers and one field more, whatever the method', async () => {
    await using app = await httpOrigin(({ body }, response) => response.end(`app ${body}`));
    await using copies = await httpOrigin((_, response) => response.writeHead(500).end('broken'));
    await using gateway = await testGateway(config(app.port, copies.port));
    await using client = await RawClient.to(gateway.port());
    const methods = ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'PURGE'];
    const requests = [
      ...methods.map((method) => GET.replace('GET', method)),
      post('hello'),
      chunked('world'),
      post(''),
    ];
    for (const request of requests) {
      const response = await client.send(request).response(request.split(' ')[0]);
      expect(response.status).toBe(200);
      expect(response.head).not.toContain('Mirror');
    }
    await until(() => copies.requests.length === requests.length, 'all copies have come');
    await settled(gateway);
    // Copies are not in any order among themselves.
    const shown = ({ method, url, rawHeaders, body, trailers }: (typeof app.requests)[0]): string =>
      JSON.stringify([method, url, pairsOf(rawHeaders).toSorted(), body, trailers]);
    const field = '"X-Prozy-Mirror: 1"';
    expect(copies.requests.map(shown).toSorted()).toEqual(
      app.requests.map((one) => shown({ ...one, rawHeaders: [...one.rawHeaders, 'X-Prozy-Mirror', '1'] })).toSorted(),
    );
    expect(copies.requests.map(shown).every((text) => text.includes(field))).toBe(true);
    expect(results(gateway)).toEqual({ answered: requests.length });
  });

  test('is counted by its own metrics, not by those of the route', async () => {
    await using app = await httpOrigin();
    await using copies = await httpOrigin((_, response) => response.writeHead(500).end());
    await using gateway = await testGateway(config(app.port, copies.port));
    for (let i = 0; i < 3; i++) await get(gateway.port());
    await until(() => copies.requests.length === 3, 'all copies have come');
    await settled(gateway);
    const { body } = await get(gateway.adminPort(), '/metrics');
    for (const line of [
      'prozy_mirror_requests_total{route="all",result="answered"} 3',
      'prozy_mirror_requests_total{route="all",result="failed"} 0',
      'prozy_mirror_active{route="all"} 0',
      'prozy_http_requests_total{route="all",code="2xx"} 3',
      'prozy_http_request_duration_seconds_count{route="all"} 3',
    ])
      expect(body.split('\n')).toContain(line);
    expect(body).not.toContain('prozy_http_requests_total{route="all",code="5xx"}');
  });

  test('is made of as many requests as the share says', async () => {
    await using app = await httpOrigin();
    await using copies = await httpOrigin();
    await using gateway = await testGateway(config(app.port, copies.port, { share: 25, concurrency: 5000 }), {
      random: seededRandom(3),
    });
    await using client = await RawClient.to(gateway.port());
    client.send(GET.repeat(2000));
    await until(() => app.requests.length === 2000, 'all requests are there');
    await settled(gateway);
    expect(Math.abs(copies.requests.length - 500)).toBeLessThan(60);
    expect(results(gateway)).toEqual({ answered: copies.requests.length });
    await gateway.edit(config(app.port, copies.port, { share: 0 }));
    const before = copies.requests.length;
    await get(gateway.port());
    await settled(gateway);
    expect(copies.requests).toHaveLength(before);
  });

  test('is sent once, also where the request itself is sent again with its body', async () => {
    await using broken = await rawOrigin((socket) => socket.once('data', () => socket.resetAndDestroy()));
    await using app = await httpOrigin(({ body }, response) => response.end(`app ${body}`));
    await using copies = await httpOrigin();
    const endpoints = [`127.0.0.1:${broken.port}`, `127.0.0.1:${app.port}`];
    await using gateway = await testGateway(config(app.port, copies.port, {}, { app: { endpoints } }));
    await using client = await RawClient.to(gateway.port());
    for (const request of [chunked('once more'), post('once more')]) {
      const response = await client.send(request.replace('POST', 'PUT')).response();
      expect([response.status, response.body]).toEqual([200, 'app once more']);
    }
    await until(() => copies.requests.length === 2, 'the copies have come');
    await settled(gateway);
    expect(copies.requests.map(({ body }) => body)).toEqual(['once more', 'once more']);
    expect(results(gateway)).toEqual({ answered: 2 });
  });

  test('is made of the body only if that is whole and not too large', async () => {
    const large = 'x'.repeat(300_000);
    await using app = await httpOrigin(({ body }, response) => response.end(String(body.length)));
    await using copies = await httpOrigin();
    await using gateway = await testGateway(config(app.port, copies.port, { body_size: '1000' }));
    await using client = await RawClient.to(gateway.port());
    for (const [request, length] of [
      [post('x'.repeat(1001)), 1001],
      [chunked('x'.repeat(1001)), 1001],
      [chunked(large), 300_000],
      [post(large), 300_000],
      [chunked('x'.repeat(1000)), 1000],
      [post('x'.repeat(1000)), 1000],
    ] as const)
      expect((await client.send(request).response()).body).toBe(String(length));
    await using leaving = await RawClient.to(gateway.port());
    leaving.send(post('x'.repeat(900)).slice(0, -1));
    await until(() => mirrored(gateway).active === 1, 'it is being copied');
    leaving.socket.destroy();
    await settled(gateway);
    expect(copies.requests.map(({ body }) => body.length)).toEqual([1000, 1000]);
    expect(results(gateway)).toEqual({ answered: 2, too_large: 4, incomplete: 1 });
  });

  test('is made where the request is split too, and goes on to no other pool', async () => {
    await using app = await httpOrigin();
    await using copies = await httpOrigin();
    const base = config(app.port, 1, {}, { copies: { fallback: { pool: 'spare' } } });
    const { pools, routes } = base as { pools: object; routes: object[] };
    const spare = { endpoints: [`127.0.0.1:${copies.port}`] };
    const split = { name: 'all', match: {}, split: [{ pool: 'app', weight: 1 }], mirror: { pool: 'spare' } };
    await using gateway = await testGateway({ ...base, pools: { ...pools, spare }, routes: [split] });
    await get(gateway.port());
    await until(() => copies.requests.length === 1, 'the copy has come');
    await gateway.edit({ ...base, pools: { ...pools, spare }, routes });
    await get(gateway.port());
    await settled(gateway);
    expect(copies.requests).toHaveLength(1);
    expect(results(gateway)).toEqual({ answered: 1, failed: 1 });
  });

  test('is not made of an offer to change protocols', async () => {
    await using app = await httpOrigin();
    await using copies = await httpOrigin();
    await using gateway = await testGateway(config(app.port, copies.port));
    await using client = await RawClient.to(gateway.port());
    const offer = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    expect((await client.send(offer).response()).status).toBe(200);
    await client.send(GET).response();
    await settled(gateway);
    expect(copies.requests.map(({ url }) => url)).toEqual(['/a?b']);
  });
});

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n';
/** Sends `part` again and again, as fast as it is taken. */
const endless =
  (head: string, part: Buffer) =>
  (socket: net.Socket): void => {
    const more = (): void => {
      while (!socket.destroyed && socket.write(part));
    };
    socket.on('drain', more).on('close', () => socket.removeAllListeners('drain'));
    socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n`);
    more();
  };
const BLOCK = Buffer.alloc(65536, 'x');
const CHUNKS = Buffer.from('4000\r\n'.concat('x'.repeat(0x4000), '\r\n').repeat(4));
/** A byte now and then. */
const dripping = (socket: net.Socket): void => {
  socket.write(HEAD);
  const timer = setInterval(() => socket.write('x'), 10);
  socket.on('close', () => clearInterval(timer));
};

describe('the client gets the same answers at the same time', () => {
  const bad: Readonly<Record<string, (socket: net.Socket) => void>> = {
    'says nothing': () => {},
    'closes at once': (socket) => socket.destroy(),
    'resets on a request': (socket) => socket.once('data', () => socket.resetAndDestroy()),
    'speaks garbage': answering('garbage\r\n\r\n\0\0\0'),
    'changes protocols unasked': answering(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    ),
    'stops within its answer': answering((socket) => socket.write(`${HEAD}x`)),
    'breaks off within its answer': answering((socket) => socket.end(`${HEAD}x`)),
    'never ends its answer': answering(endless('', BLOCK)),
    'never ends its chunks': answering(endless('Transfer-Encoding: chunked\r\n', CHUNKS)),
    'answers twice': answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'.repeat(2)),
    'answers before it has the body': (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno'),
  };

  async function unharmed(copies: number): Promise<void> {
    await using app = await httpOrigin(({ url, body }, response) => response.end(`app ${url} ${body}`));
    await using gateway = await testGateway(config(app.port, copies, { concurrency: 10 }));
    await using client = await RawClient.to(gateway.port());
    for (let i = 0; i < 15; i++) {
      for (const [request, body] of [
        [GET, 'app /a?b '],
        [post('hello'), 'app /p hello'],
        [chunked('world'), 'app /c world'],
      ] as const) {
        const response = await client.send(request).response();
        expect([response.status, response.body, response.headers['via']]).toEqual([200, body, '1.1 prozy']);
      }
    }
    expect(client.closed).toBe(false);
    const { active, results: counts } = mirrored(gateway);
    expect(active + Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(45);
    expect(gateway.running.gateway.metrics.routes.get('all')!.responses[2]).toBe(45);
    // What is still under way is cut when the gateway is disposed of, which looks for what is left.
  }

  test.each(Object.entries(bad))('where the mirror %s', async (_, talk) => {
    await using copies = await rawOrigin(talk);
    await unharmed(copies.port);
    expect(copies.received.length).toBeGreaterThan(0);
  });

  test('where nobody listens at the mirror', async () => {
    const copies: Origin = await rawOrigin(() => {});
    await copies[Symbol.asyncDispose]();
    await unharmed(copies.port);
  });
});

describe('mirrored requests are bounded', () => {
  test('in number: what is beyond is dropped, and the bound holds over a reload', async () => {
    await using app = await httpOrigin();
    await using copies = await rawOrigin(() => {});
    await using gateway = await testGateway(config(app.port, copies.port, { concurrency: 2 }));
    for (let i = 0; i < 5; i++) expect((await get(gateway.port())).status).toBe(200);
    expect([mirrored(gateway).active, results(gateway)]).toEqual([2, { dropped: 3 }]);
    await gateway.edit(config(app.port, copies.port, { concurrency: 3 }));
    for (let i = 0; i < 5; i++) expect((await get(gateway.port())).status).toBe(200);
    expect([mirrored(gateway).active, results(gateway)]).toEqual([3, { dropped: 7 }]);
    await until(() => copies.received.length === 3, 'three have come');
  });

  test('by what its pool takes: it does not wait for room', async () => {
    await using app = await httpOrigin();
    await using copies = await rawOrigin(() => {});
    await using gateway = await testGateway(config(app.port, copies.port, {}, { copies: { max_requests: 1 } }));
    for (let i = 0; i < 3; i++) expect((await get(gateway.port())).status).toBe(200);
    expect([mirrored(gateway).active, results(gateway)]).toEqual([1, { dropped: 2 }]);
    expect(gateway.running.gateway.metrics.pools.get('copies')!.queued).toBe(0);
  });

  test.each([
    ['for the first byte', { first_byte: '150ms' }, (): void => {}],
    ['between bytes', { idle: '150ms' }, answering((socket) => socket.write(`${HEAD}x`))],
    ['in all', { total: '150ms' }, answering(dripping)],
  ])('in time, by the timeouts of its pool: %s', async (_, timeouts, talk) => {
    await using app = await httpOrigin();
    await using copies = await rawOrigin(talk);
    await using gateway = await testGateway(config(app.port, copies.port, {}, { copies: { timeouts } }));
    expect((await get(gateway.port())).status).toBe(200);
    await settled(gateway);
    expect(results(gateway)).toEqual({ failed: 1 });
    expect(copies.received).toHaveLength(1);
  });

  test.each([
    ['', BLOCK],
    ['Transfer-Encoding: chunked\r\n', CHUNKS],
  ])('in what is read of an answer: %j', async (head, part) => {
    await using app = await httpOrigin();
    let gone = false;
    const talk = answering(endless(head, part));
    await using copies = await rawOrigin((socket) => {
      socket.on('close', () => (gone = true));
      talk(socket);
    });
    await using gateway = await testGateway(config(app.port, copies.port));
    expect((await get(gateway.port())).status).toBe(200);
    await until(() => gone, 'the mirror was left');
    await settled(gateway);
    expect(results(gateway)).toEqual({ answered: 1 });
  });

  test('by their generation: each holds it as long as its endpoint is not there in the next, and is cut with it', async () => {
    await using app = await httpOrigin();
    const closed: boolean[] = [];
    await using copies = await rawOrigin((socket) => socket.on('end', () => closed.push(true)));
    const of = (port: number): object => ({
      ...config(app.port, port),
      reload: { drain: '60s' },
    });
    const clock = new ShiftedClock({ timers: true });
    await using gateway = await testGateway(of(copies.port), { clock });
    expect((await get(gateway.port())).status).toBe(200);
    await until(() => copies.received.length === 1, 'the copy is under way');
    await gateway.edit(of(1));
    expect(gateway.running.gateway.snapshots.map(({ generation, leases }) => [generation, leases])).toEqual([
      [2, 0],
      [1, 1],
    ]);
    clock.shift(61_000);
    await until(() => gateway.running.gateway.snapshots.length === 1, 'the old generation has had its time');
    await until(() => closed.length === 1, 'the mirror was left');
    expect([mirrored(gateway).active, results(gateway)]).toEqual([0, { cut: 1 }]);
  });
});

test('mirrors come and go under load without a failed request', async () => {
  await using app = await httpOrigin(({ body }, response) => response.end(body));
  await using copies = await httpOrigin();
  const of = (mirror: boolean): object => {
    const whole = config(app.port, copies.port) as { routes: object[] };
    return mirror ? whole : { ...whole, routes: [{ name: 'all', match: {}, pool: 'app' }] };
  };
  await using gateway = await testGateway(of(true));
  const wrong: string[] = [];
  const traffic = { on: true };
  let answered = 0;
  const load = async (request: string, wanted: string): Promise<void> => {
    await using client = await RawClient.to(gateway.port());
    while (traffic.on) {
      const { status, body } = await client.send(request).response();
      answered++;
      if (status !== 200 || body !== wanted) wrong.push(`${status} ${body}`);
    }
  };
  const clients = [load(GET, ''), load(post('hello'), 'hello'), load(chunked('world'), 'world')];
  for (const mirror of [false, true, false, true]) {
    const before = [answered, copies.requests.length];
    await gateway.edit(of(mirror));
    await until(() => answered > before[0]! + 50, 'there is load');
    if (mirror) await until(() => copies.requests.length > before[1]! + 30, 'it is mirrored');
  }
  traffic.on = false;
  await Promise.all(clients);
  await settled(gateway);
  expect(wrong).toEqual([]);
  expect(copies.requests.length).toBeGreaterThan(50);
  expect(results(gateway)).toMatchObject({ answered: copies.requests.length });
}, 20_000);
