/** Requests that policies send to pools: what goes out, what comes back, every way to fail, and their end. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { endpointOf, poolLoad, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { answering, httpOrigin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';
import { chat, chatOrigin } from '../support/streams.ts';

const folder = mkdtempSync(join(tmpdir(), 'prozy-send-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Sends what the config says, and replies with what it gets, unless that is a 202 or 204. */
const ASK = join(folder, 'ask.ts');
writeFileSync(
  ASK,
  `import { LocalReply } from 'prozy';
   export const schema = { type: 'object' };
   const shown = (result) => {
     if (result.error !== null) return { error: result.error.code, status: result.error.status };
     const fields = {};
     result.fields.forEach((name, value) => (fields[name.toLowerCase()] = value));
     return { status: result.status, fields, body: result.body.toString('latin1') };
   };
   export default {
     bind: ({ buffer, bodySize, handle, times = 1, timeout, ...request }, scope) => ({
       timeout,
       async request(x, context) {
         if (buffer !== undefined) {
           const refusal = await context.bufferBody(buffer);
           if (refusal !== undefined) return refusal;
         }
         if (bodySize !== undefined) request.body = Buffer.alloc(bodySize);
         const pool = handle === undefined ? scope.pool('auth') : handle;
         const sent = Array.from({ length: times }, () => context.send(pool, request));
         const results = (await Promise.all(sent)).map(shown);
         const [first] = results;
         if (first.status === 202 || first.status === 204) return undefined;
         return new LocalReply(first.status, [], JSON.stringify(times === 1 ? first : results));
       },
     }),
   };`,
);

type Parts = Readonly<Record<string, unknown>>;

const ask = (request: object, more: object = {}): object => ({
  type: 'module',
  module: ASK,
  pools: ['auth'],
  config: { path: '/check', ...request },
  ...more,
});

const configOf = (app: number, auth: number | readonly string[], policy: object, more: Parts = {}): Parts => ({
  version: 1,
  listeners: { web: { address: '127.0.0.1:0' } },
  pools: {
    app: { endpoints: [`127.0.0.1:${app}`] },
    auth: {
      endpoints: typeof auth === 'number' ? [`127.0.0.1:${auth}`] : auth,
      health: { passive: { failures: 0 } },
      retries: { backoff: { first: '0s' } },
      ...(more['auth'] as object),
    },
  },
  routes: [{ name: 'all', match: {}, pool: 'app', policies: [policy] }],
  ...(more['top'] as object),
});

interface Shown {
  readonly status: number;
  readonly error?: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly body: string;
}

async function resultOf(gateway: TestGateway, options = {}): Promise<Shown> {
  return JSON.parse((await get(gateway.port(), '/page?n=1', options)).body) as Shown;
}

/** Bytes of the memory budget for bodies in use. */
const bodyMemory = ({ running: { gateway } }: TestGateway): number => gateway.bufferedBytes;

