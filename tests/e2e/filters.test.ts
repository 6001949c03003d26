/** The filter chain on real sockets: response hooks of local replies, body filters in both directions, their end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { testGateway, until } from '../support/gateway.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { httpOrigin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';

const folder = mkdtempSync(join(tmpdir(), 'prozy-filters-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Upper-cases the body in the direction that the config names, and says its name in a field of the response. */
const SHOUT = join(folder, 'shout.ts');
const SRC = join(import.meta.dirname, '../../src');
writeFileSync(
  SHOUT,
  `import { BodyFilter } from ${JSON.stringify(join(SRC, 'http/body-filter.ts'))};
   class Shout extends BodyFilter {
     constructor(name, x) { super(); this.name = name; this.x = x; }
     data(bytes, start, end) {
       const text = this.name + bytes.toString('latin1', start, end).toUpperCase();
       const made = Buffer.from(text, 'latin1');
       return this.next.data(made, 0, made.length);
     }
     end(trailers) { this.next.end(trailers); }
   }
   export const schema = { type: 'object' };
   export default {
     bind: ({ name, on }) => ({
       forward: (x) => {
         if (on !== 'request' || x.bodyLength === 0) return undefined;
         x.fields.remove('content-length');
         x.bodyLength = -1;
         return new Shout(name, x);
       },
       response: (x) => {
         x.response.fields.add('X-Seen', name);
         if (on !== 'response') return undefined;
         x.response.length = -1;
         return new Shout(name, x);
       },
     }),
     why: () => '',
   };`,
);

const shout = (name: string, on: string): object => ({ type: 'module', module: SHOUT, config: { name, on } });

const headers = (name: string, value: string): object => ({
  type: 'headers',
  response: { add: { [name]: value } },
});

/** One listener, one pool, and these routes. */
const configOf = (port: number, routes: readonly object[], listener: object = {}): Record<string, unknown> => ({
  version: 1,
  listeners: { web: { address: '127.0.0.1:0', ...listener } },
  caches: { pages: {} },
  pools: { app: { endpoints: [`127.0.0.1:${port}`] } },
  routes,
});

describe('a local reply passes the response hooks of its route', () => {
  test('a fixed one, a redirect, a refusal and an error', async () => {
    const hsts = headers('Strict-Transport-Security', 'max-age=1');
    await using gateway = await testGateway(
      configOf(1, [
        { name: 'fixed', match: { path: '/fixed' }, respond: { body: 'so' }, policies: [hsts] },
        { name: 'moved', match: { path: '/moved' }, redirect: { scheme: 'https' }, policies: [hsts] },
        {
          name: 'no',
          match: { path: '/no' },
          respond: {},
          policies: [hsts, { type: 'decompress' }],
        },
        { name: 'down', match: { path: '/down' }, pool: 'app', policies: [hsts, { type: 'cache', cache: 'pages' }] },
      ]),
    );
    for (const [path, status] of [
      ['/fixed', 200],
      ['/moved', 308],
      ['/no', 200],
      ['/down', 502],
    ] as const) {
      const answer = await get(gateway.port(), path);
      expect([path, answer.status, answer.headers['strict-transport-security']]).toEqual([path, status, 'max-age=1']);
      expect(answer.headers['cache-status']).toBeUndefined();
      expect(answer.headers['date']).toBeDefined();
    }
  });

  test('and its body filters, with one Content-Length or none', async () => {
    await using gateway = await testGateway(
      configOf(1, [
        { name: 'a', match: {}, respond: { body: 'abc' }, policies: [shout('1', 'response'), shout('2', 'response')] },
      ]),
    );
    const answer = await get(gateway.port(), '/');
    expect(answer).toMatchObject({ status: 200, body: '12ABC', headers: { 'x-seen': '2, 1' } });
    expect(answer.headers['content-length']).toBeUndefined();
    const head = await get(gateway.port(), '/', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: '' });
  });
});

