/** Policies of listeners: what they may be, and what invariants know of them. */
import { expect, test } from 'vitest';
import { planOf, problemsOf } from './plan-of.ts';

const ROUTES = [{ name: 'r', match: {}, respond: { body: 'x' } }];
const HSTS = { type: 'headers', response: { set: { a: 'b' } } };

function config(listener: object, more: object = {}): object {
  return { listeners: { web: { address: '0.0.0.0:1', ...listener } }, routes: ROUTES, ...more };
}

test('are planned in order, without those that are disabled', () => {
  const acls = { all: {} };
  const policies = [{ ...HSTS, enabled: false }, { type: 'acl', acl: 'all' }, HSTS];
  expect(planOf(config({ policies }, { acls })).listeners[0]!.policies.map(({ type }) => type)).toEqual([
    'acl',
    'headers',
  ]);
});

test('are no caches, name what there is, and are for http', () => {
  expect(problemsOf(config({ policies: [{ type: 'cache', cache: 'c' }] }, { caches: { c: {} } }))).toEqual([
    '/listeners/web/policies/0: a listener has no cache (put it into the policies of each route that has something to store)',
  ]);
  expect(problemsOf(config({ policies: [{ type: 'acl', acl: 'no' }] }))[0]).toContain('/listeners/web/policies/0/acl');
  const tcp = { protocol: 'tcp', pool: 'p', policies: [HSTS] };
  expect(problemsOf(config(tcp, { pools: { p: { endpoints: ['127.0.0.1:9'] } }, routes: [] }))).toEqual([
    '/listeners/web/policies: has no effect: only http listeners read requests',
  ]);
});

test('guard the routes of the listener', () => {
  const more = {
    acls: { few: { default: 'deny', allow: ['10.0.0.1'] } },
    invariants: [{ type: 'no_open_listener' }, { type: 'route_exists', route: 'r', policies: ['acl'] }],
  };
  expect(problemsOf(config({ policies: [{ type: 'acl', acl: 'few' }] }, more))).toEqual([]);
  expect(problemsOf(config({}, more))).toHaveLength(2);
});
