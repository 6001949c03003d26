/** A plan that is taken apart, sent to another thread and put together again is the same plan. */
import { expect, test } from 'vitest';
import { digestOfParcel, Unwrapping, wrapPlan } from '../../src/plan/parcel.ts';
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
  const { rest, routes } = structuredClone(wrapPlan(plan));
  const unwrapping = new Unwrapping(rest);
  for (const route of routes) unwrapping.add([route]);
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

test('and its digest tells every change of a split, a mirror and a fallback', () => {
  const digest = (change: (text: string) => string): string =>
    digestOfParcel(wrapPlan(planOf(JSON.parse(change(JSON.stringify(config))) as object)));
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
