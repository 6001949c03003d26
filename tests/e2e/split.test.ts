/** Splits: how many go where, who stays where, and what a change of the weights moves. */
import { expect, test } from 'vitest';
import { seededRandom } from '../../src/kit/random.ts';
import { testGateway, until } from '../support/gateway.ts';
import { type HttpOrigin, httpOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get, getJson } from '../support/requests.ts';

const saying = (name: string): Promise<HttpOrigin> => httpOrigin((_, response) => response.end(name));

function config(origins: Readonly<Record<string, HttpOrigin>>, weights: readonly number[], route: object = {}): object {
  const names = Object.keys(origins);
  return {
    version: 1,
    admin: { address: '127.0.0.1:0' },
    listeners: { web: { address: '127.0.0.1:0' } },
    pools: Object.fromEntries(
      Object.entries(origins).map(([name, { port }]) => [name, { endpoints: [`127.0.0.1:${port}`] }]),
    ),
    routes: [{ name: 'all', match: {}, split: names.map((pool, i) => ({ pool, weight: weights[i] })), ...route }],
  };
}

/** The pool's name that each of these requests is answered with, asked for on one connection. */
async function answers(port: number, requests: readonly string[]): Promise<string[]> {
  await using client = await RawClient.to(port);
  client.send(requests.join(''));
  const bodies = (): string[] => client.text.match(/\r\n\r\n[abc]/g) ?? [];
  await until(() => client.text.length >= requests.length * 20 && bodies().length === requests.length, 'all answers');
  return bodies().map((body) => body.at(-1)!);
}

const keyed = (from: number, count: number, field: (key: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => `GET / HTTP/1.1\r\nHost: a\r\n${field(from + i)}\r\n\r\n`);

async function inBatches(port: number, count: number, field: (key: number) => string): Promise<string[]> {
  const all: string[] = [];
  for (let i = 0; i < count; i += 1000) all.push(...(await answers(port, keyed(i, Math.min(1000, count - i), field))));
  return all;
}

function shares(seen: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const one of seen) counts[one] = (counts[one] ?? 0) + 100 / seen.length;
  return counts;
}

function expectShares(seen: readonly string[], wanted: Readonly<Record<string, number>>): void {
  const got = shares(seen);
  expect(Object.keys(got).toSorted()).toEqual(Object.keys(wanted));
  for (const [name, share] of Object.entries(wanted)) expect(Math.abs(got[name]! - share)).toBeLessThan(2);
}

test('ten thousand requests are shared out by weight', async () => {
  await using a = await saying('a');
  await using b = await saying('b');
  await using c = await saying('c');
  await using gateway = await testGateway(config({ a, b, c }, [60, 30, 10]), { random: seededRandom(11) });
  expectShares(await inBatches(gateway.port(), 10_000, () => 'X: y'), { a: 60, b: 30, c: 10 });
  expect(await getJson(gateway.adminPort(), '/routes')).toMatchObject([
    { action: 'split', pool: null, split: [{ pool: 'a', weight: 60 }, { pool: 'b' }, { pool: 'c', weight: 10 }] },
  ]);
}, 30_000);

test('a pool of weight 0 gets nothing, wherever it stands', async () => {
  await using a = await saying('a');
  await using b = await saying('b');
  await using c = await saying('c');
  await using gateway = await testGateway(config({ a, b, c }, [0, 1, 0]), { random: seededRandom(5) });
  expect(shares(await inBatches(gateway.port(), 500, () => 'X: y'))).toEqual({ b: expect.closeTo(100) as number });
  await gateway.edit(config({ a, b, c }, [0, 1, 0], { split_by: { header: 'x' } }));
  expect(shares(await inBatches(gateway.port(), 500, (i) => `X: ${i}`))).toEqual({ b: expect.closeTo(100) as number });
});

