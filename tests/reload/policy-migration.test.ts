/** What is under way behind policies of a listener, or while a policy waits for a pool, goes over to the next generation or not. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { diffPlans } from '../../src/plan/diff.ts';
import { forecast } from '../../src/plan/diff/forecast.ts';
import { liveNumbers } from '../../src/runtime/views/live-numbers.ts';
import { planOf } from '../plan/plan-of.ts';
import { poolLoad, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { get } from '../support/requests.ts';

const folder = mkdtempSync(join(tmpdir(), 'prozy-policy-migration-'));
afterAll(() => rmSync(folder, { recursive: true }));
const ASK = join(folder, 'ask.ts');
writeFileSync(
  ASK,
  `export const schema = {};
   export default { bind: (_, scope) => {
     const auth = scope.pool('auth');
     return { request: async (x, context) => {
       const { error, status } = await context.send(auth, { path: '/check' });
       x.fields.set('x-checked', String(error?.code ?? status));
     } };
   } };`,
);

const leases = ({ running }: TestGateway): number[] => running.gateway.snapshots.map((snapshot) => snapshot.leases);

/** What keeps each lease of an old generation where it is. */
function blockers({ running }: TestGateway): unknown[] {
  const old = running.gateway.snapshots.slice(1);
  return old.flatMap((snapshot) => [...snapshot.holders].map((holder) => holder.blocker));
}

/** What `prozy plan --against` the gateway says of the leases that would stay. */
async function foretoldBlockers({ running: { gateway } }: TestGateway, next: object): Promise<unknown[]> {
  const current = gateway.current!;
  const after = planOf(next);
  const live = await liveNumbers(gateway, current);
  return forecast(current.plan, after, diffPlans(current.plan, after), live).stays.map(({ reason }) => reason);
}

interface Parts {
  readonly pools: Readonly<Record<string, readonly number[]>>;
  readonly listener?: readonly object[];
  readonly route?: readonly object[];
  /** What the route does; absent: it sends to pool app. */
  readonly action?: object;
  readonly fixed?: string;
}

function config({ pools, listener = [], route = [], action = { pool: 'app' }, fixed = '' }: Parts): object {
  const made = Object.entries(pools).map(([name, ports]) => {
    const endpoints = ports.map((port) => `127.0.0.1:${port}`);
    return [name, { endpoints, health: { passive: { failures: 0 } } }];
  });
  return {
    version: 1,
    listeners: { web: { address: '127.0.0.1:0', policies: listener } },
    pools: Object.fromEntries(made) as object,
    routes: [
      { name: 'fixed', match: { path: '/fixed' }, respond: { body: fixed } },
      { name: 'all', match: {}, ...action, policies: route },
    ],
  };
}

const hsts = (age: number): object => ({
  type: 'headers',
  response: { set: { 'Strict-Transport-Security': `max-age=${age}` } },
});

test('an exchange stays if the policies of its listener change, and ends as it began', async () => {
  let respond = (): void => {};
  await using app = await httpOrigin((_, response) => (respond = () => void response.end('late')));
  const of = (age: number): object => config({ pools: { app: [app.port] }, listener: [hsts(age)] });
  await using gateway = await testGateway(of(1));
  const under = get(gateway.port());
  await until(() => app.requests.length === 1, 'it is under way');
  await gateway.edit(of(2));
  expect([leases(gateway), blockers(gateway)]).toEqual([[0, 1], ['policies_changed']]);
  // Back again, it goes over after all.
  await gateway.edit(of(1));
  expect([leases(gateway), blockers(gateway)]).toEqual([[1], []]);
  respond();
  expect((await under).headers['strict-transport-security']).toBe('max-age=1');
});

describe.each(['route', 'listener'] as const)('while a policy of a %s waits for a pool', (place) => {
  const policies = (...list: object[]): Pick<Parts, 'listener' | 'route'> => ({ [place]: list });
  const ask = { type: 'module', module: ASK, pools: ['auth'] };

  /**
   * What keeps an exchange behind after an edit to `after`, as the forecast has it; [] if nothing does. The
   * exchange must come to its end in either case.
   */
  async function blockersOf(
    after: (parts: Parts & { readonly ports: { readonly other: number } }) => Parts,
    action?: object,
  ): Promise<unknown[]> {
    const waiting: (() => void)[] = [];
    await using auth = await httpOrigin((_, response) => waiting.push(() => response.writeHead(204).end()));
    await using app = await httpOrigin((request, response) => response.end(String(request.headers['x-checked'])));
    await using other = await httpOrigin((_, response) => response.end('other'));
    const pools = { app: [app.port], auth: [auth.port] };
    const before: Parts = { pools, ...policies(ask), ...(action === undefined ? {} : { action }) };
    await using gateway = await testGateway(config(before));
    const under = get(gateway.port());
    await until(() => waiting.length === 1, 'the policy waits');
    const next = config(after({ ...before, ports: { other: other.port } }));
    const foretold = await foretoldBlockers(gateway, next);
    await gateway.edit(next);
    const found = blockers(gateway);
    expect(foretold).toEqual(found);
    expect(leases(gateway)).toEqual(found.length === 0 ? [1] : [0, 1]);
    for (const go of waiting) go();
    expect((await under).body).toBe(action === undefined ? '204' : 'so');
    await until(() => leases(gateway).join() === '0', 'the old generation is over');
    return found;
  }

  test('an exchange goes over with an unrelated edit', async () => {
    expect(await blockersOf((parts) => ({ ...parts, fixed: 'new' }))).toEqual([]);
    const more = { unused: [1] };
    expect(await blockersOf(({ pools, ...parts }) => ({ ...parts, pools: { ...pools, ...more } }))).toEqual([]);
  });

  test('it stays if that pool changes or goes', async () => {
    expect(
      await blockersOf(({ pools, ports, ...parts }) => ({ ...parts, pools: { ...pools, auth: [ports.other] } })),
    ).toEqual(['policies_changed']);
    expect(
      await blockersOf(({ pools: { app }, ...parts }) => ({ ...parts, ...policies(), pools: { app: app! } })),
    ).toEqual(['policies_changed']);
  });

  test('it goes over, or stays, if the route answers by itself', async () => {
    const so = { respond: { body: 'so' } };
    expect(await blockersOf((parts) => ({ ...parts, fixed: 'new' }), so)).toEqual([]);
    const action = { respond: { body: 'otherwise' } };
    expect(await blockersOf((parts) => ({ ...parts, action }), so)).toEqual(['policies_changed']);
    expect(await blockersOf((parts) => ({ ...parts, action: { pool: 'app' } }), so)).toEqual(['pool_changed']);
  });

  test('it stays, and ends with the drain time: a 503, and the pool is free', async () => {
    await using auth = await httpOrigin(() => {});
    const of = (fixed: string, ...list: object[]): object => ({
      ...config({ pools: { app: [1], auth: [auth.port] }, ...policies(...list), fixed }),
      reload: { drain: { deadline: '50ms', spread: '0s', action: 'close' } },
    });
    await using gateway = await testGateway(of('', ask));
    const under = get(gateway.port());
    await until(() => auth.requests.length === 1, 'the policy waits');
    await gateway.edit(of('new'));
    expect([(await under).status, poolLoad(gateway, 'auth').active]).toEqual([503, 0]);
  });

  test('it stays if the pool of its route changes', async () => {
    expect(
      await blockersOf(({ pools, ports, ...parts }) => ({ ...parts, pools: { ...pools, app: [ports.other] } })),
    ).toEqual(['pool_changed']);
  });
});
