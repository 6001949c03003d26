/** Origins and clients that mean a cache ill: what they send stays bounded, is stored as what it is, or not at all. */
import type net from 'node:net';
import { describe, expect, test } from 'vitest';
import { cached, cachedConfig } from '../support/cached.ts';
import { type TestGateway, testGateway, until } from '../support/gateway.ts';
import { rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';

const FRESH = { 'Cache-Control': 'max-age=60' };
const metricsOf = (gateway: TestGateway) => gateway.running.gateway.metrics.caches.get('pages')!;

/** An origin that answers every request on a connection with the same bytes, and perhaps hangs up. */
function saying(text: string, hangsUp: boolean) {
  return rawOrigin((socket: net.Socket) => {
    socket.on('error', () => {});
    socket.on('data', () => {
      socket.write(text, 'latin1');
      if (hangsUp) socket.end();
    });
  });
}

describe('a response that is not what it says', () => {
  test.each([
    ['half a body', 'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 10\r\n\r\nhalf', true],
    [
      'half a chunk',
      'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhalf',
      true,
    ],
    [
      'no last chunk',
      'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
      true,
    ],
    [
      'a chunk that is none',
      'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nhalf',
      false,
    ],
    [
      'two lengths',
      'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nhalf',
      false,
    ],
    ['a head without an end', `HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n${'X-Long: x\r\n'.repeat(8000)}`, false],
    [
      'a part that is longer than it says',
      'HTTP/1.1 206 Partial Content\r\nCache-Control: max-age=60\r\nContent-Range: bytes 0-1/9\r\nContent-Length: 4\r\n\r\nhalf',
      true,
    ],
  ])('%s is stored by nobody', async (_, text, hangsUp) => {
    await using origin = await saying(text, hangsUp);
    await using gateway = await testGateway(cachedConfig(origin.port));
    for (const path of ['/', '/', '/other']) {
      await using client = await RawClient.to(gateway.port());
      client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\nConnection: close\r\n\r\n`);
      await client.end();
    }
    expect(metricsOf(gateway)).toMatchObject({ stored: 0, hits: 0 });
    expect(origin.received.length).toBeGreaterThan(1);
  });

  test('what comes behind it answers nobody else', async () => {
    const evil = 'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 4\r\n\r\nevil';
    await using origin = await saying(
      `HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 4\r\n\r\ngood${evil}`,
      false,
    );
    await using gateway = await testGateway(cachedConfig(origin.port));
    for (const path of ['/a', '/b', '/a', '/b'])
      expect(await get(gateway.port(), path)).toMatchObject({ body: 'good' });
  });
});

describe('many variants of one thing', () => {
  test('take the place of one another, not of everything else', async () => {
    await using it = await cached((_, response) => response.writeHead(200, { ...FRESH, Vary: 'X-Any' }).end('x'));
    await it.ask('/kept', { headers: { 'X-Any': '1' } });
    for (let i = 0; i < 500; i++) await it.ask('/bomb', { headers: { 'X-Any': String(i) } });
    const { store } = [...it.gateway.running.gateway.current!.plan.caches].map(({ claim }) =>
      it.gateway.running.gateway.registry.peek(claim),
    )[0] as unknown as { store: { responses: number; entries: number } };
    expect(store.responses).toBeLessThanOrEqual(65);
    expect(store.entries).toBe(2);
    expect((await it.ask('/kept', { headers: { 'X-Any': '1' } })).headers['cache-status']).toContain('hit');
    expect((await it.ask('/bomb', { headers: { 'X-Any': '499' } })).headers['cache-status']).toContain('hit');
  });

  test('by more names than anybody means are not stored', async () => {
    const names = Array.from({ length: 40 }, (_, i) => `X-${i}`).join(', ');
    await using it = await cached((_, response) => response.writeHead(200, { ...FRESH, Vary: names }).end('x'));
    for (const _ of [1, 2]) await it.ask('/');
    expect(it.origin.requests).toHaveLength(2);
  });
});

describe('a key', () => {
  const ask = async (gateway: TestGateway, target: string, host: string): Promise<string> => {
    await using client = await RawClient.to(gateway.port());
    client.send(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    return (await client.response()).body;
  };

  test('is the same for what means the same, and another for what does not', async () => {
    let count = 0;
    await using it = await cached(({ headers, url }, response) =>
      response.writeHead(200, FRESH).end(`${++count} ${headers.host} ${url}`),
    );
    const { gateway } = it;
    const same: [string, string][] = [
      ['/a/b?q', 'h.example'],
      ['/a/b?q', 'H.Example'],
      ['/a/b?q', 'h.example:80'],
      ['/a/./b?q', 'h.example'],
      ['/x/../a/b?q', 'h.example'],
      ['/a/%62?q', 'h.example'],
      ['http://h.example/a/b?q', 'other.example'],
    ];
    for (const [target, host] of same) expect(await ask(gateway, target, host)).toMatch(/^1 /);
    const others: [string, string][] = [
      ['/a%2Fb?q', 'h.example'],
      ['/a/b', 'h.example'],
      ['/a/b?', 'h.example'],
      ['/a/b?q&q', 'h.example'],
      ['/a/B?q', 'h.example'],
      ['/a/b?q', 'h.example:81'],
      ['/a/b?q', 'h.example.'],
      ['//a/b?q', 'h.example'],
      ['http://other.example/a/b?q', 'h.example'],
    ];
    const seen = [];
    for (const [target, host] of others) seen.push(Number((await ask(gateway, target, host)).split(' ')[0]));
    expect(seen).toEqual(others.map((_, i) => i + 2));
  });

  test('is not fooled by fields that only the origin looks at, unless its Vary says so', async () => {
    await using it = await cached((_, response) => response.writeHead(200, FRESH).end('x'));
    await it.ask('/', { headers: { 'X-Forwarded-Host': 'evil', 'X-Original-URL': '/evil' } });
    // What the gateway tells of its clients is its own word, not theirs.
    expect(it.origin.requests[0]!.headers['x-forwarded-host']).not.toBe('evil');
  });
});

test('a thousand clients that ask at once make one request', async () => {
  const waiting: (() => void)[] = [];
  await using it = await cached((_, response) => waiting.push(() => response.writeHead(200, FRESH).end('shared')));
  const clients = await Promise.all(Array.from({ length: 1000 }, () => RawClient.to(it.gateway.port())));
  for (const client of clients) client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await until(() => metricsOf(it.gateway).collapsed === 999, 'all but one wait');
  for (const answer of waiting) answer();
  for (const client of clients) expect((await client.response()).body).toBe('shared');
  expect(it.origin.requests).toHaveLength(1);
  for (const client of clients) await client[Symbol.asyncDispose]();
});
