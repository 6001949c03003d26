/** A cache on real sockets: what is stored and given, who waits for whom, and what becomes of those who leave. */
import net from 'node:net';
import { describe, expect, test } from 'vitest';
import { cached, cachedConfig } from '../support/cached.ts';
import { testGateway, until } from '../support/gateway.ts';
import { httpOrigin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';

const FRESH = { 'Cache-Control': 'max-age=60' };
const status = (answer: { headers: NodeJS.Dict<string | string[]> }): unknown => answer.headers['cache-status'];

describe('what is stored', () => {
  test('is given again with its age, and once only asked for', async () => {
    let count = 0;
    await using it = await cached((_, response) => response.writeHead(200, FRESH).end(`answer ${++count}`));
    expect(await it.ask('/a')).toMatchObject({ status: 200, body: 'answer 1' });
    it.clock.shift(7000);
    const again = await it.ask('/a');
    expect(again).toMatchObject({ status: 200, body: 'answer 1', headers: { age: '7', 'content-length': '8' } });
    expect(status(again)).toBe('prozy; hit; ttl=53');
    expect(await it.ask('/a', { method: 'HEAD' })).toMatchObject({
      body: '',
      headers: { age: '7', 'content-length': '8' },
    });
    expect(await it.ask('/a?b')).toMatchObject({ body: 'answer 2' });
    expect(await it.ask('/a', { headers: { Host: 'other' } })).toMatchObject({ body: 'answer 3' });
    it.clock.shift(60_000);
    expect(await it.ask('/a')).toMatchObject({ body: 'answer 4' });
  });

  test('is not what is for one client, or for nobody', async () => {
    await using it = await cached(({ url }, response) => {
      const says = decodeURIComponent(url.split('?')[1]!);
      response.writeHead(200, { 'Cache-Control': says, 'Set-Cookie': says === '' ? 'a=1' : [] }).end('x');
    });
    for (const says of ['no-store', 'private, max-age=9', 'max-age=0', '']) {
      for (const _ of [1, 2]) expect(status(await it.ask(`/?${encodeURIComponent(says)}`))).not.toContain('hit');
    }
    expect(it.origin.requests).toHaveLength(8);
    for (const _ of [1, 2]) await it.ask('/?max-age=9', { headers: { Authorization: 'Basic YTpi' } });
    expect(it.origin.requests).toHaveLength(10);
  });

  test('is told apart by what its Vary names', async () => {
    await using it = await cached(({ headers }, response) =>
      response.writeHead(200, { ...FRESH, Vary: 'Accept-Language' }).end(headers['accept-language'] ?? 'none'),
    );
    for (const _ of [1, 2]) {
      expect(await it.ask('/', { headers: { 'Accept-Language': 'de' } })).toMatchObject({ body: 'de' });
      expect(await it.ask('/', { headers: { 'Accept-Language': 'en' } })).toMatchObject({ body: 'en' });
      expect(await it.ask('/')).toMatchObject({ body: 'none' });
    }
    expect(it.origin.requests).toHaveLength(3);
  });

  test('answers conditions and ranges by itself', async () => {
    const body = '0123456789';
    await using it = await cached((_, response) => response.writeHead(200, { ...FRESH, ETag: '"v1"' }).end(body));
    await it.ask('/');
    expect(await it.ask('/', { headers: { 'If-None-Match': '"v0", W/"v1"' } })).toMatchObject({
      status: 304,
      body: '',
      headers: { etag: '"v1"' },
    });
    expect(await it.ask('/', { headers: { Range: 'bytes=2-4' } })).toMatchObject({
      status: 206,
      body: '234',
      headers: { 'content-range': 'bytes 2-4/10', 'content-length': '3' },
    });
    expect(await it.ask('/', { headers: { Range: 'bytes=-3' } })).toMatchObject({ status: 206, body: '789' });
    expect(await it.ask('/', { headers: { Range: 'bytes=20-' } })).toMatchObject({
      status: 416,
      headers: { 'content-range': 'bytes */10' },
    });
    expect(await it.ask('/', { headers: { Range: 'bytes=2-4', 'If-Range': '"v0"' } })).toMatchObject({
      status: 200,
      body,
    });
    const several = await it.ask('/', { headers: { Range: 'bytes=0-0,9-9' } });
    expect(several.status).toBe(206);
    expect(several.headers['content-type']).toMatch(/^multipart\/byteranges; boundary=/);
    expect(several.body).toContain('Content-Range: bytes 9-9/10\r\n\r\n9\r\n');
    expect(it.origin.requests).toHaveLength(1);
  });

  test('is asked for anew when it is stale, and good again with a 304', async () => {
    await using it = await cached(({ headers }, response) => {
      if (headers['if-none-match'] === '"v1"') response.writeHead(304, { ...FRESH, ETag: '"v1"', 'X-New': '1' }).end();
      else response.writeHead(200, { ...FRESH, ETag: '"v1"', 'X-Old': '1' }).end('hello');
    });
    await it.ask('/');
    it.clock.shift(61_000);
    const validated = await it.ask('/');
    expect(validated).toMatchObject({ status: 200, body: 'hello', headers: { 'x-new': '1', 'x-old': '1', age: '0' } });
    expect(status(validated)).toBe('prozy; fwd=stale; fwd-status=304');
    expect(status(await it.ask('/'))).toBe('prozy; hit; ttl=60');
    expect(it.origin.requests).toHaveLength(2);
  });

  test('is gone when an unsafe request has changed it, also what its answer names', async () => {
    await using it = await cached(({ method }, response) =>
      response
        .writeHead(200, method === 'POST' ? { Location: '/other', 'Content-Location': 'http://b/far' } : FRESH)
        .end(),
    );
    for (const path of ['/a', '/other', '/far']) await it.ask(path, { headers: { Host: 'a' } });
    await it.ask('/a', { method: 'POST', headers: { Host: 'a' } });
    const hits = [];
    for (const path of ['/a', '/other', '/far']) hits.push(status(await it.ask(path, { headers: { Host: 'a' } })));
    expect(hits).toEqual([
      'prozy; fwd=uri-miss; stored',
      'prozy; fwd=uri-miss; stored',
      expect.stringContaining('hit'),
    ]);
  });

  test('survives a reload, whatever else changes, and may have more or less room', async () => {
    await using origin = await httpOrigin((_, response) => response.writeHead(200, FRESH).end('x'.repeat(1000)));
    await using gateway = await testGateway(cachedConfig(origin.port));
    for (const path of ['/1', '/2', '/3']) await get(gateway.port(), path);
    await gateway.edit(cachedConfig(origin.port, { default_ttl: '5s' }, { max_size: '7000' }));
    const found = [];
    for (const path of ['/3', '/2', '/1']) found.push(String(status(await get(gateway.port(), path))).includes('hit'));
    expect(found).toEqual([true, true, false]);
    await gateway.edit(cachedConfig(origin.port, {}, { key: { query: [] } }));
    expect(status(await get(gateway.port(), '/3'))).toContain('uri-miss');
  });
});

describe('when the origin fails', () => {
  test('what is stale is given if it may be', async () => {
    let broken = false;
    await using it = await cached(
      ({ url }, response) => {
        if (broken && url === '/hang-up') response.destroy();
        else if (broken) response.writeHead(503).end('broken');
        else
          response
            .writeHead(200, { 'Cache-Control': `max-age=1${url === '/strict' ? ', must-revalidate' : ''}` })
            .end('good');
      },
      { stale_if_error: '60s' },
    );
    for (const path of ['/', '/strict', '/hang-up']) await it.ask(path);
    broken = true;
    it.clock.shift(5000);
    expect(await it.ask('/')).toMatchObject({ status: 200, body: 'good', headers: { age: '5' } });
    expect(await it.ask('/strict')).toMatchObject({ status: 503, body: 'broken' });
    expect(await it.ask('/hang-up')).toMatchObject({ status: 200, body: 'good' });
    it.clock.shift(120_000);
    expect(await it.ask('/')).toMatchObject({ status: 503 });
    // It can't be had from anybody, and that is allowed for longer (stale_if_unreachable).
    expect(await it.ask('/hang-up')).toMatchObject({ status: 200, body: 'good' });
    it.clock.shift(3_600_000);
    expect(await it.ask('/hang-up')).toMatchObject({ status: 502 });
    await it.settled();
  });

  test('a body that breaks off is stored by nobody and cut for all', async () => {
    let sockets: net.Socket[] = [];
    await using origin = await rawOrigin((socket) => socket.on('data', () => sockets.push(socket)));
    await using gateway = await testGateway(cachedConfig(origin.port));
    await using one = await RawClient.to(gateway.port());
    await using other = await RawClient.to(gateway.port());
    for (const client of [one, other]) client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(
      () => sockets.length === 1 && gateway.running.gateway.metrics.caches.get('pages')!.collapsed === 1,
      'one asks',
    );
    sockets[0]!.write('HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 10\r\n\r\nhalf');
    for (const client of [one, other]) await until(() => client.text.endsWith('half'), 'half has come');
    sockets[0]!.destroy();
    for (const client of [one, other]) await client.end();
    sockets = [];
    await using third = await RawClient.to(gateway.port());
    third.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => sockets.length === 1, 'it is asked for again');
  });
});

