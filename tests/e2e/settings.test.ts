/** Settings whose effect no other test shows: each test fails if its setting is read and then forgotten. */
import type http from 'node:http';
import { describe, expect, test } from 'vitest';
import { simpleConfig, testGateway, until } from '../support/gateway.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { httpOrigin, type HttpOrigin, type Origin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';
import { freePort } from '../support/ports.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const addressOf = ({ port }: Origin): string => `127.0.0.1:${port}`;

/** One route to one pool of these endpoints. */
function pooled(endpoints: readonly (string | object)[], pool: object = {}): Record<string, unknown> {
  return simpleConfig(0, { pools: { origin: { endpoints, ...pool } } });
}

/** Answers everything with this status. */
function answers(status: number): Promise<HttpOrigin> {
  return httpOrigin((_, response) => response.writeHead(status).end());
}

/** Breaks every connection off as soon as it has a request. */
function breaks(): Promise<Origin> {
  return rawOrigin((socket) => socket.once('data', () => socket.resetAndDestroy()));
}

/** Keeps all its answers back until they are let go. */
async function holds(): Promise<HttpOrigin & { readonly held: http.ServerResponse[] }> {
  const held: http.ServerResponse[] = [];
  const origin = await httpOrigin((_, response) => held.push(response));
  return Object.assign(origin, { held });
}

/** The statuses of so many requests, one after the other. */
async function statuses(port: number, count: number): Promise<number[]> {
  const got: number[] = [];
  for (let i = 0; i < count; i++) got.push((await get(port)).status);
  return got;
}

test('acls.allow: who is on it is allowed, and everybody else is not, whatever the default says', async () => {
  const allowing = (allow: string): object => ({
    version: 1,
    acls: { office: { default: 'allow', allow: [allow] } },
    listeners: { web: { address: '127.0.0.1:0', acl: 'office' } },
    routes: [{ name: 'all', match: {}, respond: {} }],
  });
  await using without = await testGateway(allowing('10.0.0.0/8'));
  await using within = await testGateway(allowing('127.0.0.0/8'));
  expect([(await get(without.port())).status, (await get(within.port())).status]).toEqual([403, 200]);
});

describe('how much at a time', () => {
  test.each(['max_connections', 'max_requests'])('an endpoint at its %s is passed over', async (limit) => {
    await using first = await holds();
    await using second = await holds();
    const endpoints = [{ address: addressOf(first), [limit]: 1 }, addressOf(second)];
    await using gateway = await testGateway(pooled(endpoints));
    const pending: Promise<unknown>[] = [];
    for (let i = 1; i <= 4; i++) {
      pending.push(get(gateway.port()));
      await until(() => first.held.length + second.held.length === i, 'the request has come to an origin');
    }
    expect([first.held.length, second.held.length]).toEqual([1, 3]);
    for (const response of [...first.held, ...second.held]) response.end();
    await Promise.all(pending);
  });

  test.each(['max_connections', 'max_requests'])('%s of a pool counts over all its endpoints', async (limit) => {
    await using first = await holds();
    await using second = await holds();
    const pool = { [limit]: 2, queue: { depth: 0 } };
    await using gateway = await testGateway(pooled([addressOf(first), addressOf(second)], pool));
    const pending = [get(gateway.port()), get(gateway.port())];
    await until(() => first.held.length + second.held.length === 2, 'both have come to an origin');
    const refused = await get(gateway.port());
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1']);
    for (const response of [...first.held, ...second.held]) response.end();
    expect((await Promise.all(pending)).map(({ status }) => status)).toEqual([200, 200]);
  });
});