describe('policies of a listener', () => {
  const config = (port: number): Record<string, unknown> => ({
    ...configOf(
      port,
      [
        { name: 'in', match: { path: '/in' }, pool: 'app', policies: [headers('X-Order', 'route')] },
        { name: 'own', match: { path: '/own' }, respond: { body: 'own' } },
      ],
      { policies: [headers('X-Order', 'listener'), { type: 'acl', acl: 'others' }], acl: 'few' },
    ),
    acls: { others: { deny: ['192.0.2.1'] }, few: { deny: ['192.0.2.2'] } },
  });

  test('come before those of its routes, and see what is not routed', async () => {
    await using origin = await httpOrigin((_, response) => response.end('x'));
    await using gateway = await testGateway(config(origin.port));
    const orders = async (path: string, options = {}): Promise<unknown[]> => {
      const { status, headers: fields } = await get(gateway.port(), path, options);
      return [status, fields['x-order']];
    };
    expect(await orders('/in')).toEqual([200, 'route, listener']);
    expect(await orders('/own')).toEqual([200, 'listener']);
    expect(await orders('/none')).toEqual([404, 'listener']);
    expect(await orders('/none', { method: 'HEAD' })).toEqual([404, 'listener']);
    const closed = config(origin.port);
    await gateway.edit({ ...closed, acls: { others: {}, few: { deny: ['127.0.0.1'] } } });
    expect(await orders('/in')).toEqual([403, 'listener']);
  });

  test('survive a reload that does not change them, and leave with one that does', async () => {
    await using origin = await httpOrigin((_, response) => response.end('x'));
    await using gateway = await testGateway(config(origin.port));
    const before = await get(gateway.port(), '/none');
    expect(before.headers['x-order']).toBe('listener');
    const listeners = { web: { address: '127.0.0.1:0' } };
    await gateway.edit({ ...config(origin.port), routes: [] });
    expect((await get(gateway.port(), '/none')).headers['x-order']).toBe('listener');
    await gateway.edit({ ...config(origin.port), listeners });
    expect((await get(gateway.port(), '/none')).headers['x-order']).toBeUndefined();
  });
});

describe('body filters', () => {
  const bodies = {
    length: 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc',
    chunked: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-End: so\r\n\r\n',
    close: 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc',
  };

  test.each(Object.entries(bodies))('of a response: by %s', async (_, text) => {
    await using origin = await rawOrigin((socket) => socket.once('data', () => socket.end(text)));
    await using gateway = await testGateway(
      configOf(origin.port, [
        { name: 'a', match: {}, pool: 'app', policies: [shout('1', 'response'), shout('2', 'response')] },
      ]),
    );
    expect(await get(gateway.port(), '/')).toMatchObject({ status: 200, body: '12ABC', headers: { 'x-seen': '2, 1' } });
  });

  test('are not called for a HEAD, a 204 or a 304, whose heads they may still edit', async () => {
    await using origin = await httpOrigin(({ url }, response) => response.writeHead(Number(url.slice(1))).end());
    await using gateway = await testGateway(
      configOf(origin.port, [{ name: 'a', match: {}, pool: 'app', policies: [shout('1', 'response')] }]),
    );
    for (const [path, method] of [
      ['/200', 'HEAD'],
      ['/204', 'GET'],
      ['/304', 'GET'],
    ] as const)
      expect(await get(gateway.port(), path, { method })).toMatchObject({
        status: Number(path.slice(1)),
        body: '',
        headers: { 'x-seen': '1' },
      });
  });

  test('of a stored response run for each client in front of its cache, once behind it', async () => {
    await using origin = await httpOrigin((_, response) => response.setHeader('Cache-Control', 'max-age=9').end('abc'));
    await using gateway = await testGateway(
      configOf(origin.port, [
        {
          name: 'a',
          match: {},
          pool: 'app',
          policies: [shout('1', 'response'), { type: 'cache', cache: 'pages' }, shout('2', 'response')],
        },
      ]),
    );
    for (const hit of [false, true]) {
      const answer = await get(gateway.port(), '/');
      expect(answer).toMatchObject({ body: '12ABC', headers: { 'x-seen': '2, 1' } });
      expect(String(answer.headers['cache-status']).includes('hit')).toBe(hit);
    }
    expect(origin.requests).toHaveLength(1);
  });

  test('of a request, in the order of the config', async () => {
    await using origin = await httpOrigin((_, response) => response.end('ok'));
    await using gateway = await testGateway(
      configOf(origin.port, [
        { name: 'a', match: {}, pool: 'app', policies: [shout('1', 'request'), shout('2', 'request')] },
      ]),
    );
    await get(gateway.port(), '/', { method: 'POST', body: 'abc' });
    expect(origin.requests.map(({ body }) => body)).toEqual(['21ABC']);
    expect(await get(gateway.port(), '/')).toMatchObject({ body: 'ok' });
  });
});

