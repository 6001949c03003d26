/** Any sequence of valid and broken configs, under load: no request fails, no answer is of two minds, nothing is left. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { testGateway, until } from '../support/gateway.ts';
import { RawClient } from '../support/raw-client.ts';

interface Version {
  readonly kind: 'good' | 'bad-syntax' | 'bad-schema' | 'bad-name' | 'taken-port' | 'truncated';
  readonly more: boolean;
  readonly pools: number;
  readonly policies: boolean;
}

const version: fc.Arbitrary<Version> = fc.record({
  kind: fc.constantFrom('good', 'good', 'good', 'bad-syntax', 'bad-schema', 'bad-name', 'taken-port', 'truncated'),
  more: fc.boolean(),
  pools: fc.integer({ min: 1, max: 3 }),
  policies: fc.boolean(),
});

/** Every answer of one config names its version twice: by a fixed answer's body, and by a field that the route sets. */
function textOf(
  number: number,
  { kind, more, pools, policies }: Version,
  origins: readonly number[],
  taken: number,
): string {
  const config = {
    version: 1,
    listeners: {
      web: { address: '127.0.0.1:0' },
      ...(more ? { more: { address: '127.0.0.1:0' } } : {}),
      ...(kind === 'taken-port' ? { taken: { address: `127.0.0.1:${taken}` } } : {}),
    },
    pools: Object.fromEntries(
      Array.from({ length: pools }, (_, i) => [`p${i}`, { endpoints: origins.map((port) => `127.0.0.1:${port}`) }]),
    ),
    routes: [
      {
        name: 'fixed',
        match: { path: { exact: '/fixed' } },
        respond: { headers: { 'x-version': `${number}` }, body: `${number}` },
      },
      {
        name: 'all',
        match: {},
        pool: kind === 'bad-name' ? 'nobody' : `p${number % pools}`,
        policies: [
          {
            type: 'headers',
            request: { set: { 'x-version': `${number}` } },
            response: { set: { 'x-version': `${number}` } },
          },
          ...(policies ? [{ type: 'rewrite', prefix: '/a', replacement: '/b' }] : []),
        ],
      },
    ],
    ...(kind === 'bad-schema' ? { colour: 'red' } : {}),
  };
  const text = JSON.stringify(config);
  if (kind === 'bad-syntax') return text.replace(':', ';');
  // The number, because an edit that changes nothing is no edit.
  return kind === 'truncated' ? text.slice(0, text.length >> 1) + String(number) : text;
}

let delay = 0;

async function echoOrigin(): Promise<http.Server> {
  const server = http.createServer((request, response) => {
    request.resume();
    request.on('end', () => setTimeout(() => response.end(String(request.headers['x-version'])), delay++ % 5));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** Asks again and again on one connection; answers with what was wrong. */
async function load(port: number, path: string, stopped: () => boolean): Promise<{ wrong: string[]; answers: number }> {
  const wrong: string[] = [];
  let answers = 0;
  await using client = await RawClient.to(port);
  while (!stopped()) {
    const body = path === '/post' ? 'POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello' : '';
    const response = await client.send(body || `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).response();
    answers++;
    if (response.status !== 200) wrong.push(`${path} got ${response.status}`);
    else if (response.headers['x-version'] !== response.body) wrong.push(`torn: ${response.head} ${response.body}`);
    if (response.headers['connection'] === 'close') wrong.push('the connection was closed');
  }
  return { wrong, answers };
}

test('a gateway that is edited at random', { timeout: 120_000 }, async () => {
  const servers = await Promise.all([echoOrigin(), echoOrigin()]);
  const origins = servers.map((server) => (server.address() as AddressInfo).port);
  const taken = await echoOrigin();
  const takenPort = (taken.address() as AddressInfo).port;
  let total = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(version, { minLength: 3, maxLength: 8 }), async (versions) => {
      const first: Version = { kind: 'good', more: false, pools: 1, policies: false };
      await using gateway = await testGateway(JSON.parse(textOf(0, first, origins, takenPort)) as object);
      let stopped = false;
      const loads = ['/fixed', '/a/b', '/post', '/x'].map((path) => load(gateway.port(), path, () => stopped));
      let expected = '0';
      for (const [i, one] of versions.entries()) {
        await gateway.edit(textOf(i + 1, one, origins, takenPort));
        const { result } = gateway.running.reloader.reloads.last!;
        expect(result).toBe(one.kind === 'good' ? 'applied' : 'failed');
        if (one.kind === 'good') expected = String(i + 1);
        await using client = await RawClient.to(gateway.port());
        expect((await client.send('GET /fixed HTTP/1.1\r\nHost: a\r\n\r\n').response()).body).toBe(expected);
      }
      stopped = true;
      for (const { wrong, answers } of await Promise.all(loads)) {
        expect(wrong).toEqual([]);
        total += answers;
      }
      await until(() => gateway.running.gateway.snapshots.length === 1, 'all old generations have ended');
      expect(gateway.running.gateway.snapshots[0]!.leases).toBe(0);
    }),
    { numRuns: 15 },
  );
  expect(total).toBeGreaterThan(500);
  for (const server of [...servers, taken]) {
    server.closeAllConnections();
    server.close();
  }
});