describe('the queue of a pool that is full', () => {
  test('depth: so many wait, one more is told to come again', async () => {
    await using origin = await holds();
    await using gateway = await testGateway(pooled([addressOf(origin)], { max_requests: 1, queue: { depth: 1 } }));
    const pending = [get(gateway.port())];
    await until(() => origin.held.length === 1, 'the first is under way');
    pending.push(get(gateway.port()));
    await until(() => gateway.running.gateway.current!.leases === 2, 'the second waits');
    expect((await get(gateway.port())).status).toBe(503);
    origin.held[0]!.end();
    await until(() => origin.held.length === 2, 'the second has its turn');
    origin.held[1]!.end();
    expect((await Promise.all(pending)).map(({ status }) => status)).toEqual([200, 200]);
  });

  test('wait: nobody waits for longer', async () => {
    const clock = new ManualClock();
    await using origin = await holds();
    const pool = { max_requests: 1, queue: { wait: '2s' } };
    await using gateway = await testGateway(pooled([addressOf(origin)], pool), { clock });
    const first = get(gateway.port());
    await until(() => origin.held.length === 1, 'the first is under way');
    await using client = await RawClient.to(gateway.port());
    client.send(GET);
    await until(() => gateway.running.gateway.current!.leases === 2, 'the second waits');
    clock.advance(1900);
    expect(gateway.running.gateway.current!.leases).toBe(2);
    clock.advance(200);
    expect((await client.response()).status).toBe(503);
    origin.held[0]!.end();
    await first;
  });

  test.each([
    ['fifo', ['/1', '/2', '/3', '/4']],
    // Three of four places are taken, then two: that is no more than half.
    ['adaptive_lifo', ['/1', '/4', '/2', '/3']],
  ])('order: %s', async (order, expected) => {
    await using origin = await holds();
    const pool = { max_requests: 1, queue: { depth: 4, order } };
    await using gateway = await testGateway(pooled([addressOf(origin)], pool));
    const pending: Promise<unknown>[] = [];
    for (let i = 1; i <= 4; i++) {
      pending.push(get(gateway.port(), `/${i}`));
      await until(() => gateway.running.gateway.current!.leases === i, 'it is there');
    }
    for (let i = 0; i < 4; i++) {
      await until(() => origin.held.length === i + 1, 'the next has its turn');
      origin.held[i]!.end();
    }
    await Promise.all(pending);
    expect(origin.requests.map(({ url }) => url)).toEqual(expected);
  });
});

