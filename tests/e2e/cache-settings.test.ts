/** Every setting of caches and of the policy has the effect that it names: with it, and without. */
import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { cached, type Cached } from '../support/cached.ts';
import { until } from '../support/gateway.ts';
import type { SeenRequest } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';

type Headers = Readonly<Record<string, string>>;
type Answer = (request: SeenRequest, response: ServerResponse) => void;

/** An origin whose answers have these fields, and say how often it has been asked. */
function saying(fields: Headers, width = 1): Answer {
  let count = 0;
  return (_, response) => {
    response.writeHead(200, fields);
    response.end(String(++count).padStart(width, '0'));
  };
}

const FRESH = { 'cache-control': 'max-age=600' };
const BRIEFLY = { 'cache-control': 'max-age=10' };

type Asked = readonly [path: string, headers?: Headers];

/** Which answer of the origin each of these requests gets. */
async function answers(it: Cached, asked: readonly Asked[]): Promise<string> {
  const bodies: number[] = [];
  for (const [path, headers = {}] of asked) {
    bodies.push(Number((await it.ask(path, { headers })).body));
    await it.settled();
  }
  return bodies.join(' ');
}

describe('the key', () => {
  test.each([
    [{}, '1 2 3 4 5'],
    [{ query: ['a'] }, '1 1 1 2 3'],
    [{ query: [] }, '1 1 1 1 1'],
    [{ ignore_query: ['a'] }, '1 1 2 1 3'],
    [{ ignore_query: ['c', 'b'] }, '1 1 1 2 3'],
    [{ sort_query: true }, '1 1 2 3 4'],
    [{ sort_query: true, ignore_query: ['c'] }, '1 1 1 2 3'],
  ])('%j tells queries apart', async (key, bodies) => {
    await using it = await cached(saying(FRESH), {}, { key });
    const queries: readonly Asked[] = [['/?a=1&b=2'], ['/?b=2&a=1'], ['/?a=1&b=2&c=3'], ['/?a=2&b=2'], ['/']];
    expect(await answers(it, queries)).toBe(bodies);
  });

  test.each([
    [{}, '1 1 1 1'],
    [{ headers: ['X-Tenant'] }, '1 2 3 1'],
    [{ cookies: ['lang'] }, '1 1 1 2'],
  ])('%j tells clients apart', async (key, bodies) => {
    await using it = await cached(saying(FRESH), {}, { key });
    const clients: readonly Asked[] = [
      ['/', { 'x-tenant': '1', cookie: 'other=1' }],
      ['/', { 'x-tenant': '2', cookie: 'other=2' }],
      ['/'],
      ['/', { 'x-tenant': '1', cookie: 'a=b; lang=de' }],
    ];
    expect(await answers(it, clients)).toBe(bodies);
  });
});

describe('room', () => {
  test.each([
    [{}, '1 1 2 2'],
    [{ max_entry_size: '49B' }, '1 2 3 4'],
    [{ max_entry_size: '50B' }, '1 1 2 2'],
  ])('%j: a larger body is not stored', async (cache, bodies) => {
    await using it = await cached(saying(FRESH, 50), {}, cache);
    expect(await answers(it, [['/a'], ['/a'], ['/b'], ['/b']])).toBe(bodies);
  });

  test.each([
    [{}, '1 2 1 3 1 2'],
    [{ max_size: '100KiB' }, '1 2 1 3 1 4'],
  ])('%j: what was least recently used makes room', async (cache, bodies) => {
    // Two of these fit into the smaller one.
    await using it = await cached(saying({ ...FRESH, 'content-length': '40000' }, 40_000), {}, cache);
    expect(await answers(it, [['/a'], ['/b'], ['/a'], ['/c'], ['/a'], ['/b']])).toBe(bodies);
  });
});