describe('what is sent', () => {
  test('is what the policy says, with the identity of the client, and the policy gets the whole response', async () => {
    await using auth = await httpOrigin((_, response) => {
      response.writeHead(403, { 'X-Reason': 'no', Connection: 'X-Hop', 'X-Hop': '1' });
      response.write('never ');
      response.end('ever');
    });
    const request = { method: 'PUT', path: '/check?a=1&b', fields: [['X-Name', 'café']], body: 'grüße' };
    await using gateway = await testGateway(configOf(1, auth.port, ask(request)));
    const result = await resultOf(gateway, { headers: { host: 'site.test', cookie: 'a=b' } });
    expect(result).toMatchObject({ status: 403, body: 'never ever', fields: { 'x-reason': 'no' } });
    expect(Object.keys(result.fields)).not.toContain('x-hop');
    expect(Object.keys(result.fields)).not.toContain('transfer-encoding');
    const [{ method, url, headers, body }] = auth.requests as [(typeof auth.requests)[0]];
    expect([method, url, Buffer.from(body, 'latin1').toString()]).toEqual(['PUT', '/check?a=1&b', 'grüße']);
    expect(headers).toMatchObject({
      host: 'site.test',
      'x-name': 'café',
      'content-length': '7',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'site.test',
    });
    expect(headers.cookie).toBeUndefined();
  });

  test('may say another identity', async () => {
    await using auth = await httpOrigin();
    const fields = [
      ['X-Forwarded-Host', 'other.test'],
      ['x-forwarded-for', '192.0.2.7'],
      ['X-Forwarded-For', '192.0.2.8'],
    ];
    await using gateway = await testGateway(configOf(1, auth.port, ask({ fields })));
    await resultOf(gateway, { headers: { host: 'site.test', 'x-forwarded-for': '192.0.2.1' } });
    expect(auth.requests[0]!.headers).toMatchObject({
      host: 'site.test',
      'x-forwarded-for': '192.0.2.7, 192.0.2.8',
      'x-forwarded-host': 'other.test',
      'x-forwarded-proto': 'http',
    });
  });

  test('counts as traffic of its pool, and writes no access log line', async () => {
    await using auth = await httpOrigin((_, response) => response.writeHead(204).end());
    await using app = await httpOrigin();
    const file = join(folder, 'access.log');
    const top = { logging: { access: { path: file } } };
    {
      await using gateway = await testGateway(configOf(app.port, auth.port, ask({ times: 3 }), { top }));
      expect((await get(gateway.port(), '/page')).body).toBe('ok /page');
      const successes = (pool: string): number => endpointOf(gateway, pool).metrics.responses[2]!;
      expect([successes('auth'), successes('app')]).toEqual([3, 1]);
    }
    expect(
      readFileSync(file, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as object),
    ).toMatchObject([{ target: '/page', endpoint: `127.0.0.1:${app.port}` }]);
  });

  test('may be sent while the body of the client is on its way', async () => {
    await using auth = await httpOrigin((_, response) => response.writeHead(204).end());
    await using app = await httpOrigin((request, response) => response.end(request.body));
    await using gateway = await testGateway(configOf(app.port, auth.port, ask({})));
    await using client = await RawClient.to(gateway.port());
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
    await until(() => auth.requests.length === 1, 'the service is asked');
    client.send('world');
    expect((await client.response()).body).toBe('helloworld');
  });

  test('may carry the body of the client, which the backend gets too', async () => {
    await using auth = await httpOrigin((_, response) => response.writeHead(204).end());
    await using app = await httpOrigin((request, response) => response.end(request.body));
    const policy = ask({ buffer: 1_000_000, clientBody: true, method: 'POST', times: 2 });
    await using gateway = await testGateway(configOf(app.port, auth.port, policy));
    const body = '0123456789'.repeat(30_000);
    expect((await get(gateway.port(), '/', { method: 'POST', body })).body === body).toBe(true);
    expect(auth.requests.map((request) => request.body === body)).toEqual([true, true]);
    expect(auth.requests[0]!.headers['content-length']).toBe('300000');
    // Without one there is nothing to carry.
    expect((await get(gateway.port(), '/')).status).toBe(200);
    expect(auth.requests[2]!.body).toBe('');
    expect(bodyMemory(gateway)).toBe(0);
  });
});