describe('those who ask for the same thing at once', () => {
  test('share one request', async () => {
    const waiting: (() => void)[] = [];
    await using it = await cached((_, response) => waiting.push(() => response.writeHead(200, FRESH).end('shared')));
    const all = Array.from({ length: 50 }, () => it.ask('/'));
    const { metrics } = it.gateway.running.gateway;
    await until(() => metrics.caches.get('pages')!.collapsed === 49, 'all but one wait');
    for (const answer of waiting) answer();
    for (const one of await Promise.all(all)) expect(one).toMatchObject({ status: 200, body: 'shared' });
    expect(it.origin.requests).toHaveLength(1);
  });

  test('go on side by side when it turns out to be for nobody else, and know it the next time', async () => {
    let open = 0;
    let most = 0;
    const waiting: (() => void)[] = [];
    await using it = await cached((_, response) => {
      most = Math.max(most, ++open);
      const finish = (): void => {
        open--;
        response.end('own');
      };
      response.writeHead(200, { 'Cache-Control': 'no-store' });
      // The head tells, and the body of nobody else is waited for.
      response.flushHeaders();
      waiting.push(finish);
    });
    const all = Array.from({ length: 20 }, () => it.ask('/'));
    await until(() => waiting.length === 20, 'all are asked for while none is answered');
    for (const finish of waiting) finish();
    await Promise.all(all);
    expect(most).toBe(20);
    const { collapsed } = it.gateway.running.gateway.metrics.caches.get('pages')!;
    const two = [it.ask('/'), it.ask('/')];
    await until(() => waiting.length === 22, 'both are asked for');
    for (const finish of waiting.slice(20)) finish();
    await Promise.all(two);
    expect(it.gateway.running.gateway.metrics.caches.get('pages')!.collapsed).toBe(collapsed);
  });

  test('do not wait for ever', async () => {
    const answers: (() => void)[] = [];
    await using it = await cached((_, response) => answers.push(() => response.writeHead(200, FRESH).end('late')), {
      collapse_wait: '200ms',
    });
    const first = it.ask('/');
    await until(() => answers.length === 1, 'the first is asked for');
    const second = it.ask('/');
    await until(() => answers.length === 2, 'the second has waited for long enough');
    for (const answer of answers) answer();
    for (const one of [await first, await second]) expect(one).toMatchObject({ body: 'late' });
  });
});

