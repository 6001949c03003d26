/** What a schema cannot say is said by the plan. */
import { describe, expect, test } from 'vitest';
import { planOf, problemsOf } from './plan-of.ts';

const LISTENER = { web: { address: '127.0.0.1:0' } };

function matchOf(match: object): unknown {
  return planOf({ routes: [{ name: 'r', match, respond: {} }] }).routes[0]!.match;
}

const ANY = { hosts: null, path: null, methods: null, headers: [], query: [] };

describe('a match', () => {
  test.each([
    [{}, {}],
    [{ host: 'API.Example.com.' }, { hosts: ['api.example.com'] }],
    [{ host: ['a', '*.B'] }, { hosts: ['a', '*.b'] }],
    [{ path: '/v1' }, { path: { kind: 'prefix', value: '/v1' } }],
    [{ path: '/v1///' }, { path: { kind: 'prefix', value: '/v1' } }],
    [{ path: '/' }, { path: { kind: 'prefix', value: '/' } }],
    [{ path: '//' }, { path: { kind: 'prefix', value: '/' } }],
    [{ path: { exact: '/v1/' } }, { path: { kind: 'exact', value: '/v1/' } }],
    [{ path: { regex: '^/x' } }, { path: { kind: 'regex', value: '^/x' } }],
    [{ methods: ['GET'] }, { methods: ['GET'] }],
    [
      { headers: { 'X-A': '1', 'x-b': { present: false } } },
      {
        headers: [
          { name: 'x-a', kind: 'exact', value: '1' },
          { name: 'x-b', kind: 'present', value: 'false' },
        ],
      },
    ],
    [{ query: { Q: { regex: '^1' } } }, { query: [{ name: 'Q', kind: 'regex', value: '^1' }] }],
  ])('%j', (config, plan) => {
    expect(matchOf(config)).toEqual({ ...ANY, ...plan });
  });
});

describe('a name', () => {
  test.each([
    [
      'of a pool',
      { pools: { app: { endpoints: ['a:1'] } }, routes: [{ name: 'r', match: {}, pool: 'ap' }] },
      '/routes/0/pool: there is no pool ap (did you mean app?)',
    ],
    ['of an ACL', { listeners: { web: { ...LISTENER.web, acl: 'x' } } }, '/listeners/web/acl: there is no acl x'],
    [
      'of a policy’s ACL',
      {
        acls: { office: {} },
        routes: [{ name: 'r', match: {}, policies: [{ type: 'acl', acl: 'ofice' }], respond: {} }],
      },
      '/routes/0/policies/0/acl: there is no acl ofice (did you mean office?)',
    ],
    [
      'of a listener',
      { listeners: LISTENER, routes: [{ name: 'r', listeners: ['wab'], match: {}, respond: {} }] },
      '/routes/0/listeners/0: there is no listener wab (did you mean web?)',
    ],
    [
      'that is not the only one',
      {
        routes: [
          { name: 'r', match: { path: '/a' }, respond: {} },
          { name: 'r', match: { path: '/b' }, respond: {} },
        ],
      },
      '/routes/1/name: there is a route r already',
    ],
  ])('%s', (_, config, problem) => {
    expect(problemsOf(config)).toEqual([problem]);
  });
});

