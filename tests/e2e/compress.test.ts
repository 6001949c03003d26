/** Compressed responses over sockets: by the client's choice, event by event, slowly, aborted, before and after a cache. */
import { createHook } from 'node:async_hooks';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import { brotliDecompressSync, constants, createGunzip, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encoderMemory } from '../../src/http/coding/memory.ts';
import { simpleConfig, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { answering, httpOrigin, type HttpOrigin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { stillness } from '../support/stillness.ts';
import { collectGarbage } from '../support/garbage.ts';

const DECODE = {
  gzip: (body: Buffer) => gunzipSync(body),
  br: (body: Buffer) => brotliDecompressSync(body),
  zstd: (body: Buffer) => zstdDecompressSync(body),
  '': (body: Buffer) => body,
} as const;

type Headers = Readonly<Record<string, string>>;

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** As received. */
  readonly raw: Buffer;
  /** Decoded by its Content-Encoding. */
  readonly text: string;
}

async function ask(port: number, path: string, headers: Headers = {}, method = 'GET'): Promise<Answer> {
  const request = http.request({ port, host: '127.0.0.1', path, method, headers, agent: false }).end();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  const raw = Buffer.concat(parts);
  const coding = (response.headers['content-encoding'] ?? '') as keyof typeof DECODE;
  const text = raw.length === 0 ? '' : DECODE[coding](raw).toString();
  return { status: response.statusCode ?? 0, headers: response.headers, raw, text };
}

function routed(port: number, policies: readonly object[], more: object = {}): Record<string, unknown> {
  return simpleConfig(port, { routes: [{ name: 'all', match: {}, policies, pool: 'origin' }], ...more });
}

function compressing(port: number, policy: object = {}): Promise<TestGateway> {
  return testGateway(routed(port, [{ type: 'compress', ...policy }]));
}

const SMALL = '{ "some": "json" }\n'.repeat(100);
const LARGE = Array.from({ length: 30_000 }, (_, i) => `line ${i} of ${(i * 7919) % 1013}\n`).join('');

/** Answers by its path: /small, /large, /chunked; with a tag. */
function pages(): Promise<HttpOrigin> {
  return httpOrigin(({ url, method, headers }, response) => {
    response.setHeader('ETag', '"v1"');
    response.setHeader('Cache-Control', 'max-age=60');
    if (headers['if-none-match'] !== undefined && /"v1"/.test(headers['if-none-match'])) {
      response.writeHead(304).end();
      return;
    }
    response.setHeader('Content-Type', url === '/image' ? 'image/png' : 'application/json');
    response.setHeader('Accept-Ranges', 'bytes');
    const body = url === '/small' || url === '/image' ? SMALL : LARGE;
    if (url !== '/chunked') response.setHeader('Content-Length', body.length);
    response.end(method === 'HEAD' ? '' : body);
  });
}

describe('a response', () => {
  let origin: HttpOrigin;
  let gateway: TestGateway;
  beforeAll(async () => {
    origin = await pages();
    gateway = await compressing(origin.port);
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await origin[Symbol.asyncDispose]();
  });

  for (const coding of ['zstd', 'br', 'gzip'] as const) {
    test.each(['/small', '/large', '/chunked'])(
      `has the coding that the client accepts: ${coding} of %s`,
      async (path) => {
        const { headers, raw, text } = await ask(gateway.port(), path, { 'accept-encoding': `deflate, ${coding}` });
        const plain = path === '/small' ? SMALL : LARGE;
        expect(text === plain).toBe(true);
        expect(raw.length).toBeLessThan(plain.length / 2);
        expect(headers).toMatchObject({ 'content-encoding': coding, vary: 'Accept-Encoding', etag: 'W/"v1"' });
        expect([headers['content-length'], headers['accept-ranges']]).toEqual([undefined, undefined]);
      },
    );
  }

  test('is plain, with its length, where none is accepted', async () => {
    const { headers, text } = await ask(gateway.port(), '/large');
    expect(text === LARGE).toBe(true);
    expect(headers).toMatchObject({ vary: 'Accept-Encoding', etag: '"v1"', 'content-length': String(LARGE.length) });
    expect(headers['content-encoding']).toBeUndefined();
  });

  test('of another type is left alone', async () => {
    const { headers } = await ask(gateway.port(), '/image', { 'accept-encoding': 'gzip' });
    expect(headers['content-length']).toBe(String(SMALL.length));
    expect([headers.vary, headers['content-encoding'], headers.etag]).toEqual([undefined, undefined, '"v1"']);
  });

  test.each(['/small', '/large', '/chunked'])('to a HEAD has the fields of the GET: %s', async (path) => {
    const wanted = { 'accept-encoding': 'br' };
    const get = await ask(gateway.port(), path, wanted);
    const head = await ask(gateway.port(), path, wanted, 'HEAD');
    const { date: _, 'transfer-encoding': _chunked, ...fields } = get.headers;
    expect(head.headers).toMatchObject(fields);
    expect([head.headers['content-length'], head.raw.length]).toEqual([undefined, 0]);
  });

  test('that is not modified has the tag that the client knows', async () => {
    const accept = { 'accept-encoding': 'br' };
    const get = await ask(gateway.port(), '/large', accept);
    const weak = await ask(gateway.port(), '/large', { ...accept, 'if-none-match': get.headers.etag! });
    expect([weak.status, weak.headers.etag, weak.headers.vary]).toEqual([304, 'W/"v1"', 'Accept-Encoding']);
    const plain = await ask(gateway.port(), '/large', { 'if-none-match': '"v1"' });
    expect([plain.status, plain.headers.etag, plain.headers.vary]).toEqual([304, '"v1"', 'Accept-Encoding']);
  });

  test('to an HTTP/1.0 client ends with the connection', async () => {
    await using client = await RawClient.to(gateway.port());
    client.send('GET /large HTTP/1.0\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n');
    await client.end();
    const [head, body] = [client.text.split('\r\n\r\n', 1)[0]!, client.text.slice(client.text.indexOf('\r\n\r\n') + 4)];
    expect(head).toContain('Content-Encoding: gzip');
    expect(gunzipSync(Buffer.from(body, 'latin1')).toString() === LARGE).toBe(true);
  });

  test('leaves the connection ready for the next request', async () => {
    await using client = await RawClient.to(gateway.port());
    for (const path of ['/large', '/small', '/chunked', '/large']) {
      client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n`);
      const { body } = await client.response();
      expect(gunzipSync(Buffer.from(body, 'latin1')).length).toBe(path === '/small' ? SMALL.length : LARGE.length);
    }
    // The backend's connections have been used again too.
    expect(origin.received.length).toBeLessThan(origin.requests.length);
  });
});

test('events arrive one by one', async () => {
  let send: (event: string) => void = () => {};
  await using origin = await httpOrigin((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    send = (event) => (event === '' ? response.end() : response.write(event));
  });
  await using gateway = await compressing(origin.port);
  for (const coding of ['gzip', 'br', 'zstd'] as const) {
    const headers = { 'accept-encoding': coding };
    const request = http.get({ port: gateway.port(), host: '127.0.0.1', path: '/', headers, agent: false });
    // The head comes before the first event.
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    expect(response.headers['content-encoding']).toBe(coding);
    let received = Buffer.alloc(0);
    response.on('data', (part: Buffer) => (received = Buffer.concat([received, part])));
    for (let i = 0; i < 20; i++) {
      const event = `data: ${i}\n\n`;
      send(event);
      // The next event is not sent before this one is here.
      await until(() => soFar(coding, received).endsWith(event), `event ${i} arrives in ${coding}`);
    }
    send('');
    await once(response, 'end');
    expect(DECODE[coding](received).toString().split('\n\n').length).toBe(21);
  }
});

function soFar(coding: 'gzip' | 'br' | 'zstd', received: Buffer): string {
  if (received.length === 0) return '';
  const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH, ZSTD_e_flush } = constants;
  if (coding === 'gzip') return gunzipSync(received, { finishFlush: Z_SYNC_FLUSH }).toString();
  if (coding === 'br') return brotliDecompressSync(received, { finishFlush: BROTLI_OPERATION_FLUSH }).toString();
  return zstdDecompressSync(received, { finishFlush: ZSTD_e_flush }).toString();
}

test('a slow client stops the backend, and gets all in the end', async () => {
  const part = randomBytes(100_000);
  const parts = 300;
  let written = 0;
  await using origin = await rawOrigin(
    answering((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n');
      const next = (): void => {
        while (written < parts) {
          written++;
          socket.write(`${part.length.toString(16)}\r\n`);
          socket.write(part);
          if (!socket.write('\r\n')) {
            socket.once('drain', next);
            return;
          }
        }
        socket.end('0\r\n\r\n');
      };
      next();
    }),
  );
  await using gateway = await compressing(origin.port);
  const request = http.get({ port: gateway.port(), host: '127.0.0.1', headers: { 'accept-encoding': 'gzip' } });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  await stillness(() => written);
  expect(written).toBeLessThan(parts);
  let length = 0;
  for await (const piece of response.pipe(createGunzip())) length += (piece as Buffer).length;
  expect(length).toBe(parts * part.length);
});

test('a response that its backend breaks off is broken off for the client', async () => {
  await using origin = await rawOrigin(
    answering((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\n');
      socket.write('a'.repeat(50_000));
      setImmediate(() => socket.destroy());
    }),
  );
  await using gateway = await compressing(origin.port);
  await using client = await RawClient.to(gateway.port());
  client.send('GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n');
  await until(() => client.closed || client.ended, 'the connection ends');
  expect(client.text).not.toContain('\r\n0\r\n');
});

test('the gateway’s own responses are compressed too', async () => {
  const text = 'There is nothing here. '.repeat(100);
  const policies = [{ type: 'compress' }];
  const config = routed(9, policies, {
    routes: [
      {
        name: 'own',
        match: { path: '/own' },
        policies,
        respond: { headers: { 'content-type': 'text/html' }, body: text },
      },
      { name: 'all', match: {}, policies, pool: 'origin' },
    ],
  });
  await using gateway = await testGateway(config);
  for (const coding of ['gzip', 'br', 'zstd'] as const) {
    const own = await ask(gateway.port(), '/own', { 'accept-encoding': coding });
    expect([own.text === text, own.headers['content-encoding']]).toEqual([true, coding]);
    const head = await ask(gateway.port(), '/own', { 'accept-encoding': coding }, 'HEAD');
    expect([head.headers['content-encoding'], head.headers.vary]).toEqual([coding, 'Accept-Encoding']);
    // The length of the plain body is not that of a GET.
    expect(head.headers['content-length']).toBeUndefined();
  }
  // An error body is shorter than the minimum.
  const failed = await ask(gateway.port(), '/', { 'accept-encoding': 'gzip' });
  expect([failed.status, failed.headers['content-encoding']]).toEqual([502, undefined]);
  const failedHead = await ask(gateway.port(), '/', { 'accept-encoding': 'gzip' }, 'HEAD');
  expect({ ...failedHead.headers, date: '' }).toEqual({ ...failed.headers, date: '' });
});

describe('with a cache', () => {
  const cache = { type: 'cache', cache: 'pages' };
  const compress = { type: 'compress', encodings: ['br', 'gzip'] };
  const caches = { caches: { pages: {} } };

  test('before it: one stored response, coded for each client', async () => {
    await using origin = await pages();
    await using gateway = await testGateway(routed(origin.port, [compress, cache], caches));
    const codings: (string | undefined)[] = [];
    for (const accept of ['gzip', 'br', 'identity', 'gzip, br', 'gzip'])
      for (const path of ['/small', '/large', '/chunked']) {
        const { headers, text } = await ask(gateway.port(), path, { 'accept-encoding': accept });
        expect(text === (path === '/small' ? SMALL : LARGE)).toBe(true);
        expect(headers).toMatchObject({ vary: 'Accept-Encoding' });
        if (path === '/large') codings.push(headers['content-encoding']);
      }
    expect(codings).toEqual(['gzip', 'br', undefined, 'br', 'gzip']);
    expect(origin.requests).toHaveLength(3);
    // The cache answers conditional requests; the tag is in the form that the client knows.
    const known = { 'accept-encoding': 'br', 'if-none-match': 'W/"v1"' };
    const { status, headers } = await ask(gateway.port(), '/large', known);
    expect([status, headers.etag, headers.vary]).toEqual([304, 'W/"v1"', 'Accept-Encoding']);
    const part = await ask(gateway.port(), '/large', { 'accept-encoding': 'br', range: 'bytes=0-9' });
    expect([part.status, part.text, part.headers['content-encoding'], part.headers.etag]).toEqual([
      206,
      LARGE.slice(0, 10),
      undefined,
      '"v1"',
    ]);
    expect(origin.requests).toHaveLength(3);
  });

  test('after it: a stored response for each set of codings', async () => {
    await using origin = await pages();
    await using gateway = await testGateway(routed(origin.port, [cache, compress], caches));
    for (let round = 0; round < 2; round++)
      for (const [accept, coding] of [
        ['gzip', 'gzip'],
        ['br', 'br'],
        ['identity', undefined],
      ] as const)
        for (const path of ['/small', '/large', '/chunked']) {
          const { headers, text } = await ask(gateway.port(), path, { 'accept-encoding': accept });
          expect(text === (path === '/small' ? SMALL : LARGE)).toBe(true);
          expect(headers['content-encoding']).toBe(coding);
        }
    expect(origin.requests).toHaveLength(9);
    const known = { 'accept-encoding': 'br', 'if-none-match': 'W/"v1"' };
    const { status, headers } = await ask(gateway.port(), '/large', known);
    expect([status, headers.etag]).toEqual([304, 'W/"v1"']);
    expect(origin.requests).toHaveLength(9);
  });

  const PLAIN_PART = [206, undefined, 'bytes 0-9/526019', '"v1"'];
  const CODED = [200, 'br', undefined, 'W/"v1"'];
  test.each([
    ['before it, of the plain content', [compress, cache], PLAIN_PART, PLAIN_PART],
    ['after it, of the stored coded content', [cache, compress], [206, 'br', 'bytes 0-9/?', 'W/"v1"'], CODED],
  ])('a part is, %s', async (_, policies, part, ifStrong) => {
    await using origin = await pages();
    await using gateway = await testGateway(routed(origin.port, policies, caches));
    const range = { 'accept-encoding': 'br', range: 'bytes=0-9' };
    const answerTo = async (headers: Headers): Promise<unknown[]> => {
      const request = http.get({ port: gateway.port(), host: '127.0.0.1', path: '/large', headers, agent: false });
      const [{ statusCode, headers: fields }] = (await once(request, 'response')) as [http.IncomingMessage];
      request.destroy();
      const { 'content-encoding': coding, 'content-range': where, etag } = fields;
      return [statusCode, coding, coding === undefined ? where : where?.replace(/\d+$/, '?'), etag];
    };
    const whole = await ask(gateway.port(), '/large', { 'accept-encoding': 'br' });
    expect(whole.text === LARGE).toBe(true);
    expect(await answerTo(range)).toEqual(part);
    expect(await answerTo({ ...range, 'if-range': '"v1"' })).toEqual(ifStrong);
    // A weak tag never matches (RFC 9110 §13.1.5).
    expect(await answerTo({ ...range, 'if-range': 'W/"v1"' })).toEqual(CODED);
    expect(origin.requests).toHaveLength(1);
    await ask(gateway.port(), '/large');
    expect(await answerTo({ range: 'bytes=0-9' })).toEqual(PLAIN_PART);
  });

  test('clients that share one fetch get each their coding', async () => {
    await using origin = await pages();
    await using gateway = await testGateway(routed(origin.port, [compress, cache], caches));
    const accepted = ['gzip', 'br', 'identity', 'gzip', 'br', 'identity'];
    const answers = await Promise.all(
      accepted.map((accept) => ask(gateway.port(), '/chunked', { 'accept-encoding': accept })),
    );
    expect(answers.map(({ headers }) => headers['content-encoding'] ?? 'identity')).toEqual(accepted);
    expect(answers.every(({ text }) => text === LARGE)).toBe(true);
    expect(origin.requests).toHaveLength(1);
  });
});

/** Clients that leave at each stage of a compressed response; more of them by the environment variable, with figures. */
const ABORTED = Number(process.env['ABORTED'] ?? 500);
const AT_ONCE = 50;

/** The handles of zlib's coders that have not been freed. */
function codersAlive(): { readonly size: number } & Disposable {
  const alive = new Set<number>();
  const hook = createHook({
    init: (id, type) => void (type === 'ZLIB' && alive.add(id)),
    destroy: (id) => void alive.delete(id),
  }).enable();
  return {
    get size() {
      return alive.size;
    },
    [Symbol.dispose]: () => void hook.disable(),
  };
}

test(`${ABORTED} aborted responses leave no encoder behind`, { timeout: 300_000 }, async () => {
  const part = LARGE.slice(0, 4000);
  await using origin = await rawOrigin((socket) => {
    let open = true;
    let left = 20;
    const next = (): void => {
      if (!open) return;
      socket.write(`${part.length.toString(16)}\r\n${part}\r\n`);
      if (--left > 0) setImmediate(next);
      // Otherwise the gateway would wait for more, for a client that has only said that it sends no more.
      else socket.destroy();
    };
    socket.on('close', () => (open = false));
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n');
      next();
    });
  });
  await using gateway = await compressing(origin.port);
  let begun = 0;
  const abort = async (i: number): Promise<void> => {
    const coding = (['gzip', 'br', 'zstd'] as const)[i % 3]!;
    const socket = net.connect({ port: gateway.port(), host: '127.0.0.1' });
    socket.on('error', () => {});
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: ${coding}\r\n\r\n`);
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    if (bytes.includes(`Content-Encoding: ${coding}`)) begun++;
    // Some leave with the head, some later, some while they don't read.
    if (i % 5 > 2) await Promise.race([once(socket, 'data'), once(socket, 'close')]);
    if (i % 5 === 4) socket.pause();
    if (i % 2 === 0) socket.destroy();
    else socket.resetAndDestroy();
  };
  const wave = async (from: number, count: number): Promise<void> => {
    let next = from;
    const one = async (): Promise<void> => {
      while (next < from + count) await abort(next++);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
    await until(() => gateway.running.gateway.current!.leases === 0, 'all are over');
  };
  using alive = codersAlive();
  const figures = async (when: string): Promise<void> => {
    await collectGarbage();
    const { rss, heapUsed, external } = process.memoryUsage();
    const [resident, heap, outside] = [rss, heapUsed, external].map((bytes) => (bytes / 1024 / 1024).toFixed(1));
    if (process.env['ABORTED'] === undefined) return;
    process.stderr.write(`${when}: ${alive.size} coders, RSS ${resident}, heap ${heap}, external ${outside} MiB\n`);
  };
  await wave(0, 200);
  await figures('after 200');
  await wave(200, ABORTED);
  await figures(`after ${ABORTED} more`);
  expect(begun).toBe(200 + ABORTED);
  expect([encoderMemory.coders, encoderMemory.used]).toEqual([0, 0]);
  // Encoders are kept for later use up to 16 MiB of each coding: 23 of gzip, 5 of zstd.
  await until(() => alive.size <= 28, `all encoders but the kept ones are freed`, collectGarbage);
});