test.each([
  ['a malformed head', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n', 400],
  ['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['a target that is too long', `GET /${'a'.repeat(9000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
  ['too many fields', `GET / HTTP/1.1\r\nHost: a\r\n${'A: b\r\n'.repeat(200)}\r\n`, 431],
  ['a head that does not come', 'GET / HTTP/1.1\r\n', 408],
  ['a connection too many', '', 503],
])('a reply without an exchange has the header edits of the listener: %s', async (_, text, status) => {
  const clock = new ManualClock();
  const policies = [
    { type: 'headers', response: { set: { 'X-Order': 'set' }, remove: ['content-type'] } },
    headers('X-Order', 'inner'),
    { type: 'compress' },
  ];
  const limits = { connections: 1 };
  await using gateway = await testGateway(configOf(1, [], { policies, limits }), { clock });
  await using client = await RawClient.to(gateway.port());
  if (status === 408) {
    client.send(text);
    await until(() => gateway.running.gateway.timed > 0 && client.socket.bytesWritten > 0, 'it is read');
  }
  await using other = await RawClient.to(gateway.port());
  const asking = status === 503 ? other : client.send(status === 408 ? '' : text);
  if (status === 408) await until(() => (clock.advance(1000), client.text !== ''), 'it is late');
  const answer = await asking.response();
  const { 'x-order': order, 'content-type': type, 'content-length': length } = answer.headers;
  expect([answer.status, order, type, Number(length)]).toEqual([status, 'set', undefined, answer.body.length]);
});

describe('a request that fails while it is read', () => {
  const CHUNKED = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
  test.each([
    ['an announced body that is too large', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n', 413],
    ['a body that turns out to be too large', `${CHUNKED}b\r\n01234567890\r\n`, 413],
    ['a malformed chunk', `${CHUNKED}x\r\n`, 400],
    ['a body that stalls', `${CHUNKED}5\r\n012`, 408],
    ['a client that closes its side', `${CHUNKED}5\r\n012`, 400],
  ])('%s: its error passes all hooks', async (how, text, status) => {
    const clock = new ManualClock();
    await using origin = await httpOrigin();
    const policies = [headers('X-Order', 'route'), { type: 'cache', cache: 'pages' }];
    await using gateway = await testGateway(
      configOf(origin.port, [{ name: 'a', match: {}, pool: 'app', policies }], {
        policies: [headers('X-Order', 'listener')],
        limits: { body_size: 10 },
        timeouts: { body: '5s' },
      }),
      { clock },
    );
    await using client = await RawClient.to(gateway.port());
    client.send(text);
    if (status === 408 || how.startsWith('a client')) {
      await until(() => origin.received[0]?.length === 1, 'the backend has the head');
      if (status === 408) clock.advance(6000);
      else client.socket.end();
    }
    const answer = await client.response();
    expect([answer.status, answer.headers['x-order'], answer.headers['connection']]).toEqual([
      status,
      'route, listener',
      'close',
    ]);
    await until(() => gateway.running.gateway.current!.leases === 0 && client.ended, 'all is over');
    expect(origin.requests).toHaveLength(0);
  });
});

describe('a response hook that fails', () => {
  /** Says in a field that it has run, and then fails in the way that the config names. */
  const FAILING = join(folder, 'failing.ts');
  writeFileSync(
    FAILING,
    `export const schema = { type: 'object' };
     export default { bind: ({ name, how }) => ({ response: (x) => {
       (globalThis.failingCalls ??= []).push(name);
       x.response.fields.add('X-Order', name);
       if (how === 'throws') throw new Error(name);
       if (how === 'returns nonsense') return 1;
       return undefined;
     } }) };`,
  );
  const calls = (): unknown => {
    const seen: unknown = Reflect.get(globalThis, 'failingCalls');
    Reflect.deleteProperty(globalThis, 'failingCalls');
    return seen;
  };
  beforeEach(calls);
  const policy = (name: string, how = ''): object => ({ type: 'module', module: FAILING, config: { name, how } });
  const bad = policy('bad', 'throws');
  const worse = policy('worse', 'returns nonsense');
  const cache = { type: 'cache', cache: 'pages' };

  // The order in which hooks are called; and those whose field the answer has.
  const orders: [string, object[], string[], string][] = [
    ['throws', [policy('outer'), bad, policy('in')], ['in', 'bad', 'outer'], 'outer'],
    ['returns nonsense', [policy('outer'), worse, policy('in')], ['in', 'worse', 'outer'], 'outer'],
    ['is the innermost', [policy('2'), policy('1'), bad], ['bad', '1', '2'], '1, 2'],
    ['is the outermost', [bad, policy('in')], ['in', 'bad'], ''],
    [
      'is followed by another that fails',
      [policy('outer'), worse, policy('mid'), bad, policy('in')],
      ['in', 'bad', 'mid', 'worse', 'outer'],
      'outer',
    ],
    [
      'is behind a cache',
      [policy('outer'), cache, policy('mid'), bad, policy('in')],
      ['in', 'bad', 'mid', 'outer'],
      'mid, outer',
    ],
    ['is in front of a cache', [policy('outer'), bad, cache], ['bad', 'outer'], 'outer'],
  ];

  test.each(orders)('%s: its error passes the hooks in front of it, once', async (_, policies, called, order) => {
    await using origin = await httpOrigin((_request, response) => {
      response.setHeader('Cache-Control', 'max-age=9').end('a');
    });
    const uncached = policies.filter((one) => one !== cache);
    const routes = [
      { name: 'own', match: { path: '/own' }, respond: { body: 'own' }, policies: uncached },
      { name: 'all', match: {}, pool: 'app', policies },
    ];
    const hsts = headers('Strict-Transport-Security', 'max-age=1');
    await using gateway = await testGateway(configOf(origin.port, routes, { policies: [hsts] }));
    // The second of these may come from the cache.
    for (const path of ['/', '/', '/own']) {
      const answer = await get(gateway.port(), path);
      const { 'x-order': seen = '', 'strict-transport-security': outermost } = answer.headers;
      expect([answer.status, seen, outermost]).toEqual([500, order, 'max-age=1']);
      expect(calls()).toEqual(called);
    }
    expect(await get(gateway.port(), '/', { method: 'HEAD' })).toMatchObject({ status: 500, body: '' });
  });

  test('of a listener: the answer to what is not routed passes those in front of it', async () => {
    const policies = [policy('outer'), bad, policy('in')];
    await using gateway = await testGateway(configOf(1, [], { policies }));
    expect(await get(gateway.port(), '/')).toMatchObject({ status: 500, headers: { 'x-order': 'outer' } });
    expect(calls()).toEqual(['in', 'bad', 'outer']);
  });

  test('may be in front of others that filter the body', async () => {
    await using origin = await httpOrigin((_, response) => response.end('x'));
    await using gateway = await testGateway(
      configOf(origin.port, [{ name: 'a', match: {}, pool: 'app', policies: [shout('!', 'response'), bad] }]),
    );
    const { status, body } = await get(gateway.port(), '/');
    expect([status, body]).toEqual([500, '!{"TYPE":"ABOUT:BLANK","TITLE":"INTERNAL SERVER ERROR","STATUS":500}\n']);
  });
});

test('a request hook that decides too late gets no say: 504, and its signal is aborted', async () => {
  const wait = join(folder, 'wait.ts');
  writeFileSync(
    wait,
    `export const schema = { type: 'object' };
     export default { bind: () => ({
       timeout: 100,
       request: (_, { signal }) => new Promise((resolve) => signal.addEventListener('abort', () => {
         globalThis.hookWasAborted = true;
         resolve(undefined);
       })),
     }) };`,
  );
  await using gateway = await testGateway(
    configOf(1, [{ name: 'a', match: {}, respond: {}, policies: [{ type: 'module', module: wait }] }]),
  );
  expect((await get(gateway.port(), '/')).status).toBe(504);
  expect(Reflect.get(globalThis, 'hookWasAborted')).toBe(true);
});
