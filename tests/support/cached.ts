/** A gateway with one cache in front of one origin, for tests of what it stores and gives. */
import { ShiftedClock } from './shifted-clock.ts';
import { type TestGateway, testGateway, until } from './gateway.ts';
import { get, type Answer, type AskOptions } from './requests.ts';
import { httpOrigin, type HttpOrigin } from './origin.ts';

export type AnswerOf = NonNullable<Parameters<typeof httpOrigin>[0]>;

export interface Cached extends AsyncDisposable {
  readonly origin: HttpOrigin;
  readonly gateway: TestGateway;
  readonly clock: ShiftedClock;
  ask(path?: string, options?: AskOptions): Promise<Answer>;
  /** Nothing is under way any more. */
  settled(): Promise<void>;
}

export function cachedConfig(port: number, policy: object = {}, cache: object = {}, more: object = {}): object {
  return {
    version: 1,
    listeners: { web: { address: '127.0.0.1:0' } },
    caches: { pages: cache },
    pools: { origin: { endpoints: [`127.0.0.1:${port}`], retries: { attempts: 0 } } },
    routes: [{ name: 'all', match: {}, policies: [{ type: 'cache', cache: 'pages', ...policy }], pool: 'origin' }],
    ...more,
  };
}

export async function cached(answer: AnswerOf, policy: object = {}, cache: object = {}): Promise<Cached> {
  const clock = new ShiftedClock();
  // Its clock is not set forward: the Date is the gateway's to add.
  const origin = await httpOrigin((request, response) => {
    response.sendDate = false;
    answer(request, response);
  });
  const gateway = await testGateway(cachedConfig(origin.port, policy, cache), { clock });
  return {
    origin,
    gateway,
    clock,
    ask: (path = '/', options = {}) => get(gateway.port(), path, options),
    settled: () => until(() => gateway.running.gateway.current!.leases === 0, 'nothing is under way'),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await origin[Symbol.asyncDispose]();
    },
  };
}
