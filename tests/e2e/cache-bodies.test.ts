/** Bodies of all sizes through a cache too small for them, to clients of every kind: each gets its own, and no room is lost. */
import http from 'node:http';
import { expect, test } from 'vitest';
import { HttpCache } from '../../src/cache/store/http-cache.ts';
import { seededRandom } from '../../src/kit/random.ts';
import { cached, type Cached } from '../support/cached.ts';
import { until } from '../support/gateway.ts';
import { RawClient } from '../support/raw-client.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** What is at `/NAME/SIZE…`: another text for each, wherever it is cut. */
function bodyOf(path: string): Buffer {
  const [, name = '', size = ''] = path.split('/');
  const body = Buffer.alloc(Number(size));
  for (let at = 0; at < body.length; at += 64) body.write(`${name}@${at};`, at, 'latin1');
  return body;
}

/** `/NAME/SIZE/sized` says its length, any other path does not. */
function bodies(cache: object): Promise<Cached> {
  return cached(
    ({ url }, response) => {
      const body = bodyOf(url);
      const length = url.endsWith('sized') ? { 'Content-Length': body.length } : {};
      response.writeHead(200, { 'Cache-Control': 'max-age=600', ...length });
      response.write(body.subarray(0, body.length >> 1));
      response.end(body.subarray(body.length >> 1));
    },
    {},
    cache,
  );
}

function storeOf({ gateway: { running } }: Cached): HttpCache['store'] {
  const { registry, current } = running.gateway;
  const state = registry.peek(current!.plan.caches[0]!.claim);
  if (!(state instanceof HttpCache)) throw new Error('there is no cache');
  return state.store;
}

/** Reads as soon as `mayRead` says so, or goes away after so many bytes. Answers with what came. */
async function read(port: number, path: string, mayRead = Promise.resolve(), most = Number.POSITIVE_INFINITY) {
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    http.get({ port, host: '127.0.0.1', path, agent: false }, resolve).on('error', reject);
  });
  await mayRead;
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    parts.push(part);
    size += part.length;
    if (size > most) break;
  }
  return Buffer.concat(parts);
}

test('what was too large to store has left no room reserved', async () => {
  await using it = await bodies({ max_size: '2MiB', max_entry_size: '64KiB' });
  await it.ask('/kept/1000');
  for (let i = 0; i < 40; i++) await it.ask(`/${i}/${256 * KIB}/${i % 2 === 0 ? 'sized' : 'open'}`);
  await it.settled();
  expect(storeOf(it).coming).toBe(0);
  expect((await it.ask('/kept/1000')).headers['cache-status']).toContain('hit');
});

test('each gets its own, however it reads, while others take its place', { timeout: 30_000 }, async () => {
  await using it = await bodies({ max_size: '4MiB', max_entry_size: '1MiB' });
  const random = seededRandom(7);
  const port = it.gateway.port();
  const paths = Array.from({ length: 60 }, (_, i) => {
    const size = Math.floor(random() ** 3 * 2 * MIB);
    return `/${i}/${size}/${random() < 0.5 ? 'sized' : 'open'}`;
  });
  const client = async (): Promise<void> => {
    for (let i = 0; i < 40; i++) {
      const path = paths[Math.floor(random() * paths.length)]!;
      const whole = bodyOf(path);
      const gone = random() < 0.2;
      const body = await read(port, path, undefined, gone ? whole.length / 2 : undefined);
      expect(body.equals(gone ? whole.subarray(0, body.length) : whole)).toBe(true);
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
  await it.settled();
  const store = storeOf(it);
  expect([store.coming, store.size > 2 * MIB, store.size <= 4 * MIB]).toEqual([0, true, true]);
});

test.each(['sized', 'open'])('a client that does not read gets it whole when it does: %s', async (kind) => {
  await using it = await bodies({ max_size: '16MiB', max_entry_size: '10MiB' });
  const port = it.gateway.port();
  let begin = (): void => {};
  const mayRead = new Promise<void>((resolve) => (begin = resolve));
  // One is stored and then has to make room, one is too large to be stored.
  const slow = [`/slow/${9 * MIB}/${kind}`, `/large/${24 * MIB}/${kind}`];
  const readers = slow.map((path) => read(port, path, mayRead));
  await until(() => it.origin.requests.length === slow.length, 'both are asked for');
  for (let i = 0; i < 12; i++) {
    const path = `/other-${i}/${2 * MIB + i}/${kind}`;
    expect((await read(port, path)).equals(bodyOf(path))).toBe(true);
  }
  begin();
  for (const [i, body] of (await Promise.all(readers)).entries()) expect(body.equals(bodyOf(slow[i]!))).toBe(true);
  await it.settled();
  expect(storeOf(it).coming).toBe(0);
});

test.each([
  ['as they come', 200 * KIB, false, 'sized'],
  ['as they come, of unknown length', 200 * KIB, false, 'open'],
  ['out of the store', 200 * KIB, true, 'sized'],
  ['out of the store, in pieces', MIB, true, 'sized'],
])('what waits for a client is not what has been stored in its place: %s', async (_, size, stored, kind) => {
  await using it = await bodies({ max_size: '8MiB', max_entry_size: '4MiB' });
  const port = it.gateway.port();
  const paths = Array.from({ length: (12 * MIB) / size }, (_, i) => `/${stored ? 'same' : i}/${size}/${kind}`);
  if (stored) await read(port, paths[0]!);
  await using client = await RawClient.to(port);
  // More than the sockets hold: one of the answers is on its way all the while.
  client.socket.pause();
  client.send(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`).join(''));
  for (let i = 0; i < 12; i++) await read(port, `/other-${i}/${2 * MIB + i}/sized`);
  client.socket.resume();
  for (const path of paths) {
    const { body } = await client.response();
    expect(Buffer.from(body, 'latin1').equals(bodyOf(path))).toBe(true);
  }
});
