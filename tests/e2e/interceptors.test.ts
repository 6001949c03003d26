/** Several policies that intercept on one route, in the order written: caches and interceptors of a module. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { Exchange } from '../../src/http/exchange.ts';
import { takeFields } from '../../src/http/fields-pool.ts';
import { INTERCEPTED, type Interceptor, type ResponseWriter } from '../../src/http/interception.ts';
import { RequestHandler } from '../../src/proxy/request-handler.ts';
import { poolLoad, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { type HttpOrigin, httpOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { type Answer, get } from '../support/requests.ts';

/** What a module of a test takes of the gateway that runs it; how often each relay was asked. */
const shared = {
  INTERCEPTED,
  Exchange,
  takeFields,
  asked: {} as Record<string, number>,
  /** Of the last interception: modules get one that sends no subrequests. */
  writer: null as ResponseWriter | null,
};
type Intercept = (this: RequestHandler, holder: Interceptor) => ResponseWriter;
const own = Object.getOwnPropertyDescriptor(RequestHandler.prototype, 'intercept');
const intercept = own!.value as Intercept;
RequestHandler.prototype.intercept = function (holder) {
  shared.writer = intercept.call(this, holder);
  return shared.writer;
};
Reflect.set(globalThis, 'sharedWithRelays', shared);
beforeEach(() => (shared.asked = {}));