describe('freshness', () => {
  test.each([
    [{}, {}, 0, '1 2'],
    [{ default_ttl: '10m' }, {}, 590, '1 1'],
    [{ default_ttl: '10m' }, {}, 610, '1 2'],
    [{ default_ttl: '10m' }, BRIEFLY, 20, '1 2'],
    [{ min_ttl: '1m' }, BRIEFLY, 50, '1 1'],
    [{ min_ttl: '1m' }, BRIEFLY, 70, '1 2'],
    [{}, BRIEFLY, 20, '1 2'],
    [{}, FRESH, 590, '1 1'],
    [{ max_ttl: '1m' }, FRESH, 50, '1 1'],
    [{ max_ttl: '1m' }, FRESH, 70, '1 2'],
    [{ max_ttl: '1m' }, BRIEFLY, 20, '1 2'],
  ])('%j, and an answer with %j after %i s', async (policy, fields, seconds, bodies) => {
    await using it = await cached(saying(fields), policy);
    const first = await answers(it, [['/']]);
    it.clock.shift(seconds * 1000);
    expect(`${first} ${await answers(it, [['/']])}`).toBe(bodies);
  });

  test.each([
    [{}, 20, '1 2 2'],
    [{ stale_while_revalidate: '1m' }, 60, '1 1 2'],
    [{ stale_while_revalidate: '1m' }, 80, '1 2 2'],
  ])('%j after %i s: what is stale is given while it is asked for anew', async (policy, seconds, bodies) => {
    await using it = await cached(saying(BRIEFLY), policy);
    const first = await answers(it, [['/']]);
    it.clock.shift(seconds * 1000);
    expect(`${first} ${await answers(it, [['/'], ['/']])}`).toBe(bodies);
  });

  const failing = (fail: (response: ServerResponse) => void): Answer => {
    let count = 0;
    return (_, response) => {
      if (++count > 1) fail(response);
      else response.writeHead(200, BRIEFLY).end('1');
    };
  };

  test.each([
    [{}, 60, 500],
    [{ stale_if_error: '1m' }, 60, 200],
    [{ stale_if_error: '1m' }, 80, 500],
  ])('%j after %i s: what is stale is given in place of an error', async (policy, seconds, status) => {
    await using it = await cached(
      failing((response) => response.writeHead(500).end('no')),
      policy,
    );
    await it.ask();
    it.clock.shift(seconds * 1000);
    expect((await it.ask()).status).toBe(status);
  });

  test.each([
    [{}, 3600, 200],
    [{}, 3620, 502],
    [{ stale_if_unreachable: '0s' }, 20, 502],
    [{ stale_if_unreachable: '1m' }, 60, 200],
    [{ stale_if_unreachable: '1m' }, 80, 502],
  ])('%j after %i s: what is stale is given where nobody answers', async (policy, seconds, status) => {
    await using it = await cached(
      failing((response) => response.destroy()),
      policy,
    );
    await it.ask();
    it.clock.shift(seconds * 1000);
    expect((await it.ask()).status).toBe(status);
  });
});

describe('who may ask, and what is kept', () => {
  const NO_CACHE: Asked = ['/', { 'cache-control': 'no-cache' }];

  test.each([
    [{}, '1 2 3 3'],
    [{ request_directives: 'ignore' }, '1 1 1 1'],
  ])('%j: clients that want it anew', async (policy, bodies) => {
    await using it = await cached(saying(FRESH), policy);
    expect(await answers(it, [['/'], NO_CACHE, ['/', { pragma: 'no-cache' }], ['/']])).toBe(bodies);
  });

  test.each([
    [{}, { ...FRESH, 'set-cookie': 'a=1' }, '1 2'],
    [{}, { 'cache-control': 'public, s-maxage=60', 'set-cookie': 'a=1' }, '1 2'],
    [{}, FRESH, '1 1'],
    [{ set_cookie: 'explicit' }, { ...FRESH, 'set-cookie': 'a=1' }, '1 1'],
    [{ set_cookie: 'explicit' }, { 'set-cookie': 'a=1', 'last-modified': 'Thu, 01 Jan 2015 00:00:00 GMT' }, '1 2'],
  ])('%j, and an answer with %j', async (policy, fields, bodies) => {
    await using it = await cached(saying(fields), policy);
    expect(await answers(it, [['/'], ['/']])).toBe(bodies);
  });

  const ANNA: Asked = ['/', { authorization: 'Basic YW5uYTph' }];

  test.each([
    [{}, FRESH, '1 2 3 1'],
    [{}, { 'cache-control': 'public, max-age=60' }, '1 1 1 1'],
    [{}, { 'cache-control': 's-maxage=60' }, '1 1 1 1'],
    [{}, { 'cache-control': 'must-revalidate, max-age=60' }, '1 1 1 1'],
    [{ authorization: 'any' }, FRESH, '1 1 1 1'],
  ])('%j: what answers anonymous clients with %j, and requests with credentials', async (policy, fields, bodies) => {
    await using it = await cached(saying(fields), policy);
    expect(await answers(it, [['/'], ANNA, ANNA, ['/']])).toBe(bodies);
  });

  test.each([
    [{}, 'max-age=60', [401, 200]],
    [{}, 'public, max-age=60', [401, 200]],
    [{ unauthorized: 'explicit' }, 'max-age=60', [401, 200]],
    [{ unauthorized: 'explicit' }, 'public, max-age=60', [401, 401]],
    [{ unauthorized: 'explicit', authorization: 'any' }, 'max-age=60', [401, 401]],
  ])('%j: a 401 that says %s, and the next request, which has credentials', async (policy, says, statuses) => {
    await using it = await cached(({ headers }, response) => {
      const status = headers.authorization === undefined ? 401 : 200;
      response.writeHead(status, { 'cache-control': says, 'www-authenticate': 'Basic realm="a"' }).end();
    }, policy);
    const [path, headers] = ANNA;
    const both = [await it.ask('/'), await it.ask(path, { headers })];
    expect(both.map(({ status }) => status)).toEqual(statuses);
  });

  const HEADER: Asked = ['/', { 'x-preview': '1' }];
  const COOKIE: Asked = ['/', { cookie: 'a=b; session=x' }];
  const QUERY: Asked = ['/?preview=yes'];

  test.each([
    [[], '1 1 1 2'],
    [[{ header: 'X-Preview' }], '1 2 1 3'],
    [[{ header: 'x-preview', value: '1' }], '1 2 1 3'],
    [[{ header: 'x-preview', value: '2' }], '1 1 1 2'],
    [[{ cookie: 'session' }], '1 1 2 3'],
    [[{ cookie: 'session', value: 'y' }], '1 1 1 2'],
    [[{ cookie: 'nobody' }, { cookie: 'session' }], '1 1 2 3'],
  ])('bypass %j: neither answered nor stored', async (bypass, bodies) => {
    await using it = await cached(saying(FRESH), { bypass });
    expect(await answers(it, [['/'], HEADER, COOKIE, QUERY])).toBe(bodies);
  });

  test.each([
    [[{ query: 'preview' }], '1 2 3'],
    [[{ query: 'preview', value: 'yes' }], '1 2 3'],
    [[{ query: 'preview', value: 'no' }], '1 1 1'],
  ])('bypass %j: each goes on its way', async (bypass, bodies) => {
    await using it = await cached(saying(FRESH), { bypass });
    expect(await answers(it, [QUERY, QUERY, QUERY])).toBe(bodies);
  });

  test.each([
    [[], '1 1 1 2'],
    [[{ header: 'x-preview' }], '1 2 2 3'],
    [[{ header: 'x-preview', value: 'no' }], '1 1 1 2'],
  ])('no_store %j: may be answered, and is not stored', async (no_store, bodies) => {
    await using it = await cached(saying(FRESH), { no_store });
    // The first brings nothing in, the second does, and answers the third.
    expect(await answers(it, [HEADER, ['/'], HEADER, QUERY])).toBe(bodies);
  });
});