describe('time', () => {
  test.each([
    ['before the answer', '', 504],
    ['within the answer', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234', 200],
  ])('timeouts.total ends an exchange %s', async (_, part, status) => {
    const clock = new ManualClock();
    await using origin = await rawOrigin((socket) => socket.once('data', () => socket.write(part)));
    await using gateway = await testGateway(pooled([addressOf(origin)], { timeouts: { total: '3s' } }), { clock });
    await using client = await RawClient.to(gateway.port());
    client.send(GET);
    await until(() => origin.received[0]?.length === 1 && client.text.endsWith(part.slice(-4)), 'it is under way');
    clock.advance(2900);
    expect(client.ended).toBe(false);
    clock.advance(200);
    if (status === 504) expect((await client.response()).status).toBe(504);
    else await client.end();
    await until(() => gateway.running.gateway.current!.leases === 0, 'it is over');
  });

  test('keepalive.max_age: a connection that is older serves nobody for long', async () => {
    const clock = new ManualClock();
    await using origin = await answers(200);
    const pool = { keepalive: { max_age: '5s' } };
    await using gateway = await testGateway(pooled([addressOf(origin)], pool), { clock });
    await using client = await RawClient.to(gateway.port());
    for (const ms of [0, 3000]) {
      clock.advance(ms);
      await client.send(GET).response();
    }
    expect(origin.received).toHaveLength(1);
    clock.advance(3000);
    for (let i = 0; i < 3; i++) await client.send(GET).response();
    expect(origin.received).toHaveLength(2);
  });

  test('keepalive.prewarm: connections are there before anybody asks', async () => {
    await using origin = await answers(200);
    await using gateway = await testGateway(pooled([addressOf(origin)], { keepalive: { prewarm: 3 } }));
    await until(() => origin.received.length === 3, 'the connections are made');
    const { metrics } = gateway.running.gateway;
    expect((await get(gateway.port())).status).toBe(200);
    expect(metrics.endpoint('origin', addressOf(origin)).connectionsReused).toBe(1);
    // The one that was taken had another made in its place.
    await until(() => origin.received.length === 4, 'there are three again');
  });
});

describe('health that the traffic shows', () => {
  /** How many of ten requests came to an endpoint that always answers with `status`, beside one that is well. */
  async function asked(status: number, health: object): Promise<number> {
    await using bad = await answers(status);
    await using good = await answers(200);
    const clock = new ManualClock();
    await using gateway = await testGateway(pooled([addressOf(bad), addressOf(good)], { health }), { clock });
    for (let i = 0; i < 10; i++) {
      await get(gateway.port());
      clock.advance(100);
    }
    return bad.requests.length;
  }

  test('passive.failures: so many in a row take an endpoint out', async () => {
    expect(await asked(503, { passive: { failures: 2 } })).toBe(2);
    expect(await asked(503, { passive: { failures: 3 } })).toBe(3);
    expect(await asked(503, { passive: { failures: 0 } })).toBe(5);
  });

  test('passive.statuses: what counts as a failure', async () => {
    expect(await asked(500, { passive: { failures: 1, statuses: [500] } })).toBe(1);
    expect(await asked(503, { passive: { failures: 1, statuses: [500] } })).toBe(5);
  });

  test('passive.latency: an answer that takes longer is a failure', async () => {
    const clock = new ManualClock();
    await using slow = await holds();
    await using good = await answers(200);
    const health = { passive: { failures: 1, latency: '1s' } };
    await using gateway = await testGateway(pooled([addressOf(slow), addressOf(good)], { health }), { clock });
    const first = get(gateway.port());
    await until(() => slow.held.length === 1, 'the first is under way');
    clock.advance(1500);
    slow.held[0]!.end();
    expect((await first).status).toBe(200);
    expect(await statuses(gateway.port(), 4)).toEqual([200, 200, 200, 200]);
    expect(slow.requests).toHaveLength(1);
  });

  test.each([
    [50, [500, 500, 500, 500]],
    [100, [500, 500, 503, 503]],
  ])('passive.max_ejected: %i percent', async (percent, expected) => {
    await using one = await answers(500);
    await using two = await answers(500);
    const health = { passive: { failures: 1, statuses: [500], max_ejected: percent } };
    await using gateway = await testGateway(
      pooled([addressOf(one), addressOf(two)], { health, fallback: { respond: { status: 503 } } }),
    );
    expect(await statuses(gateway.port(), 4)).toEqual(expected);
  });

  test('panic: while fewer are well, all are asked', async () => {
    const passive = { failures: 1, statuses: [500] };
    expect(await asked(500, { passive, panic: 60 })).toBe(5);
    expect(await asked(500, { passive, panic: 50 })).toBe(1);
  });

  test('slow_start: one that is well again gets its share little by little', async () => {
    const clock = new ManualClock();
    let status = 500;
    await using back = await httpOrigin((_, response) => response.writeHead(status).end());
    await using good = await answers(200);
    const health = {
      passive: { failures: 1, statuses: [500] },
      backoff: { first: '1s', jitter: 0 },
      slow_start: '100s',
    };
    const pool = { strategy: 'weighted_round_robin', health };
    await using gateway = await testGateway(pooled([addressOf(back), addressOf(good)], pool), { clock });
    clock.advance(200_000);
    await using client = await RawClient.to(gateway.port());
    const came = async (count: number): Promise<number> => {
      const before = back.requests.length;
      for (let i = 0; i < count; i++) await client.send(GET).response();
      return back.requests.length - before;
    };
    expect(await came(2)).toBe(1);
    status = 200;
    clock.advance(1200);
    // Among the first is the one that finds out.
    expect(await came(44)).toBeLessThan(10);
    for (let i = 0; i < 10; i++) {
      clock.advance(10_000);
      await client.send(GET).response();
    }
    expect(await came(40)).toBe(20);
  });
});

describe('the pauses of an endpoint that cannot be reached', () => {
  /** Is it tried again after so many ms, by requests that have another answer meanwhile? */
  async function after(backoff: object, ...pauses: readonly number[]): Promise<boolean[]> {
    const clock = new ManualClock();
    const endpoint = `127.0.0.1:${await freePort()}`;
    const options = { clock, random: () => 0.9 };
    const health = { backoff: { ...backoff, probe: 0 } };
    const pool = { health, fallback: { respond: { status: 204 } } };
    await using gateway = await testGateway(pooled([endpoint], pool), options);
    await using client = await RawClient.to(gateway.port());
    const { metrics } = gateway.running.gateway;
    const tried = async (): Promise<boolean> => {
      const before = metrics.endpoint('origin', endpoint).connectErrors;
      expect((await client.send(GET).response()).status).toBe(204);
      return metrics.endpoint('origin', endpoint).connectErrors > before;
    };
    expect(await tried()).toBe(true);
    const got: boolean[] = [];
    for (const ms of pauses) {
      clock.advance(ms);
      got.push(await tried());
    }
    return got;
  }

  test('backoff.first, and twice that', async () => {
    expect(await after({ first: '1s', jitter: 0 }, 800, 400, 1800, 400)).toEqual([false, true, false, true]);
    expect(await after({ first: '3s', jitter: 0 }, 1200, 2000)).toEqual([false, true]);
  });

  test('backoff.max', async () => {
    expect(await after({ first: '1s', max: '1s', jitter: 0 }, 1100, 1100, 1100)).toEqual([true, true, true]);
  });

  test('backoff.jitter: so much shorter, at random', async () => {
    expect(await after({ first: '10s', jitter: 0 }, 9800, 400)).toEqual([false, true]);
    expect(await after({ first: '10s', jitter: 100 }, 800, 400)).toEqual([false, true]);
  });

  test('backoff.retries: where none is well as many requests at a time may try as tries are left', async () => {
    const meanwhile = async (retries: number): Promise<number> => {
      const clock = new ManualClock();
      await using origin = await holds();
      const health = {
        passive: { failures: 1, statuses: [500], max_ejected: 100 },
        backoff: { first: '1s', jitter: 0, retries },
      };
      await using gateway = await testGateway(pooled([addressOf(origin)], { health, queue: { depth: 0 } }), { clock });
      await using client = await RawClient.to(gateway.port());
      client.send(GET);
      await until(() => origin.held.length === 1, 'the first is under way');
      origin.held[0]!.writeHead(500).end();
      await client.response();
      clock.advance(1200);
      const trial = get(gateway.port());
      await until(() => origin.held.length === 2, 'it is tried');
      client.send(GET);
      await until(() => origin.held.length === 3 || client.text.includes(' 503 '), 'the other goes on or is refused');
      for (const response of origin.held.slice(1)) response.end();
      await trial;
      return (await client.response()).status;
    };
    expect([await meanwhile(2), await meanwhile(0)]).toEqual([200, 503]);
  });
});

describe('further attempts', () => {
  /** The statuses of two requests to a pool in which every other one begins at an endpoint that is of no use. */
  async function both(useless: string, pool: object, request = GET): Promise<number[]> {
    await using good = await answers(200);
    await using gateway = await testGateway(pooled([useless, addressOf(good)], pool));
    const got: number[] = [];
    for (let i = 0; i < 2; i++) {
      await using client = await RawClient.to(gateway.port());
      got.push((await client.send(request).response()).status);
    }
    return got.toSorted((a, b) => a - b);
  }
  const dead = async (): Promise<string> => `127.0.0.1:${await freePort()}`;

  test('retries.attempts: none, if it says so', async () => {
    expect(await both(await dead(), { retries: { attempts: 1 } })).toEqual([200, 200]);
    expect(await both(await dead(), { retries: { attempts: 0 } })).toEqual([200, 502]);
  });

  test('retries.on: only after failures of that kind', async () => {
    await using breaking = await breaks();
    await using nonsense = await rawOrigin((socket) => socket.once('data', () => socket.write('hello\r\n\r\n')));
    const kinds = [
      [await dead(), 'connect'],
      [addressOf(breaking), 'reset'],
      [addressOf(nonsense), 'bad_response'],
    ] as const;
    for (const [useless, kind] of kinds) {
      const others = ['connect', 'reset', 'timeout', 'bad_response'].filter((one) => one !== kind);
      expect(await both(useless, { retries: { on: [kind] } })).toEqual([200, 200]);
      expect(await both(useless, { retries: { on: others } })).toEqual([200, 502]);
    }
  });

  test('retries.statuses: such an answer has another endpoint asked', async () => {
    await using busy = await answers(500);
    expect(await both(addressOf(busy), { retries: { statuses: [500] } })).toEqual([200, 200]);
    expect(await both(addressOf(busy), { retries: { statuses: [429] } })).toEqual([200, 500]);
  });

  test('retries.per_try_timeout: an endpoint that takes longer is left for another', async () => {
    const clock = new ManualClock();
    await using silent = await holds();
    await using good = await answers(200);
    const endpoints = [addressOf(silent), addressOf(good)];
    await using gateway = await testGateway(pooled(endpoints, { retries: { per_try_timeout: '1s' } }), { clock });
    await using client = await RawClient.to(gateway.port());
    client.send(GET);
    await until(() => silent.held.length === 1, 'the first attempt is under way');
    clock.advance(900);
    expect(good.requests).toHaveLength(0);
    clock.advance(300);
    expect((await client.response()).status).toBe(200);
  });

  test('retries.body_size: a body that was not kept is not sent again', async () => {
    await using breaking = await breaks();
    const put = 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello';
    expect(await both(addressOf(breaking), { retries: { body_size: 5 } }, put)).toEqual([200, 200]);
    expect(await both(addressOf(breaking), { retries: { body_size: 4 } }, put)).toEqual([200, 502]);
  });

  test('retries.budget.min: as many are allowed, however little is under way', async () => {
    const endpoint = await dead();
    expect(await both(endpoint, { retries: { budget: { share: 0, min: 1 } } })).toEqual([200, 200]);
    expect(await both(endpoint, { retries: { budget: { share: 0, min: 0 } } })).toEqual([200, 502]);
  });

  test.each([
    [100, 200],
    [0, 502],
  ])('retries.budget.share: %i percent of what is under way', async (share, status) => {
    await using good = await holds();
    const pool = { retries: { budget: { share, min: 0 } } };
    await using gateway = await testGateway(pooled([addressOf(good), await dead()], pool));
    const pending = [get(gateway.port())];
    await until(() => good.held.length === 1, 'the first is under way');
    pending.push(get(gateway.port()));
    if (status === 200) await until(() => good.held.length === 2, 'the second has come by its further attempt');
    else expect((await pending[1]!).status).toBe(502);
    for (const response of good.held) response.end();
    expect((await Promise.all(pending)).map((answer) => answer.status)).toEqual([200, status]);
  });

  test('retries.backoff: the first follows at once, the next after pauses that double up to max', async () => {
    const clock = new ManualClock();
    const origins = [await breaks(), await breaks(), await breaks(), await breaks()];
    await using stack = new AsyncDisposableStack();
    for (const origin of origins) stack.use(origin);
    const came = (): number => origins.reduce((sum, { received }) => sum + received.length, 0);
    const retries = { attempts: 3, backoff: { first: '4s', max: '6s' } };
    const options = { clock, random: () => 0.999 };
    await using gateway = await testGateway(pooled(origins.map(addressOf), { retries }), options);
    const { metrics } = gateway.running.gateway;
    const failed = (): number =>
      origins.reduce((sum, origin) => sum + metrics.endpoint('origin', addressOf(origin)).failures, 0);
    await using client = await RawClient.to(gateway.port());
    client.send(GET);
    for (const [attempts, pause] of [
      [2, 4000],
      [3, 6000],
    ] as const) {
      await until(() => failed() === attempts, `${attempts} attempts have failed`);
      clock.advance(pause - 200);
      expect(gateway.running.gateway.current!.leases).toBe(1);
      expect(came()).toBe(attempts);
      clock.advance(200);
    }
    expect((await client.response()).status).toBe(502);
    expect(came()).toBe(4);
  });
});

describe('policies', () => {
  /** What an origin that says `X-Old: theirs` and a client are told, through a route with these policies. */
  async function through(policies: readonly object[], path = '/') {
    await using origin = await httpOrigin((_, response) => response.setHeader('X-Old', 'theirs').end());
    const routes = [{ name: 'all', match: {}, policies, pool: 'origin' }];
    const acls = { nobody: { default: 'deny' }, all: {} };
    await using gateway = await testGateway(simpleConfig(origin.port, { acls, routes }));
    const { status, headers } = await get(gateway.port(), path, { headers: { 'x-old': 'mine', host: 'a' } });
    const [seen] = origin.requests;
    return { status, told: headers, url: seen?.url, sent: seen?.headers ?? {} };
  }

  test('headers.request: remove, set and add', async () => {
    const plain = await through([]);
    expect([plain.sent['x-old'], plain.told['x-old']]).toEqual(['mine', 'theirs']);
    const edited = async (request: object) => (await through([{ type: 'headers', request }])).sent['x-old'];
    expect(await edited({ remove: ['X-Old'] })).toBeUndefined();
    expect(await edited({ set: { 'X-Old': 'ours' } })).toBe('ours');
    expect(await edited({ add: { 'X-Old': 'ours' } })).toBe('mine, ours');
  });

  test('headers.response: remove, set and add', async () => {
    const edited = async (response: object) => (await through([{ type: 'headers', response }])).told['x-old'];
    expect(await edited({ remove: ['X-Old'] })).toBeUndefined();
    expect(await edited({ set: { 'X-Old': 'ours' } })).toBe('ours');
    expect(await edited({ add: { 'X-Old': 'ours' } })).toBe('theirs, ours');
  });

  test('rewrite: prefix and replacement', async () => {
    const rewritten = async (more: object) =>
      (await through([{ type: 'rewrite', prefix: '/v1', ...more }], '/v1/x?y')).url;
    expect(await rewritten({})).toBe('/x?y');
    expect(await rewritten({ replacement: '/new' })).toBe('/new/x?y');
    expect(await rewritten({ prefix: '/v2' })).toBe('/v1/x?y');
  });

  test('acl: whom it does not allow gets a 403', async () => {
    expect((await through([{ type: 'acl', acl: 'nobody' }])).status).toBe(403);
    expect((await through([{ type: 'acl', acl: 'all' }])).status).toBe(200);
  });
});

test('sticky: every attribute of the cookie', async () => {
  await using origin = await answers(200);
  const cookie = async (sticky: object): Promise<string> => {
    await using gateway = await testGateway(pooled([addressOf(origin)], { sticky }));
    return (await get(gateway.port())).headers['set-cookie']!.join().replace(/=[\w-]{22};/, '=V;');
  };
  expect(await cookie({})).toBe('prozy_endpoint=V; Path=/; HttpOnly; SameSite=Lax');
  expect(await cookie({ cookie: 'at', path: '/app', ttl: '5m' })).toBe(
    'at=V; Path=/app; Max-Age=300; HttpOnly; SameSite=Lax',
  );
  expect(await cookie({ http_only: false, same_site: 'strict' })).toBe('prozy_endpoint=V; Path=/; SameSite=Strict');
  expect(await cookie({ secure: true, same_site: 'none' })).toBe(
    'prozy_endpoint=V; Path=/; Secure; HttpOnly; SameSite=None',
  );
});