describe('what makes no sense', () => {
  const tcp = { address: '127.0.0.1:0', protocol: 'tcp' };
  const pools = { app: { endpoints: ['a:1'] } };
  const routed = (more: object): object => ({ routes: [{ name: 'r', match: {}, ...more }] });
  test.each([
    [{ listeners: { db: tcp } }, '/listeners/db: a tcp listener needs a pool'],
    [
      { pools, listeners: { web: { ...LISTENER.web, pool: 'app' } } },
      '/listeners/web/pool: only a tcp listener has a pool (give the pool to a route)',
    ],
    [
      {
        pools,
        listeners: { db: { ...tcp, pool: 'app' } },
        routes: [{ name: 'r', listeners: ['db'], match: {}, respond: {} }],
      },
      '/routes/0/listeners/0: db is a tcp listener: it has no routes',
    ],
    [
      { pools: { app: { endpoints: ['a:1', { address: 'a:1' }] } } },
      '/pools/app/endpoints/1: a:1 is in this pool already',
    ],
    [
      { pools: { app: { endpoints: [{ address: 'a:1', weight: 0 }] } } },
      '/pools/app/endpoints: every endpoint has weight 0: no request could be sent',
    ],
    [
      routed({ redirect: {} }),
      '/routes/0/redirect: changes nothing: it would send clients round and round (give a scheme, host, port or path)',
    ],
    [routed({ respond: { status: 204, body: 'x' } }), '/routes/0/respond/body: a 204 has no body'],
    [
      routed({ respond: { headers: { 'Content-Length': '1' } } }),
      "/routes/0/respond/headers/Content-Length: Content-Length is the gateway's own to write",
    ],
    [
      { pools, ...routed({ policies: [{ type: 'headers', request: { set: { Host: 'x' } } }], pool: 'app' }) },
      "/routes/0/policies/0/request/set/Host: Host is the gateway's own to write",
    ],
    [
      { pools, ...routed({ policies: [{ type: 'headers', response: { remove: ['Connection'] } }], pool: 'app' }) },
      "/routes/0/policies/0/response/remove/0: Connection is the gateway's own to write",
    ],
  ])('%j', (config, problem) => {
    expect(problemsOf(config)).toEqual([problem]);
  });

  test.each([
    ['127.0.0.1:80', '127.0.0.1:80', true],
    ['0.0.0.0:80', '127.0.0.1:80', true],
    ['[::]:80', '10.0.0.1:80', true],
    ['127.0.0.1:80', '127.0.0.1:81', false],
    ['127.0.0.1:80', '127.0.0.2:80', false],
    ['127.0.0.1:0', '127.0.0.1:0', false],
    ['unix:/tmp/a', 'unix:/tmp/a', true],
    ['unix:/tmp/a', 'unix:/tmp/b', false],
  ])('two listeners on %s and %s: %s', (one, other, taken) => {
    const problems = problemsOf({ listeners: { a: { address: one }, b: { address: other } } });
    expect(problems).toEqual(taken ? [`/listeners/b/address: ${other} is taken`] : []);
    const admin = problemsOf({ listeners: { a: { address: one } }, admin: { address: other } });
    expect(admin).toEqual(taken ? [`/admin/address: ${other} is taken`] : []);
  });
});

test('all problems are told at once, in the order of the file', () => {
  expect(
    problemsOf({
      listeners: { web: { ...LISTENER.web, acl: 'x' } },
      routes: [{ name: 'r', match: {}, pool: 'x' }],
    }),
  ).toEqual(['/listeners/web/acl: there is no acl x', '/routes/0/pool: there is no pool x']);
});

test('a plan is frozen to its depths and holds what it names', () => {
  const plan = planOf({
    acls: { a: { deny: ['10.0.0.1'] } },
    pools: { app: { endpoints: ['a:1'] } },
    listeners: { web: { ...LISTENER.web, acl: 'a' }, db: { address: '127.0.0.1:0', protocol: 'tcp', pool: 'app' } },
    routes: [
      { name: 'inner', listeners: ['web'], match: { path: '/x' }, respond: {} },
      { name: 'all', match: {}, pool: 'app' },
    ],
  });
  const seen = new Set<object>();
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    expect(Object.isFrozen(value)).toBe(true);
    Object.values(value).forEach(look);
  };
  look(plan);
  expect(seen.size).toBeGreaterThan(20);
  const [web, db] = plan.listeners;
  expect([web!.acl!.deny, web!.routes.map(({ name }) => name), db!.pool === plan.pools[0], db!.routes]).toEqual([
    ['10.0.0.1'],
    ['inner', 'all'],
    true,
    [],
  ]);
});