describe('a body on its way', () => {
  const BODY = 'x'.repeat(600_000);

  test('comes for the store though its client is slow or gone', async () => {
    await using it = await cached((_, response) => response.writeHead(200, FRESH).end(BODY));
    await using slow = await RawClient.to(it.gateway.port());
    slow.socket.pause();
    slow.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const { metrics } = it.gateway.running.gateway;
    await until(() => metrics.caches.get('pages')!.stored === 1, 'it is stored');
    await using gone = await RawClient.to(it.gateway.port());
    gone.send('GET /gone HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => gone.text.includes('xxxx'), 'it has begun');
    gone.socket.resetAndDestroy();
    await until(() => metrics.caches.get('pages')!.stored === 2, 'it is stored all the same');
    expect((await it.ask('/gone', { headers: { Host: 'a' } })).body).toBe(BODY);
    slow.socket.resume();
    expect((await slow.response()).body).toBe(BODY);
    expect(it.origin.requests).toHaveLength(2);
  });

  test('is passed on and not stored when it is too large, and waits for its client then', async () => {
    const large = 'y'.repeat(4_000_000);
    await using it = await cached(({ url }, response) => {
      response.writeHead(200, url === '/sized' ? { ...FRESH, 'Content-Length': large.length } : FRESH);
      response.end(large);
    });
    for (const path of ['/sized', '/chunked']) {
      await using client = await RawClient.to(it.gateway.port());
      client.socket.pause();
      client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await until(() => it.origin.requests.some(({ url }) => url === path), 'it is asked for');
      client.socket.resume();
      expect((await client.response()).body).toBe(large);
    }
    await it.settled();
    expect(it.gateway.running.gateway.metrics.caches.get('pages')!.stored).toBe(0);
  });

  test('is not fetched on when nobody is left who could use it', async () => {
    const closed: boolean[] = [];
    await using it = await cached((_, response) => {
      response.on('close', () => closed.push(response.writableFinished));
      response.writeHead(200, { 'Cache-Control': 'no-store' });
      response.write('begun');
    });
    await using client = await RawClient.to(it.gateway.port());
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => client.text.includes('begun'), 'it has begun');
    client.socket.resetAndDestroy();
    await until(() => closed.length === 1, 'the origin notices');
    expect(closed).toEqual([false]);
    await it.settled();
  });
});

test('what is stale is given while it is asked for anew, once', async () => {
  let count = 0;
  await using it = await cached((_, response) =>
    response.writeHead(200, { 'Cache-Control': 'max-age=1, stale-while-revalidate=60' }).end(`answer ${++count}`),
  );
  await it.ask('/');
  it.clock.shift(2000);
  expect(await it.ask('/')).toMatchObject({ body: 'answer 1', headers: { age: '2' } });
  await it.settled();
  expect(await it.ask('/')).toMatchObject({ body: 'answer 2' });
  expect(count).toBe(2);
});

test('policies before the cache see what is stored, those behind it only what is fetched', async () => {
  await using origin = await httpOrigin((_, response) => response.writeHead(200, { ...FRESH, Server: 'a' }).end('x'));
  const edit = (name: string): object => ({ type: 'headers', response: { add: { [name]: 'yes' } } });
  const policies = [edit('x-before'), { type: 'cache', cache: 'pages' }, edit('x-behind')];
  const config = { ...cachedConfig(origin.port), routes: [{ name: 'all', match: {}, policies, pool: 'origin' }] };
  await using gateway = await testGateway(config);
  for (const _ of [1, 2]) {
    const { headers } = await get(gateway.port(), '/');
    expect(headers).toMatchObject({ 'x-before': 'yes', 'x-behind': 'yes' });
  }
  expect(origin.requests).toHaveLength(1);
});
