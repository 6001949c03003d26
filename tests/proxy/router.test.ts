import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MatchPlan } from '../../src/plan/types/match.ts';
import { Router } from '../../src/proxy/router.ts';
import { exchange } from '../support/exchange.ts';
import { matches, matchPlan, request } from './random-routes.ts';

const ANY: MatchPlan = { hosts: null, path: null, methods: null, headers: [], query: [] };

function routerOf(matchPlans: readonly Partial<MatchPlan>[]): Router<number> {
  const router = new Router<number>();
  matchPlans.forEach((match, i) => router.add({ ...ANY, ...match }, i));
  return router;
}

test('it finds what a search through all routes in their order finds', () => {
  let found = 0;
  let asked = 0;
  const requests = fc.array(request, { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(fc.array(matchPlan, { maxLength: 25 }), requests, (plans, all) => {
      const router = routerOf(plans);
      for (const x of all) {
        const first = plans.findIndex((plan) => matches(plan, x));
        expect(router.match(x)).toBe(first < 0 ? undefined : first);
        asked++;
        if (first > 0) found++;
      }
    }),
    { numRuns: 1500 },
  );
  // The routes and requests meet often enough to mean something.
  expect(found / asked).toBeGreaterThan(0.2);
});

test('edited again and again, it finds the same, and so does what it was made from', () => {
  const edit = fc.record({
    at: fc.nat(25),
    gone: fc.nat(4),
    come: fc.array(matchPlan, { maxLength: 4 }),
  });
  let edited = 0;
  let full = 0;
  fc.assert(
    fc.property(
      fc.array(matchPlan, { maxLength: 15 }),
      fc.array(edit, { minLength: 1, maxLength: 30 }),
      fc.array(request, { minLength: 1, maxLength: 10 }),
      (plans, edits, all) => {
        let list = plans.map((match, value) => ({ match, value }));
        let router = routerOf(plans);
        let count = plans.length;
        const check = (): void => {
          for (const x of all) expect(router.match(x)).toBe(list.find(({ match }) => matches(match, x))?.value);
        };
        for (const { at, gone, come } of edits) {
          const start = Math.min(at, list.length);
          const left = list.slice(start, start + gone).map(({ match }) => match);
          const fresh = come.map((match) => ({ match, value: count++ }));
          const next = router.edited(start, left, fresh);
          // Nothing of it is seen by whoever still asks the old one.
          check();
          if (next === null) {
            full++;
            continue;
          }
          edited++;
          list = list.toSpliced(start, gone, ...fresh);
          router = next;
          check();
        }
      },
    ),
    { numRuns: 500 },
  );
  expect(edited).toBeGreaterThan(1000);
  expect(full).toBeLessThan(edited / 10);
});

test('an order between two neighbours is found ten times; then there is no room', () => {
  let router = routerOf([{ path: { kind: 'exact', value: '/a' } }, {}]);
  let times = 0;
  for (let next = null as Router<number> | null; ; router = next, times++) {
    next = router.edited(
      1,
      [],
      [{ match: { ...ANY, path: { kind: 'exact', value: `/${times}` } }, value: 100 + times }],
    );
    if (next === null) break;
  }
  expect(times).toBe(10);
  expect(['/a', '/0', '/9', '/b'].map((path) => router.match(exchange({ path })))).toEqual([0, 100, 109, 1]);
});

test('a host that no route names any more is forgotten', () => {
  const one = routerOf([{ hosts: ['a.test', '*.test'] }, { hosts: ['b.test'] }]);
  const edited = one.edited(0, [{ ...ANY, hosts: ['a.test', '*.test'] }], [])!;
  expect(['a.test', 'b.test', 'c.test'].map((host) => edited.match(exchange({ host })))).toEqual([
    undefined,
    1,
    undefined,
  ]);
  expect(['a.test', 'b.test', 'c.test'].map((host) => one.match(exchange({ host })))).toEqual([0, 0, 0]);
});

describe('the first route wins', () => {
  test('also if one that comes later is more exact', () => {
    const router = routerOf([
      { path: { kind: 'regex', value: '^/a' } },
      { hosts: ['*.test'], path: { kind: 'prefix', value: '/b' } },
      { hosts: ['x.test'], path: { kind: 'exact', value: '/b/c' } },
      { path: { kind: 'exact', value: '/a/b' } },
      {},
    ]);
    const of = (host: string, path: string): number | undefined => router.match(exchange({ host, path }));
    expect([of('x.test', '/a/b'), of('x.test', '/b/c'), of('y', '/b/c')]).toEqual([0, 1, 4]);
  });

  test('and one whose further conditions fail is passed over', () => {
    const router = routerOf([{ methods: ['POST'] }, { path: { kind: 'prefix', value: '/a' } }]);
    expect(router.match(exchange({ path: '/a' }))).toBe(1);
    expect(router.match(exchange({ path: '/b' }))).toBeUndefined();
    expect(router.match(exchange({ path: '/b', method: 'POST' }))).toBe(0);
  });
});

test('a prefix is taken by whole segments, at every length', () => {
  const router = routerOf(['/v1', '/v1/x', '/longer'].map((value) => ({ path: { kind: 'prefix', value } })));
  const of = (path: string): number | undefined => router.match(exchange({ path }));
  expect(['/v1', '/v1/', '/v1/x', '/v10', '/v', '/longer/x', '/longe', ''].map(of)).toEqual([
    0,
    0,
    0,
    undefined,
    undefined,
    2,
    undefined,
    undefined,
  ]);
});

test('a star stands for one label or more, never for none; the dot that makes a name absolute makes no difference', () => {
  const router = routerOf([{ hosts: ['*.example.com'] }, { hosts: ['example.com'] }]);
  const of = (host: string): number | undefined => router.match(exchange({ host }));
  expect(of('a.example.com')).toBe(0);
  expect(of('a.b.example.com')).toBe(0);
  expect(of('a.example.com.')).toBe(0);
  expect(of('example.com')).toBe(1);
  expect(of('example.com.')).toBe(1);
  expect(of('badexample.com')).toBeUndefined();
  expect(of('')).toBeUndefined();
});

test('OPTIONS * has no path: a prefix does not take it, a route without a path does', () => {
  const star = exchange({ method: 'OPTIONS', path: '*' });
  expect(routerOf([{ path: { kind: 'prefix', value: '/' } }]).match(star)).toBeUndefined();
  expect(routerOf([{ path: { kind: 'prefix', value: '/' } }, {}]).match(star)).toBe(1);
});

test('the first parameter of a name counts, decoded; one without a value is empty', () => {
  const router = routerOf([{ query: [{ name: 'a b', kind: 'exact', value: 'c d' }] }]);
  const of = (query: string): number | undefined => router.match(exchange({ query }));
  expect(of('?a+b=c%20d')).toBe(0);
  expect(of('?x&a%20b=c+d')).toBe(0);
  expect(of('?a+b&a+b=c+d')).toBeUndefined();
  expect(routerOf([{ query: [{ name: 'q', kind: 'exact', value: '' }] }]).match(exchange({ query: '?q' }))).toBe(0);
});
