/** Signs of a pattern where none is read are warned of, with what to write; that is taken without a warning. */
import { describe, expect, test } from 'vitest';
import { planOf, problemsOf } from './plan-of.ts';

const respond = { status: 200 };
const matching = (match: object): object => ({ routes: [{ name: 'r', match, respond }] });
const pools = { p: { endpoints: ['127.0.0.1:9'] } };
const withPolicy = (policy: object): object => ({
  pools,
  caches: { c: {} },
  routes: [{ name: 'r', match: {}, policies: [policy], pool: 'p' }],
});
const AT = '/routes/0/match/path';

describe('paths', () => {
  test.each<[unknown, string, string]>([
    ['/api/*', '*', 'a plain path is a prefix already: write /api'],
    ['/b/**', '**', 'a plain path is a prefix already: write /b'],
    ['/*', '*', 'a plain path is a prefix already: write /'],
    [{ exact: '/a/*' }, '*', 'write { prefix: /a }'],
    [{ exact: '/a*' }, '*', 'write { regex: ^/a }'],
    ['/a*', '*', 'write { regex: ^/a }'],
    ['/a/*/b.c', '*', 'write { regex: ^/a/[^/]+/b\\.c(/|$) }'],
    ['/users/:id', ':id', 'write { regex: ^/users/[^/]+(/|$) }'],
    [{ exact: '/users/{id}/x' }, '{id}', 'write { regex: ^/users/[^/]+/x$ }'],
    [{ prefix: '/users/<int:id>' }, '<int:id>', 'write { regex: ^/users/[^/]+(/|$) }'],
  ])('%j', (path, sign, hint) => {
    const [found, ...more] = problemsOf(matching({ path }));
    const place = typeof path === 'string' ? `${AT}/prefix` : AT;
    expect([found?.replace(`${AT}/prefix:`, `${AT}:`), more]).toEqual([
      `${place.replace('/prefix', '')}: ${sign} stands for itself here (${hint})`,
      [],
    ]);
    const regex = /regex: (\S+) \}/.exec(hint)?.[1];
    if (regex !== undefined) expect(problemsOf(matching({ path: { regex } }))).toEqual([]);
  });

  test.each(['/v1/things:batch', '/a:b', '/x/~user', '/'])('%s is a plain path', (path) => {
    expect(problemsOf(matching({ path }))).toEqual([]);
  });

  test('of a rewrite and of a redirect', () => {
    const rewrite = { type: 'rewrite', prefix: '/a/*', replacement: '/b/$1' };
    expect(problemsOf(withPolicy(rewrite))).toEqual([
      '/routes/0/policies/0/prefix: * stands for itself here (a plain path is a prefix already: write /a)',
      '/routes/0/policies/0/replacement: $1 stands for itself here (the rest of the path follows it by itself)',
    ]);
    expect(problemsOf({ routes: [{ name: 'r', match: {}, redirect: { path: '/new/*' } }] })).toEqual([
      '/routes/0/redirect/path: * stands for itself here (it replaces the whole path; leave it out to keep the path)',
    ]);
  });
});

test('values and names of conditions', () => {
  const headers = { 'x-tenant': 'acme-*', 'x-any': '*', accept: '*/*', 'x-b*': 'v' };
  expect(problemsOf(matching({ headers, query: { 'utm_*': { present: true }, q: 'a*b' } }))).toEqual([
    '/routes/0/match/headers/x-tenant: * stands for itself here (write { regex: "^acme-" })',
    '/routes/0/match/headers/x-any: * stands for itself here (write { present: true })',
    '/routes/0/match/headers/x-b*: x-b* would never match: names are no patterns (name each one)',
    '/routes/0/match/query/utm_*: utm_* would never match: names are no patterns (name each one)',
    '/routes/0/match/query/q: * stands for itself here (write { regex: "^a.*b$" })',
  ]);
});

test('names in policies and in the keys of caches', () => {
  expect(problemsOf(withPolicy({ type: 'headers', response: { remove: ['x-internal-*'] } }))).toEqual([
    '/routes/0/policies/0/response/remove/0: x-internal-* would never match: names are no patterns (name each one)',
  ]);
  const policy = { type: 'cache', cache: 'c', bypass: [{ cookie: 'session*' }] };
  const found = problemsOf({ ...withPolicy(policy), caches: { c: { key: { headers: ['x-*'], cookies: ['a*'] } } } });
  expect(found).toEqual([
    '/caches/c/key/headers/0: x-* would never match: names are no patterns (name each one)',
    '/caches/c/key/cookies/0: a* would never match: names are no patterns (name each one)',
    '/routes/0/policies/0/bypass/0: session* would never match: names are no patterns (name each one)',
  ]);
});

test('a network with a star is refused with the network', () => {
  const acl = (allow: string): object => ({ acls: { a: { allow: [allow] } } });
  expect(problemsOf(acl('10.1.*'))).toEqual(['/acls/a/allow/0: is not an IP address or network (write 10.1.0.0/16)']);
  expect(problemsOf(acl('10.1.*.*'))[0]).toContain('(write 10.1.0.0/16)');
  expect(planOf(acl('10.1.0.0/16'))).toBeDefined();
});