describe('an error is a value', () => {
  test.each([
    [{ fields: [['X-A', 'b\r\nX-Evil: 1']] }],
    [{ fields: [['Host', 'other']] }],
    [{ fields: [['Transfer-Encoding', 'chunked']] }],
    [{ method: 'CONNECT' }],
    [{ method: 'GET /' }],
    [{ path: 'check' }],
    [{ path: '*', method: 'OPTIONS' }],
    [{ path: '/a b' }],
    [{ path: '/a?b c' }],
    [{ path: '/a#b' }],
    [{ body: 'a', clientBody: true }],
    [{ bodySize: 1024 * 1024 + 1 }],
    [{ limit: -1 }],
    [{ limit: 'much' }],
    [{ handle: 'auth' }],
    [{ handle: null }],
    [{ handle: { name: 'auth' } }],
  ])('of a request that cannot be sent: %o', async (request) => {
    await using auth = await httpOrigin();
    await using gateway = await testGateway(configOf(1, auth.port, ask(request)));
    expect(await resultOf(gateway)).toEqual({ error: 'invalid_subrequest', status: 500 });
    expect(auth.requests).toEqual([]);
  });

  test('of a body of the client that is not read yet', async () => {
    await using auth = await httpOrigin();
    await using gateway = await testGateway(configOf(1, auth.port, ask({ clientBody: true })));
    const result = await resultOf(gateway, { method: 'POST', body: 'abc' });
    expect(result).toEqual({ error: 'invalid_subrequest', status: 500 });
  });

  test('of a pool that is full, refuses, or responds too late', async () => {
    await using silent = await rawOrigin((socket) => socket.on('data', () => {}));
    const errorOf = async (auth: number, pool: object): Promise<unknown> => {
      await using gateway = await testGateway(configOf(1, auth, ask({ times: 2 }), { auth: pool }));
      const { error, status } = (JSON.parse((await get(gateway.port())).body) as Shown[]).at(-1)!;
      expect(gateway.running.gateway.bufferedBytes).toBe(0);
      return [error, status];
    };
    expect(await errorOf(1, {})).toEqual(['connect_refused', 502]);
    const late = { timeouts: { first_byte: '30ms' }, retries: { attempts: 0 } };
    expect(await errorOf(silent.port, late)).toEqual(['first_byte_timeout', 504]);
    expect(await errorOf(silent.port, { ...late, max_requests: 1, queue: { depth: 0 } })).toEqual(['pool_full', 503]);
    expect(await errorOf(silent.port, { timeouts: { total: '30ms' } })).toEqual(['total_timeout', 504]);
  });

  test.each([
    ['in a head', 'Content-Length: 11\r\n\r\nhello world', 10],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n', 10],
    ['until the end', 'Connection: close\r\n\r\nhello world', 0],
    ['of more than the default', `Content-Length: ${1024 * 1024 + 1}\r\n\r\n`, undefined],
  ])('of a response with a longer body than wanted, announced %s', async (_, rest, limit) => {
    await using auth = await rawOrigin(answering(`HTTP/1.1 200 OK\r\n${rest}`));
    await using gateway = await testGateway(configOf(1, auth.port, ask({ limit })));
    expect(await resultOf(gateway)).toEqual({ error: 'response_too_large', status: 502 });
    expect([poolLoad(gateway, 'auth').active, gateway.running.gateway.bufferedBytes]).toEqual([0, 0]);
  });

  test('of a response that breaks off, or changes protocols', async () => {
    const answers = ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe', 'HTTP/1.1 101 No\r\nUpgrade: x\r\n\r\n'];
    const errors: unknown[] = [];
    for (const answer of answers) {
      await using auth = await rawOrigin((socket) => socket.once('data', () => socket.end(answer)));
      await using gateway = await testGateway(configOf(1, auth.port, ask({}), { auth: { retries: { attempts: 0 } } }));
      errors.push((await resultOf(gateway)).error);
      expect(gateway.running.gateway.bufferedBytes).toBe(0);
    }
    expect(errors).toEqual(['response_truncated', 'bad_response']);
  });

  test('of bodies for which the gateway has no memory', async () => {
    await using auth = await httpOrigin((_, response) => response.end('a'.repeat(3000)));
    const top = { limits: { buffer_memory: 4000 } };
    const resultWith = async (request: object): Promise<unknown> => {
      await using gateway = await testGateway(configOf(1, auth.port, ask(request), { top }));
      const { error, status } = await resultOf(gateway);
      await until(() => bodyMemory(gateway) === 0, 'the memory is free');
      return [error, status];
    };
    expect(await resultWith({})).toEqual([undefined, 200]);
    expect(await resultWith({ method: 'POST', body: 'a'.repeat(1000) })).toEqual([undefined, 200]);
    expect(await resultWith({ method: 'POST', body: 'a'.repeat(4001) })).toEqual(['buffers_full', 503]);
    const two = JSON.parse((await withTwo(auth.port, top)).body) as Shown[];
    expect(two.filter(({ error }) => error === 'buffers_full')).toHaveLength(1);
  });

  async function withTwo(auth: number, top: object): Promise<{ body: string }> {
    await using gateway = await testGateway(configOf(1, auth, ask({ times: 2 }), { top }));
    return await get(gateway.port());
  }
});

describe('the pool decides', () => {
  test('on retries, with the body', async () => {
    await using broken = await rawOrigin((socket) => socket.once('data', () => socket.resetAndDestroy()));
    await using auth = await httpOrigin((request, response) => response.end(request.body));
    const ports = [`127.0.0.1:${broken.port}`, `127.0.0.1:${auth.port}`];
    await using gateway = await testGateway(configOf(1, ports, ask({ method: 'PUT', body: 'abc' })));
    expect(await resultOf(gateway)).toMatchObject({ status: 200, body: 'abc' });
    expect([endpointOf(gateway, 'auth', 0).metrics.retries, broken.received.length]).toEqual([1, 1]);
  });

  test('on hedging', async () => {
    await using silent = await rawOrigin((socket) => socket.on('data', () => {}));
    await using auth = await httpOrigin();
    const ports = [`127.0.0.1:${silent.port}`, `127.0.0.1:${auth.port}`];
    await using gateway = await testGateway(configOf(1, ports, ask({}), { auth: { hedge: { delay: '5ms' } } }));
    expect(await resultOf(gateway)).toMatchObject({ status: 200, body: 'ok /check' });
    expect([silent.received.length, poolLoad(gateway, 'auth').metrics.hedgesWon]).toEqual([1, 1]);
  });

  test('and may respond before it has the whole body', async () => {
    const response = 'HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno';
    await using auth = await rawOrigin((socket) => socket.once('data', () => socket.pause().write(response)));
    const policy = ask({ method: 'POST', buffer: 30_000_000, clientBody: true, times: 2 });
    const listeners = { web: { address: '127.0.0.1:0', limits: { body_size: 0 } } };
    await using gateway = await testGateway(configOf(1, auth.port, policy, { top: { listeners } }));
    // More than most systems buffer.
    const body = 'a'.repeat(24_000_000);
    const results = JSON.parse((await get(gateway.port(), '/', { method: 'POST', body })).body) as Shown[];
    expect(results).toMatchObject([{ status: 413, body: 'no' }, { status: 413 }]);
    expect(bodyMemory(gateway)).toBe(0);
  });

  test('on its fallback', async () => {
    const respond = { status: 503, headers: { 'X-Instead': '1' }, body: 'away' };
    await using gateway = await testGateway(configOf(1, 1, ask({}), { auth: { fallback: { respond } } }));
    expect(await resultOf(gateway)).toMatchObject({ status: 503, body: 'away', fields: { 'x-instead': '1' } });
  });
});