describe('fetching', () => {
  test.each([
    [{}, 1],
    [{ collapse_wait: '0s' }, 2],
  ])('%j: two at once', async (policy, requests) => {
    const held: ServerResponse[] = [];
    await using it = await cached((_, response) => {
      response.writeHead(200, FRESH);
      held.push(response);
    }, policy);
    const both = [it.ask()];
    await until(() => held.length === 1, 'the first is sent on');
    both.push(it.ask());
    const { metrics } = it.gateway.running.gateway;
    await until(() => held.length === 2 || metrics.cache('pages').collapsed === 1, 'the second waits or is sent on');
    expect(held).toHaveLength(requests);
    for (const response of held) response.end('x');
    expect((await Promise.all(both)).map(({ body }) => body)).toEqual(['x', 'x']);
  });

  test.each([
    [{}, 1],
    [{ finish: '50B' }, 1],
    [{ finish: '49B' }, 2],
  ])('%j: fetched to its end when its client is gone, or not', async (policy, requests) => {
    let rest = (): void => {};
    let cut = false;
    await using it = await cached((_, response) => {
      response.writeHead(200, { ...FRESH, 'content-length': 100 });
      response.write('1'.repeat(50));
      rest = () => response.end('2'.repeat(50));
      response.on('close', () => (cut ||= !response.writableFinished));
    }, policy);
    const port = it.gateway.port();
    await using client = await RawClient.to(port);
    client.send(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
    await until(() => client.text.endsWith('1'.repeat(50)), 'half of it is there');
    client.socket.resetAndDestroy();
    const { gateway } = it.gateway.running;
    // The client's own lease goes; the fetch has one too.
    await until(() => gateway.current!.leases === (requests === 1 ? 1 : 0), 'the client is gone');
    await until(() => cut === (requests === 2), 'the origin has noticed, or has not');
    rest();
    await it.settled();
    const again = it.ask();
    if (requests === 2) {
      await until(() => it.origin.requests.length === 2, 'it is asked for again');
      rest();
    }
    expect((await again).body).toBe('1'.repeat(50) + '2'.repeat(50));
    expect(it.origin.requests).toHaveLength(requests);
  });

  test.each([
    [{}, ['fwd=uri-miss; stored', 'hit', 'hit', 'fwd=bypass', 'fwd=method', 'hit']],
    [{ status_header: false }, [undefined, undefined, undefined, undefined, undefined, undefined]],
  ])('%j: whether answers say what the cache did', async (policy, said) => {
    await using it = await cached(saying({ ...FRESH, etag: '"1"' }), { bypass: [{ query: 'skip' }], ...policy });
    const told: (string | undefined)[] = [];
    const asked = [
      [{}, '/'],
      [{}, '/'],
      [{ headers: { 'if-none-match': '"1"' } }, '/'],
      [{}, '/?skip'],
      [{ method: 'OPTIONS' }, '/'],
      [{ headers: { range: 'bytes=0-0' } }, '/'],
    ] as const;
    for (const [options, path] of asked) {
      const line = (await it.ask(path, options)).headers['cache-status'];
      told.push(typeof line === 'string' ? line.replace('prozy; ', '').replace(/; ttl=.*/, '') : undefined);
    }
    expect(told).toEqual(said);
  });
});
