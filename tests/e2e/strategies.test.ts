/** Weights, and what else a strategy is told, through a config and on real sockets, with exact counts where there are any. */
import type http from 'node:http';
import { expect, test } from 'vitest';
import { simpleConfig, testGateway, type TestGateway, until } from '../support/gateway.ts';
import { httpOrigin, type HttpOrigin } from '../support/origin.ts';
import { get } from '../support/requests.ts';

const STRATEGIES = [
  'round_robin',
  'weighted_round_robin',
  'least_connections',
  'random',
  'p2c',
  'ip_hash',
  'ring_hash',
  'maglev',
] as const;

/** As many origins as there are weights, and a pool of them. */
class Weighed implements AsyncDisposable {
  readonly #origins: HttpOrigin[] = [];
  readonly #weights: readonly number[];
  /** Answers kept back, while `holding`. */
  readonly held: http.ServerResponse[] = [];
  holding = false;

  constructor(weights: readonly number[]) {
    this.#weights = weights;
  }

  static async of(...weights: readonly number[]): Promise<Weighed> {
    const origins = new Weighed(weights);
    for (let i = 0; i < weights.length; i++) {
      origins.#origins.push(
        await httpOrigin((_, response) => {
          if (origins.holding) origins.held.push(response);
          else response.end(String(i));
        }),
      );
    }
    return origins;
  }

  config(strategy: unknown): Record<string, unknown> {
    const endpoints = this.#origins.map(({ port }, i) => ({ address: `127.0.0.1:${port}`, weight: this.#weights[i] }));
    return simpleConfig(0, { pools: { origin: { strategy, endpoints } } });
  }

  /** Requests that came to each. */
  get counts(): number[] {
    return this.#origins.map(({ requests }) => requests.length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const origin of this.#origins) await origin[Symbol.asyncDispose]();
  }
}

/** One request after the other, each with a path of its own. Which origins answered, in order. */
async function ask(gateway: TestGateway, count: number): Promise<number[]> {
  const got: number[] = [];
  for (let i = 0; i < count; i++) got.push(Number((await get(gateway.port(), `/${i}`)).body));
  return got;
}

test.each(STRATEGIES)('%s sends nothing to an endpoint of weight 0', async (strategy) => {
  await using origins = await Weighed.of(1, 0, 2);
  await using gateway = await testGateway(origins.config(strategy));
  await ask(gateway, 30);
  const [one, none, two] = origins.counts;
  expect([none, one! + two!]).toEqual([0, 30]);
});

test('round_robin takes each in turn; weighted_round_robin spreads the turns by weight', async () => {
  await using origins = await Weighed.of(1, 3, 2);
  await using gateway = await testGateway(origins.config('round_robin'));
  await ask(gateway, 12);
  expect(origins.counts).toEqual([4, 4, 4]);
  await gateway.edit(origins.config('weighted_round_robin'));
  await ask(gateway, 12);
  expect(origins.counts).toEqual([4 + 2, 4 + 6, 4 + 4]);
});

test('random is as likely to take an endpoint as its weight says', async () => {
  await using origins = await Weighed.of(1, 3);
  let draws = 0;
  // Every eighth of the way from 0 to 1 once, then again.
  const random = (): number => ((draws++ % 8) + 0.5) / 8;
  await using gateway = await testGateway(origins.config('random'), { random });
  await ask(gateway, 32);
  expect(origins.counts).toEqual([8, 24]);
});

test('least_connections lets each have as much under way as its weight says', async () => {
  await using origins = await Weighed.of(1, 3, 2);
  await using gateway = await testGateway(origins.config('least_connections'));
  origins.holding = true;
  const pending: Promise<unknown>[] = [];
  for (let i = 1; i <= 12; i++) {
    pending.push(get(gateway.port()));
    await until(() => origins.held.length === i, 'the request has come to an origin');
  }
  expect(origins.counts).toEqual([2, 6, 4]);
  for (const response of origins.held) response.end();
  await Promise.all(pending);
});

test.each(['ring_hash', 'maglev'])('%s gives a heavier endpoint more keys', async (type) => {
  await using origins = await Weighed.of(1, 4);
  await using gateway = await testGateway(origins.config({ type, key: 'path' }));
  await ask(gateway, 200);
  const [light, heavy] = origins.counts;
  // 40 of 200, give or take 6 by chance.
  expect(light).toBeGreaterThan(10);
  expect(heavy).toBeGreaterThan(100);
});

test.each([
  ['ring_hash', { replicas: 3 }, { replicas: 300 }],
  ['maglev', { table_size: 1009 }, { table_size: 2003 }],
])('%s: %j and %j are different tables', async (type, one, other) => {
  await using origins = await Weighed.of(1, 1, 1);
  const owners = async (more: object): Promise<number[]> => {
    await using gateway = await testGateway(origins.config({ type, key: 'path', ...more }));
    return await ask(gateway, 200);
  };
  const first = await owners(one);
  expect(await owners(one)).toEqual(first);
  expect(await owners(other)).not.toEqual(first);
});