const folder = mkdtempSync(join(tmpdir(), 'prozy-interceptors-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Intercepts, sends a request of its own through the rest of the route, and passes the response on, with its name in both. */
const RELAY = join(folder, 'relay.ts');
writeFileSync(
  RELAY,
  `const shared = globalThis.sharedWithRelays;
   class Relay {
     carrier = null; owner = null; closing = false; upgrade = false; begun = false; bytesOut = 0;
     constructor(name, x, context) {
       context.intercept(this);
       this.writer = shared.writer;
       x = this.writer.x;
       this.mark = name + '-' + (shared.asked[name] = (shared.asked[name] ?? 0) + 1);
       const fields = shared.takeFields();
       fields.copy(x.fields);
       fields.add('X-Relay', name);
       const inner = new shared.Exchange(x.connection, x.method, x.target, x, x.version, fields, x.bodyLength, x.startedAt);
       inner.identity = x.identity;
       this.inner = inner;
       this.writer.subrequest(inner, this);
     }
     clientGone(error) { this.owner?.clientGone(error); }
     informational(status, reason, fields) { this.writer.informational(status, reason, fields); }
     localReply(reply) { this.begun = true; this.writer.answer(reply); }
     cachedReply(reply) { this.begun = true; this.writer.answer(reply); }
     head(head, source) {
       this.begun = true;
       this.inner.response = null;
       head.fields.add('X-Relay', this.mark);
       this.writer.head(head, source);
     }
     data(bytes, start, end) { return this.writer.data(bytes, start, end); }
     flush() { this.writer.flush(); }
     end(trailers) { this.writer.end(trailers); }
     abort() { this.writer.fail({ code: this.inner.error, source: 'upstream', status: 502 }); }
     override() {} readBody() {} pause() {} resume() {} switchProtocols() { return null; }
   }
   export const schema = {};
   export default { bind: ({ name }) => ({
     intercepts: true,
     // The guard does not see how the interception goes on.
     timeout: Infinity,
     request: (x, context) => (new Relay(name, x, context), shared.INTERCEPTED),
   }) };`,
);

const relay = (name: string): object => ({ type: 'module', module: RELAY, config: { name } });
const cache = (name: string): object => ({ type: 'cache', cache: name });

const configOf = (port: number, ...policies: object[]): object => ({
  version: 1,
  admin: { address: '127.0.0.1:0' },
  listeners: { web: { address: '127.0.0.1:0' } },
  caches: { near: {}, far: { key: { ignore_query: ['n'] } } },
  pools: { app: { endpoints: [`127.0.0.1:${port}`] } },
  routes: [{ name: 'all', match: {}, pool: 'app', policies }],
});

const fresh = (): Promise<HttpOrigin> =>
  httpOrigin(({ headers, body }, response) => {
    response.setHeader('cache-control', 'max-age=60').setHeader('etag', '"1"').setHeader('vary', 'accept-language');
    if (headers['if-none-match'] === '"1"') response.writeHead(304).end();
    else response.end(`${String(headers['accept-language'])} ${body}`);
  });

/** How the caches have answered, the outermost last (RFC 9211 §2). */
const statuses = ({ headers }: Answer): string[] =>
  String(headers['cache-status'])
    .split(', ')
    .map((one) => /; (hit|fwd=[a-z-]*)/.exec(one)?.[1] ?? one);

describe('a cache and an interceptor of a module', () => {
  test('the interceptor in front of the cache sees every request', async () => {
    await using origin = await fresh();
    await using gateway = await testGateway(configOf(origin.port, relay('a'), cache('near')));
    const answers = [await get(gateway.port()), await get(gateway.port())];
    expect(answers.map(({ headers }) => headers['x-relay'])).toEqual(['a-1', undefined]);
    expect(answers.map(statuses)).toEqual([['fwd=uri-miss'], ['hit']]);
    expect([shared.asked['a'], origin.requests.length]).toEqual([2, 1]);
  });

  test('the interceptor behind the cache sees what is fetched, and what it adds is stored', async () => {
    await using origin = await fresh();
    await using gateway = await testGateway(configOf(origin.port, cache('near'), relay('a')));
    const answers = [await get(gateway.port()), await get(gateway.port())];
    expect(answers.map(({ headers }) => headers['x-relay'])).toEqual(['a-1', 'a-1']);
    expect(answers.map(statuses)).toEqual([['fwd=uri-miss'], ['hit']]);
    expect([shared.asked['a'], origin.requests.length]).toEqual([1, 1]);
  });

  test('interceptors around a cache and around each other', async () => {
    await using origin = await fresh();
    await using gateway = await testGateway(configOf(origin.port, relay('a'), relay('b'), cache('near'), relay('c')));
    const [first, second] = [await get(gateway.port()), await get(gateway.port())];
    expect(first.headers['x-relay']).toBe('c-1, b-1, a-1');
    expect(second.headers['x-relay']).toBe('c-1');
    expect([shared.asked, origin.requests.length]).toEqual([{ a: 2, b: 2, c: 1 }, 1]);
    expect(origin.requests[0]!.headers['x-relay']).toBe('a, b, c');
  });
});

describe('a subrequest', () => {
  const echo = (): Promise<HttpOrigin> => httpOrigin((request, response) => response.end(request.body));

  test.each([1, 2])('carries the body of the client, through %i interceptors', async (count) => {
    await using origin = await echo();
    const relays = ['a', 'b'].slice(0, count).map(relay);
    await using gateway = await testGateway(configOf(origin.port, ...relays));
    const body = '0123456789abcdef'.repeat(100_000);
    expect((await get(gateway.port(), '/', { method: 'POST', body })).body === body).toBe(true);
    await using client = await RawClient.to(gateway.port());
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    await until(() => poolLoad(gateway, 'app').active === 1, 'the head has reached the backend');
    client.send('2\r\nde\r\n0\r\n\r\n');
    expect((await client.response()).body).toBe('abcde');
  });

  test('carries a body that a policy has read', async () => {
    await using origin = await echo();
    await using gateway = await testGateway(configOf(origin.port, { type: 'buffer' }, relay('a'), relay('b')));
    expect(await get(gateway.port(), '/', { method: 'POST', body: 'abc' })).toMatchObject({ status: 200, body: 'abc' });
  });

  test('ends with its client', async () => {
    await using origin = await httpOrigin(() => {});
    await using gateway = await testGateway(configOf(origin.port, relay('a'), relay('b')));
    const client = await RawClient.to(gateway.port());
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => origin.requests.length === 1, 'it is under way');
    client.socket.resetAndDestroy();
    await until(() => gateway.running.gateway.current!.leases === 0, 'all is over');
    expect(poolLoad(gateway, 'app').active).toBe(0);
  });
});

describe('two caches', () => {
  const purge = (gateway: TestGateway, name: string): Promise<Answer> =>
    get(gateway.adminPort(), `/caches/${name}?all`, { method: 'DELETE' });

  test('each stores the response, and the outer one what the inner one has', async () => {
    await using origin = await fresh();
    await using gateway = await testGateway(configOf(origin.port, cache('near'), cache('far')));
    const ask = async (path = '/', options = {}): Promise<string[]> =>
      statuses(await get(gateway.port(), path, options));
    expect(await ask()).toEqual(['fwd=uri-miss', 'fwd=uri-miss']);
    expect(await ask()).toEqual(['fwd=uri-miss', 'hit']);
    // For the inner one it is the same.
    expect(await ask('/?n=1')).toEqual(['hit', 'fwd=uri-miss']);
    expect((await ask('/?n=1')).at(-1)).toBe('hit');
    expect((await ask('/?n=2', { method: 'HEAD' })).at(-1)).toBe('fwd=uri-miss');
    expect(origin.requests).toHaveLength(1);
  });

  test('requests that wait for one fetch each get the variant that is theirs', async () => {
    await using origin = await fresh();
    await using gateway = await testGateway(configOf(origin.port, cache('near'), cache('far')));
    const ask = async (path: string, language: string): Promise<string> =>
      (await get(gateway.port(), path, { headers: { 'accept-language': language } })).body.trim();
    expect([await ask('/', 'de'), await ask('/', 'fr')]).toEqual(['de', 'fr']);
    const asked = ['de', 'fr', 'de', 'fr'];
    expect(await Promise.all(asked.map((language) => ask('/?n=1', language)))).toEqual(asked);
    expect(origin.requests).toHaveLength(2);
  });

  test('the inner one revalidates for the outer one', async () => {
    await using origin = await fresh();
    await using gateway = await testGateway(configOf(origin.port, cache('near'), cache('far')));
    await get(gateway.port());
    const answer = await get(gateway.port(), '/', { headers: { 'cache-control': 'no-cache' } });
    expect([answer.status, answer.body.trim(), origin.requests.length]).toEqual([200, 'undefined', 2]);
  });

  test('a part of what the inner one has is a part for the outer one', async () => {
    await using origin = await fresh();
    await using gateway = await testGateway(configOf(origin.port, cache('near'), cache('far')));
    await get(gateway.port());
    const part = { headers: { range: 'bytes=1-3' } };
    for (let i = 0; i < 2; i++)
      expect(await get(gateway.port(), '/?n=1', part)).toMatchObject({ status: 206, body: 'nde' });
    expect(await get(gateway.port(), '/?n=1')).toMatchObject({ status: 200, body: 'undefined ' });
    expect(origin.requests).toHaveLength(1);
  });

  test('of one name are refused', async () => {
    await expect(testGateway(configOf(1, cache('near'), cache('near')))).rejects.toThrow(
      'cache near is in this route already',
    );
  });

  test('a large response passes both, and comes from either', async () => {
    const body = '0123456789abcdef'.repeat(50_000);
    await using origin = await httpOrigin((_, response) => response.setHeader('cache-control', 'max-age=60').end(body));
    await using gateway = await testGateway(configOf(origin.port, cache('near'), cache('far')));
    for (const path of ['/', '/', '/?n=1', '/?n=1', '/?n=2'])
      expect((await get(gateway.port(), path)).body === body).toBe(true);
    expect(origin.requests).toHaveLength(1);
    expect((await purge(gateway, 'near')).status).toBe(200);
    expect((await get(gateway.port())).body === body).toBe(true);
    expect(origin.requests).toHaveLength(1);
  });
});
