/** A plan that is taken apart, sent somewhere else and put together again is the same plan. */
import { expect, test } from 'vitest';
import { digestOf, lotsOf, fingerprintsOf } from '../../src/plan/plan-delta.ts';
import { PlanDeserializer, serializePlan } from '../../src/plan/serialized-plan.ts';
import type { Plan } from '../../src/plan/types.ts';
import { handedOver } from './handed-over.ts';
import { planOf } from './plan-of.ts';

const endpoints = ['10.0.0.1:80'];
const config = {
  listeners: { web: { address: '127.0.0.1:0' }, db: { address: '127.0.0.1:0', protocol: 'tcp', pool: 'b' } },
  pools: {
    a: { endpoints, fallback: { pool: 'b' } },
    b: { endpoints, fallback: { respond: { status: 503, body: 'x' } } },
    c: { endpoints },
  },
  routes: [
    { name: 'one', match: { path: '/1' }, pool: 'a', mirror: { pool: 'c', share: 5 } },
    {
      name: 'two',
      match: { path: '/2' },
      split: [
        { pool: 'a', weight: 1 },
        { pool: 'b', weight: 2 },
      ],
      split_by: { header: 'X-A' },
      mirror: { pool: 'c' },
    },
    { name: 'three', match: {}, respond: {} },
  ],
};

test('with one pool for all that name it', () => {
  const plan = planOf(config);
  const { rest, certificates, pools, routes } = structuredClone(serializePlan(plan));
  const unwrapping = new PlanDeserializer(rest);
  unwrapping.addCertificates(certificates);
  unwrapping.addPools(pools);
  for (const route of routes) unwrapping.addRoutes([route]);
  const other = unwrapping.plan();
  expect(other).toEqual(plan);
  const [a, b, c] = other.pools;
  const [one, two] = other.routes;
  expect(one!.action.type === 'pool' && one!.action.pool).toBe(a);
  expect(two!.action.type === 'split' && two!.action.parts.map(({ pool }) => other.pools.indexOf(pool))).toEqual([
    0, 1,
  ]);
  expect(other.listeners[1]!.pool).toBe(b);
  for (const route of [one!, two!]) expect(route.mirror!.pool).toBe(c);
  expect(Object.isFrozen(two!.mirror) && Object.isFrozen(two!.action)).toBe(true);
});

type Change = (text: string) => string;

function changed(change: Change): Plan {
  return planOf(JSON.parse(change(JSON.stringify(config))) as object);
}

test('and its digest tells every change of a split, a mirror and a fallback', () => {
  const digest = (change: Change): string => {
    const serialized = serializePlan(changed(change));
    return digestOf(serialized, fingerprintsOf(serialized));
  };
  const same = digest((text) => text);
  expect(digest((text) => text)).toBe(same);
  const changes: readonly (readonly [string, string])[] = [
    ['"weight":2', '"weight":3'],
    ['"X-A"', '"X-B"'],
    ['"share":5', '"share":6'],
    ['"fallback":{"pool":"b"}', '"fallback":{"pool":"c"}'],
    ['"body":"x"', '"body":"y"'],
  ];
  const digests = changes.map(([from, to]) => digest((text) => text.replace(from, to)));
  expect(new Set([same, ...digests]).size).toBe(changes.length + 1);
});

test.each<[what: string, Change, fresh: number, pools: string[], routes: string[]]>([
  ['nothing', (text) => text, 0, ['a', 'b', 'c'], ['one', 'two', 'three']],
  ['a route', (text) => text.replace('"share":5', '"share":6'), 1, ['a', 'b', 'c'], ['two', 'three']],
  [
    'the order of routes',
    (text) => text.replace(/(\{"name":"one".*?),(\{"name":"two".*),(\{"name":"three")/, '$2,$1,$3'),
    0,
    ['a', 'b', 'c'],
    ['one', 'two', 'three'],
  ],
  // Routes that name a pool hold it, and one that is not the same any more is another.
  ['a pool', (text) => text.replace('"c":{', '"c":{"max_requests":9,'), 1, ['a', 'b'], ['three']],
  [
    'what is neither',
    (text) => text.replace('{', '{"limits":{"connections":7},'),
    0,
    ['a', 'b', 'c'],
    ['one', 'two', 'three'],
  ],
])('what is handed over after a change of %s is what has changed', (_, change, fresh, pools, routes) => {
  const base = planOf(config);
  const next = changed(change);
  const got = handedOver(next, base);
  expect(got.plan).toEqual(next);
  expect(got.fresh).toBe(fresh);
  const kept = <T extends { name: string }>(now: readonly T[], before: readonly T[]): string[] =>
    before.filter((one) => now.includes(one)).map(({ name }) => name);
  expect(kept(got.plan.pools, base.pools)).toEqual(pools);
  expect(kept(got.plan.routes, base.routes)).toEqual(routes);
});

test('lots hold all pieces in their order, and few that are new', () => {
  const pieces = Array.from({ length: 9000 }, (_, i) => (i % 1000 < 30 ? { i } : i));
  const lots = [...lotsOf(pieces)];
  expect(lots.flat()).toEqual(pieces);
  const fresh = lots.map((lot) => lot.filter((piece) => typeof piece !== 'number').length);
  expect(Math.max(...fresh)).toBeLessThanOrEqual(20);
  expect(lots.length).toBeLessThan(40);
  expect([...lotsOf([])]).toEqual([]);
});
