/** Policies of a route that answers by itself: what has no effect there is a warning. */
import { expect, test } from 'vitest';
import { problemsOf } from './plan-of.ts';

const REWRITE = { type: 'rewrite', prefix: '/a', replacement: '/b' };
const REQUEST = { type: 'headers', request: { set: { a: 'b' } } };
const AT = '/routes/0/policies/0';
const NOT_FORWARDED = 'has no effect: the route answers without a backend';
const RESPOND = { respond: { status: 200 } };
const REDIRECT = { redirect: { scheme: 'https' } };

test.each([
  [REWRITE, RESPOND, `${AT}: ${NOT_FORWARDED}`],
  [REWRITE, REDIRECT, `${AT}: ${NOT_FORWARDED}`],
  [REQUEST, RESPOND, `${AT}/request: ${NOT_FORWARDED}`],
])('%j with %j', (policy, action, problem) => {
  const of = (policies: readonly object[], does: object): object => ({
    acls: { all: {} },
    pools: { p: { endpoints: ['127.0.0.1:9'] } },
    routes: [{ name: 'r', match: {}, policies, ...does }],
  });
  expect(problemsOf(of([policy], action))).toEqual([problem]);
  expect(problemsOf(of([policy], { pool: 'p' }))).toEqual([]);
  expect(
    problemsOf(
      of(
        [
          { ...policy, enabled: false },
          { type: 'acl', acl: 'all' },
        ],
        action,
      ),
    ),
  ).toEqual([]);
});

test.each([RESPOND, REDIRECT])('response hooks see what %j answers', (action) => {
  const policies = [{ type: 'headers', response: { remove: ['server'] } }];
  expect(problemsOf({ routes: [{ name: 'r', match: {}, policies, ...action }] })).toEqual([]);
});
