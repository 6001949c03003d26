/** The memory that all requests share for bodies and coders: filled by held requests, refused to others, free again. */
import type { ServerResponse } from 'node:http';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { encoderOf } from '../../src/http/coding/encoders.ts';
import { decoderMemory, encoderMemory } from '../../src/http/coding/memory.ts';
import { simpleConfig, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';

/** Requests that fit, and no other beside them. */
const HELD = 3;

function gatewayWith(port: number, policy: object, limits: object): Promise<TestGateway> {
  const routes = [{ name: 'all', match: {}, policies: [policy], pool: 'origin' }];
  return testGateway(simpleConfig(port, { routes, limits }));
}

async function clients(gateway: TestGateway): Promise<RawClient[]> {
  return Promise.all(Array.from({ length: HELD }, () => RawClient.to(gateway.port())));
}

async function leave(held: readonly RawClient[]): Promise<void> {
  for (const client of held) await client[Symbol.asyncDispose]();
}

const over = (gateway: TestGateway) => (): boolean => gateway.running.gateway.current!.leases === 0;

test('buffer_memory: a body that does not fit gets a 503, and fits when others are done or gone', async () => {
  await using origin = await httpOrigin((request, response) => response.end(String(request.body.length)));
  await using gateway = await gatewayWith(origin.port, { type: 'buffer' }, { buffer_memory: `${HELD * 50_000}` });
  const { gateway: running } = gateway.running;
  const head = (length: number): string => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;
  const refused = async (): Promise<void> => {
    await using client = await RawClient.to(gateway.port());
    const { status, headers } = await client.send(`${head(50_000)}${'x'.repeat(50_000)}`).response();
    expect([status, headers['retry-after']]).toEqual([503, '1']);
  };
  for (const end of ['complete', 'leave'] as const) {
    const held = await clients(gateway);
    for (const client of held) client.send(`${head(50_000)}${'x'.repeat(49_999)}`);
    await until(() => running.bufferedBytes >= HELD * 49_999, 'the memory is full');
    const full = running.bufferedBytes;
    await refused();
    // A refused request gives back what it had, and no more.
    await until(() => running.current!.leases === HELD, 'it is over');
    expect(running.bufferedBytes).toBe(full);
    if (end === 'complete') for (const client of held) expect((await client.send('x').response()).body).toBe('50000');
    await leave(held);
    await until(over(gateway), 'all are over');
    expect(running.bufferedBytes).toBe(0);
  }
  await using client = await RawClient.to(gateway.port());
  expect((await client.send(`${head(150_000)}${'x'.repeat(150_000)}`).response()).body).toBe('150000');
  expect(running.bufferedBytes).toBe(0);
});

test('compression_memory, of responses: one that does not fit is plain, until others are done or gone', async () => {
  const waiting: ServerResponse[] = [];
  const text = 'some text\n'.repeat(10_000);
  await using origin = await httpOrigin(({ url }, response) => {
    response.setHeader('Content-Type', 'text/plain');
    if (url !== '/held') response.end(text);
    else waiting.push(response.writeHead(200) && (response.write('begun'), response));
  });
  await using gateway = await gatewayWith(
    origin.port,
    { type: 'compress' },
    { compression_memory: String(Math.ceil(HELD * encoderOf('gzip', 5).memory)) },
  );
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n`;
  const codingOf = async (): Promise<string> => {
    await using client = await RawClient.to(gateway.port());
    const { status, headers, body } = await client.send(get('/')).response();
    const { 'content-encoding': coding = 'none' } = headers;
    const plain = coding === 'none' ? body : gunzipSync(Buffer.from(body, 'latin1')).toString();
    expect([status, headers['vary'], plain === text]).toEqual([200, 'Accept-Encoding', true]);
    return coding;
  };
  for (const end of ['complete', 'leave'] as const) {
    const held = await clients(gateway);
    for (const client of held) client.send(get('/held'));
    await until(() => held.every((client) => client.text.includes('Content-Encoding: gzip')), 'all have an encoder');
    expect([await codingOf(), encoderMemory.coders]).toEqual(['none', HELD]);
    if (end === 'complete') {
      for (const response of waiting) response.end('!');
      for (const client of held)
        expect(gunzipSync(Buffer.from((await client.response()).body, 'latin1')).toString()).toBe('begun!');
    }
    await leave(held);
    if (end === 'leave') for (const response of waiting) response.destroy();
    await until(over(gateway), 'all are over');
    waiting.length = 0;
    expect([encoderMemory.used, encoderMemory.coders, await codingOf()]).toEqual([0, 0, 'gzip']);
  }
  expect(encoderMemory.used).toBe(0);
});

test('compression_memory, of requests: one that does not fit gets a 503, until others are done or gone', async () => {
  await using origin = await httpOrigin((request, response) => response.end(String(request.body.length)));
  await using gateway = await gatewayWith(
    origin.port,
    { type: 'decompress' },
    { compression_memory: `${HELD * 512}KiB` },
  );
  const coded = gzipSync(Buffer.alloc(100_000)).toString('latin1');
  const head = `POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: ${coded.length}\r\n\r\n`;
  for (const end of ['complete', 'leave'] as const) {
    const held = await clients(gateway);
    for (const client of held) client.send(head + coded.slice(0, -1));
    await until(() => decoderMemory.coders === HELD, 'all have a decoder');
    await using refused = await RawClient.to(gateway.port());
    const { status, headers } = await refused.send(head + coded).response();
    expect([status, headers['retry-after'], decoderMemory.coders]).toEqual([503, '1', HELD]);
    if (end === 'complete')
      for (const client of held) expect((await client.send(coded.slice(-1)).response()).body).toBe('100000');
    await leave(held);
    await until(over(gateway), 'all are over');
    expect([decoderMemory.used, decoderMemory.coders]).toEqual([0, 0]);
    await using next = await RawClient.to(gateway.port());
    expect((await next.send(head + coded).response()).body).toBe('100000');
  }
  expect(decoderMemory.used).toBe(0);
});