test.each([
  ['a header', { header: 'X-User' }, (i: number) => `x-user: u${i}`],
  ['a cookie', { cookie: 'sid' }, (i: number) => `Cookie: other=1; sid=s${i}`],
])(
  'the same key always goes to the same pool, told by %s',
  async (_, by, field) => {
    await using a = await saying('a');
    await using b = await saying('b');
    await using gateway = await testGateway(config({ a, b }, [70, 30], { split_by: by }));
    const first = await inBatches(gateway.port(), 4000, field);
    expectShares(first, { a: 70, b: 30 });
    expect(await inBatches(gateway.port(), 4000, field)).toEqual(first);
  },
  30_000,
);

test('the client is told by its address, and so is who brings no key', async () => {
  await using a = await saying('a');
  await using b = await saying('b');
  const listeners = { web: { address: '127.0.0.1:0', trusted_proxies: ['127.0.0.1'] } };
  const of = (by: unknown): object => ({ ...config({ a, b }, [50, 50], { split_by: by }), listeners });
  await using gateway = await testGateway(of('client'));
  const field = (i: number): string => `X-Forwarded-For: 10.0.${i >> 8}.${i & 255}`;
  const byClient = await inBatches(gateway.port(), 2000, field);
  // A wider bound than two points for fewer keys: three deviations of 2,000.
  expect(Math.abs(shares(byClient)['a']! - 50)).toBeLessThan(3.4);
  await gateway.edit(of({ header: 'x-user' }));
  expect(await inBatches(gateway.port(), 2000, field)).toEqual(byClient);
});

test('a change of weights moves as many keys as it must, and only towards who gains', async () => {
  await using a = await saying('a');
  await using b = await saying('b');
  await using c = await saying('c');
  const of = (weights: readonly number[]): object => config({ a, b, c }, weights, { split_by: { header: 'x' } });
  await using gateway = await testGateway(of([80, 10, 10]));
  const field = (i: number): string => `X: ${i}`;
  const before = await inBatches(gateway.port(), 4000, field);
  // The share of b goes from 10 of 100 to 40 of 130: from 10 to 30.8 percent.
  await gateway.edit(of([80, 40, 10]));
  const after = await inBatches(gateway.port(), 4000, field);
  const moved = after.filter((pool, i) => pool !== before[i]);
  expect(new Set(moved)).toEqual(new Set(['b']));
  expect(Math.abs((moved.length / 4000) * 100 - 20.8)).toBeLessThan(2);
  // All weights ten times as large mean the same.
  await gateway.edit(of([800, 400, 100]));
  expect(await inBatches(gateway.port(), 4000, field)).toEqual(after);
}, 30_000);

test('weights are changed under load without a failed request', async () => {
  await using a = await saying('a');
  await using b = await saying('b');
  await using gateway = await testGateway(config({ a, b }, [100, 0]));
  const port = gateway.port();
  const load = { on: true };
  let answered = 0;
  const wrong: string[] = [];
  const client = async (): Promise<void> => {
    await using connection = await RawClient.to(port);
    while (load.on) {
      const { status, body } = await connection.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').response();
      answered++;
      if (status !== 200 || !'ab'.includes(body)) wrong.push(`${status} ${body}`);
    }
  };
  const fresh = async (): Promise<void> => {
    while (load.on) {
      const { status } = await get(port);
      answered++;
      if (status !== 200) wrong.push(`${status} on a new connection`);
    }
  };
  const clients = [client(), client(), client(), fresh()];
  for (const weights of [
    [50, 50],
    [1, 99],
    [99, 1],
    [50, 50],
    [0, 100],
  ]) {
    const before = answered;
    await gateway.edit(config({ a, b }, weights));
    await until(() => answered > before + 50, 'there is load');
  }
  load.on = false;
  await Promise.all(clients);
  expect(wrong).toEqual([]);
  expect(gateway.running.gateway.current!.generation).toBe(6);
  expect(shares(await inBatches(port, 50, () => 'X: y'))).toEqual({ b: expect.closeTo(100) as number });
}, 20_000);