describe('its exchange ends first', () => {
  const silently = async (): ReturnType<typeof rawOrigin> => rawOrigin((socket) => socket.on('data', () => {}));

  test('since the client leaves: the attempt, its connection and its timers go too', async () => {
    await using auth = await silently();
    await using gateway = await testGateway(configOf(1, auth.port, ask({ timeout: 60_000 })));
    const client = await RawClient.to(gateway.port());
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => auth.received[0]?.length === 1, 'the service is asked');
    client.socket.resetAndDestroy();
    const { gateway: inside } = gateway.running;
    await until(() => inside.current!.leases === 0, 'the exchange is over');
    const { active, connections } = poolLoad(gateway, 'auth');
    expect([active, connections]).toEqual([0, 0]);
  });

  test('since the hook takes too long: 504', async () => {
    await using auth = await silently();
    await using gateway = await testGateway(configOf(1, auth.port, ask({ timeout: 50 })));
    expect((await get(gateway.port())).status).toBe(504);
    expect(poolLoad(gateway, 'auth').active).toBe(0);
  });

  test('while it waits for room in the pool', async () => {
    await using auth = await silently();
    const pool = { max_requests: 1 };
    await using gateway = await testGateway(configOf(1, auth.port, ask({ timeout: 60_000 }), { auth: pool }));
    const clients = [await RawClient.to(gateway.port()), await RawClient.to(gateway.port())];
    for (const client of clients) client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => poolLoad(gateway, 'auth').queue.length === 1, 'one waits');
    for (const client of clients) client.socket.resetAndDestroy();
    await until(() => gateway.running.gateway.current!.leases === 0, 'both are over');
    expect([poolLoad(gateway, 'auth').queue.length, poolLoad(gateway, 'auth').active]).toEqual([0, 0]);
  });
});

test('a tunnel holds no memory for the response that admitted it', async () => {
  await using auth = await httpOrigin((_, response) => response.writeHead(202).end('a'.repeat(3000)));
  await using app = await chatOrigin();
  await using gateway = await testGateway(configOf(app.port, auth.port, ask({})));
  await using stream = await chat(gateway.port());
  expect([auth.requests.length, bodyMemory(gateway)]).toEqual([1, 0]);
  stream.socket.destroy();
});

test('a field that a hook sets after its exchange is over reaches no other exchange', async () => {
  const late = join(folder, 'late.ts');
  writeFileSync(
    late,
    `export const schema = { type: 'object' };
     export default { bind: () => ({ request: (x) => new Promise((resolve) => {
       globalThis.waitingHooks ??= [];
       globalThis.waitingHooks.push((name) => { x.fields.set(name, '1'); resolve(undefined); });
     }) }) };`,
  );
  await using app = await httpOrigin();
  await using gateway = await testGateway(configOf(app.port, 1, ask({}, { module: late, config: {} })));
  const waiting = (): ((name: string) => void)[] => (Reflect.get(globalThis, 'waitingHooks') as never) ?? [];
  const client = await RawClient.to(gateway.port());
  client.send('GET /late HTTP/1.1\r\nHost: a\r\n\r\n');
  await until(() => waiting().length === 1, 'the first hook waits');
  client.socket.resetAndDestroy();
  await until(() => gateway.running.gateway.current!.leases === 0, 'its exchange is over');
  const second = get(gateway.port(), '/second');
  await until(() => waiting().length === 2, 'the second hook waits');
  waiting()[0]!('x-late');
  waiting()[1]!('x-own');
  expect((await second).status).toBe(200);
  expect(app.requests[0]!.headers).toMatchObject({ 'x-own': '1' });
  expect(app.requests[0]!.headers['x-late']).toBeUndefined();
});
