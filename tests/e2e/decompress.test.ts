/** Requests that the gateway decodes for their backend. */
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { once } from 'node:events';
import http from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { simpleConfig, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { httpOrigin, type HttpOrigin } from '../support/origin.ts';
import { freePort } from '../support/ports.ts';
import { RawClient } from '../support/raw-client.ts';

const ENCODE: Readonly<Record<string, (body: Buffer) => Buffer>> = {
  gzip: (body) => gzipSync(body),
  deflate: (body) => deflateSync(body),
  br: (body) => brotliCompressSync(body),
  zstd: (body) => zstdCompressSync(body),
};
const TEXT = Array.from({ length: 30_000 }, (_, i) => `line ${i} of ${(i * 7919) % 1013}\n`).join('');

function config(port: number, policies: readonly object[], more: object = {}): Record<string, unknown> {
  return simpleConfig(port, { routes: [{ name: 'all', match: {}, policies, pool: 'origin' }], ...more });
}

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
}

async function post(
  port: number,
  coding: string,
  body: Buffer,
  headers: http.OutgoingHttpHeaders = {},
): Promise<Answer> {
  const request = http.request({
    port,
    host: '127.0.0.1',
    method: 'POST',
    agent: false,
    headers: { 'content-encoding': coding, ...headers },
  });
  // A refused request may be closed while it is sent.
  request.on('error', () => {});
  request.end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.on('error', () => {}).resume();
  return { status: response.statusCode ?? 0, headers: response.headers };
}

describe('a coded request', () => {
  let origin: HttpOrigin;
  let gateway: TestGateway;
  beforeAll(async () => {
    origin = await httpOrigin();
    gateway = await testGateway(config(origin.port, [{ type: 'decompress', max_size: '4MiB' }]));
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await origin[Symbol.asyncDispose]();
  });

  test.each(['gzip', 'deflate', 'br', 'zstd', 'x-gzip', 'br, gzip'])(
    'reaches the backend as it was: %s',
    async (coding) => {
      for (const text of [TEXT, 'short']) {
        const names = coding.replace('x-', '').split(', ');
        const body = names.reduce<Buffer>((bytes, name) => ENCODE[name]!(bytes), Buffer.from(text));
        for (const framing of [{ 'content-length': body.length }, { 'transfer-encoding': 'chunked' }]) {
          const { status } = await post(gateway.port(), coding, body, {
            ...framing,
            'content-digest': 'sha-256=:AA==:',
          });
          expect(status).toBe(200);
          const seen = origin.requests.at(-1)!;
          expect(seen.body === text).toBe(true);
          const { headers } = seen;
          expect([headers['content-encoding'], headers['content-digest'], headers['content-length']]).toEqual([
            undefined,
            undefined,
            undefined,
          ]);
          expect(headers['transfer-encoding']).toBe('chunked');
        }
      }
    },
  );

  test('of an unknown coding is refused: 415, with the codings that would do', async () => {
    const before = origin.requests.length;
    const { status, headers } = await post(gateway.port(), 'compress', Buffer.from('x'));
    expect([status, headers['accept-encoding']]).toEqual([415, 'zstd, br, gzip, deflate']);
    expect(origin.requests.length).toBe(before);
  });

  test.each([
    ['is not of its coding', Buffer.from('plain text')],
    ['ends early', gzipSync(TEXT).subarray(0, -5)],
    ['goes on after its end', Buffer.concat([gzipSync(TEXT), Buffer.from('more')])],
    ['has zeros after its end', Buffer.concat([gzipSync(TEXT), Buffer.alloc(8)])],
  ])('that %s is a 400, and never whole for the backend', async (_, body) => {
    const before = origin.requests.length;
    expect((await post(gateway.port(), 'gzip', body)).status).toBe(400);
    expect(origin.requests.length).toBe(before);
  });

  test('that grows beyond the limit is a 413, and never whole for the backend', async () => {
    const before = origin.requests.length;
    for (const coding of ['gzip', 'br', 'zstd'])
      expect((await post(gateway.port(), coding, ENCODE[coding]!(Buffer.alloc(64 * 1024 * 1024)))).status).toBe(413);
    const twice = gzipSync(gzipSync(Buffer.alloc(64 * 1024 * 1024)));
    expect((await post(gateway.port(), 'gzip, gzip', twice)).status).toBe(413);
    expect(origin.requests.length).toBe(before);
  });

  test('is left alone without a coding', async () => {
    await using client = await RawClient.to(gateway.port());
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello');
    expect((await client.response()).status).toBe(200);
    expect(origin.requests.at(-1)).toMatchObject({ body: 'hello', headers: { 'content-length': '5' } });
  });

  test('whose client leaves frees its decoder', async () => {
    const body = gzipSync(TEXT);
    for (let i = 0; i < 20; i++) {
      const client = await RawClient.to(gateway.port());
      client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`);
      client.send(body.subarray(0, 1000 * i).toString('latin1'));
      await until(() => gateway.running.gateway.current!.leases > 0, 'the request is under way');
      client.socket.destroy();
      await until(() => gateway.running.gateway.current!.leases === 0, 'the request is over');
    }
  });
});

test('a buffered request is decoded after it is whole', async () => {
  await using origin = await httpOrigin();
  const policies = [{ type: 'buffer', size: '1MiB' }, { type: 'decompress' }];
  await using gateway = await testGateway(config(origin.port, policies));
  expect((await post(gateway.port(), 'gzip', gzipSync(TEXT))).status).toBe(200);
  expect(origin.requests.at(-1)!.body === TEXT).toBe(true);
  expect((await post(gateway.port(), 'gzip', gzipSync(TEXT).subarray(0, -5))).status).toBe(400);
});

test('a request that is tried elsewhere is decoded for the endpoint that takes it', async () => {
  await using origin = await httpOrigin();
  const dead = await freePort();
  const pools = { origin: { endpoints: [`127.0.0.1:${dead}`, `127.0.0.1:${origin.port}`] } };
  await using gateway = await testGateway(config(origin.port, [{ type: 'decompress' }], { pools }));
  expect((await post(gateway.port(), 'gzip', gzipSync(TEXT))).status).toBe(200);
  expect(origin.requests.at(-1)!.body === TEXT).toBe(true);
});

test('only where the policy is configured', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(config(origin.port, []));
  const body = gzipSync(TEXT);
  expect((await post(gateway.port(), 'gzip', body)).status).toBe(200);
  expect(origin.requests.at(-1)).toMatchObject({
    body: body.toString('latin1'),
    headers: { 'content-encoding': 'gzip' },
  });
});
