/** Routes that can never match are found, and only those. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { routesOf } from '../../src/plan/serialized-plan.ts';
import { findHidden } from '../../src/plan/unreachable-routes.ts';
import type { RoutePlan } from '../../src/plan/types.ts';
import { matches, matchPlan, request } from '../proxy/random-routes.ts';
import { problemsOf } from './plan-of.ts';

const LISTENERS = ['web', 'inner'];

const routes: fc.Arbitrary<RoutePlan[]> = fc
  .array(fc.tuple(matchPlan, fc.option(fc.subarray(LISTENERS, { minLength: 1 }))), { maxLength: 12 })
  .map((all) =>
    all.map(([match, listeners], i) => ({
      name: `r${i}`,
      listeners,
      match,
      policies: [],
      action: { type: 'respond', status: 200, headers: [], body: '' },
      mirror: null,
      mapBack: true,
      timeouts: null,
      limits: null,
      retries: null,
      drain: null,
    })),
  );

test('no route that is called hidden is the first to match any request', () => {
  let told = 0;
  fc.assert(
    fc.property(routes, fc.array(request, { minLength: 5, maxLength: 30 }), (plans, requests) => {
      const hidden = new Set<RoutePlan>();
      findHidden(plans, (index, by) => {
        expect(by).toBeLessThan(index);
        hidden.add(plans[index]!);
      });
      told += hidden.size;
      for (const listener of LISTENERS) {
        for (const x of requests) {
          const first = routesOf(listener, plans).find((route) => matches(route.match, x));
          expect(first !== undefined && hidden.has(first)).toBe(false);
        }
      }
    }),
    { numRuns: 1000 },
  );
  expect(told).toBeGreaterThan(200);
});

describe('a route is told to be hidden', () => {
  const listeners = { web: { address: '127.0.0.1:0' }, inner: { address: '127.0.0.1:0' } };
  const hiddenBy = (first: object, second: object, more: object = {}): boolean =>
    problemsOf({
      listeners,
      routes: [
        { name: 'first', match: first, respond: {} },
        { name: 'second', match: second, respond: {}, ...more },
      ],
    }).some((problem) => problem.includes('route second can never match: first takes all its requests'));

  test.each([
    ['by one that takes everything', {}, { path: '/a' }],
    ['by its equal', { path: { regex: '^/a' } }, { path: { regex: '^/a' } }],
    ['by a shorter prefix', { path: '/a' }, { path: '/a/b/c' }],
    ['by a prefix of its exact path', { path: '/a' }, { path: { exact: '/a' } }],
    ['by a wider star', { host: '*.test' }, { host: ['x.a.test', '*.b.test'] }],
    ['by more methods', { methods: ['GET', 'POST'] }, { methods: ['POST'] }],
    ['by fewer conditions', { headers: { 'X-A': '1' } }, { headers: { 'x-a': '1', 'x-b': '2' }, query: { q: '1' } }],
    ['by a host in another case', { host: 'A.test' }, { host: 'a.TEST' }],
  ])('%s', (_, first, second) => {
    expect(hiddenBy(first, second)).toBe(true);
  });

  test.each([
    ['by a longer prefix', { path: '/a/b' }, { path: '/a' }],
    ['by a prefix of its text, not of its segments', { path: '/a' }, { path: '/ab' }],
    ['by a regular expression that happens to be wider', { path: { regex: '^/' } }, { path: '/a' }],
    ['by a prefix, if it takes OPTIONS * too', { path: '/' }, {}],
    ['by a star that does not hold the name itself', { host: '*.a.test' }, { host: 'a.test' }],
    ['by only some of its hosts', { host: 'a.test' }, { host: ['a.test', 'b.test'] }],
    ['by another value', { query: { q: '1' } }, { query: { q: '2' } }],
    ['by fewer methods', { methods: ['GET'] }, {}],
  ])('not %s', (_, first, second) => {
    expect(hiddenBy(first, second)).toBe(false);
  });

  test('only on the listeners that both serve', () => {
    const routeOn = (one: string[] | undefined, other: string[] | undefined): boolean =>
      problemsOf({
        listeners,
        routes: [
          { name: 'first', match: {}, respond: {}, ...(one === undefined ? {} : { listeners: one }) },
          { name: 'second', match: {}, respond: {}, ...(other === undefined ? {} : { listeners: other }) },
        ],
      }).length > 0;
    expect(routeOn(['web'], ['inner'])).toBe(false);
    expect(routeOn(['web'], undefined)).toBe(false);
    expect(routeOn(['web', 'inner'], ['inner'])).toBe(true);
    expect(routeOn(undefined, ['inner'])).toBe(true);
  });
});
