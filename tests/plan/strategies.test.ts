/** How an endpoint is to be chosen, and what is wrong with the way that was written. */
import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { PoolPlan } from '../../src/plan/types/pool.ts';
import { planOf, problemsOf } from './plan-of.ts';

const ENDPOINTS = ['10.0.0.1:80', '10.0.0.2:80'];
const pool = (more: object): PoolPlan => planOf({ pools: { p: { endpoints: ENDPOINTS, ...more } } }).pools[0]!;
const problems = (more: object): string[] => problemsOf({ pools: { p: { endpoints: ENDPOINTS, ...more } } });

const ALL = 'round_robin, weighted_round_robin, least_connections, random, ip_hash, p2c, ring_hash, maglev';

describe('the strategy', () => {
  test.each(ALL.split(', '))('%s may be written as its name alone', (type) => {
    expect(pool({ strategy: type }).strategy).toEqual(pool({ strategy: { type } }).strategy);
    expect(pool({ strategy: type }).strategy.type).toBe(type);
  });

  test('is round_robin if nothing is said', () => {
    expect(pool({}).strategy).toEqual({ type: 'round_robin' });
  });

  test.each([
    [undefined, { source: 'client', name: '' }],
    ['path', { source: 'path', name: '' }],
    [{ header: 'X-User' }, { source: 'header', name: 'x-user' }],
    [{ cookie: 'SID' }, { source: 'cookie', name: 'SID' }],
  ])('has the key %j as %j', (key, plan) => {
    const strategy = { type: 'ring_hash', ...(key === undefined ? {} : { key }) };
    expect(pool({ strategy }).strategy).toEqual({ type: 'ring_hash', key: plan, replicas: 512 });
  });

  test.each([
    ['least_conections', [`/pools/p/strategy/type: must be one of ${ALL} (did you mean least_connections?)`]],
    [{ type: 'p3c' }, [`/pools/p/strategy/type: must be one of ${ALL} (did you mean p2c?)`]],
    [7, [`/pools/p/strategy/type: must be one of ${ALL}`]],
    [null, [`/pools/p/strategy/type: must be one of ${ALL}`]],
    [{}, ['/pools/p/strategy: needs the setting type']],
    [['random'], ['/pools/p/strategy: must be a map (a map has a name before each: `name: …`)']],
    [{ type: 'random', replicas: 3 }, ['/pools/p/strategy/replicas: unknown setting replicas']],
    [
      { type: 'ring_hash', key: 'clent' },
      ['/pools/p/strategy/key/source: must be one of client, path (did you mean client?)'],
    ],
    [
      { type: 'ring_hash', key: { header: 'a', cookie: 'b' } },
      ['/pools/p/strategy/key: needs exactly one of source, header, cookie'],
    ],
    [{ type: 'ring_hash', key: {} }, ['/pools/p/strategy/key: needs exactly one of source, header, cookie']],
    [{ type: 'ring_hash', key: { cookie: 'a b' } }, ['/pools/p/strategy/key/cookie: must be a cookie name']],
    [{ type: 'maglev', table_size: 1000 }, ['/pools/p/strategy/table_size: must be a prime number (write 1009)']],
  ])('%j has problems', (strategy, expected) => {
    expect(problems({ strategy })).toEqual(expected);
  });

  test('maglev needs a place for every endpoint', () => {
    const endpoints = Array.from({ length: 12 }, (_, i) => `10.0.0.${i}:80`);
    expect(problems({ endpoints, strategy: { type: 'maglev', table_size: 11 } })).toEqual([
      "/pools/p/strategy/table_size: is less than the pool's 12 endpoints: some would get nothing",
    ]);
    expect(pool({ endpoints, strategy: { type: 'maglev', table_size: 13 } }).strategy).toMatchObject({ tableSize: 13 });
  });
});

describe('sticky', () => {
  const SECRET = 'correct horse battery';

  test('is off if nothing is said', () => {
    expect(pool({}).sticky).toBeNull();
  });

  test('has an id for each endpoint that depends on nothing but its address and the secret', () => {
    const { ids } = pool({ sticky: { secret: SECRET } }).sticky!;
    const expected = ENDPOINTS.map((address) =>
      createHmac('sha256', SECRET).update(address).digest().subarray(0, 16).toString('base64url'),
    );
    expect(ids).toEqual(expected);
    expect(pool({ endpoints: ENDPOINTS.toReversed(), sticky: { secret: SECRET } }).sticky!.ids).toEqual(
      expected.toReversed(),
    );
    expect(pool({ sticky: { secret: `${SECRET}!` } }).sticky!.ids[0]).not.toBe(ids[0]);
    expect(pool({ sticky: {} }).sticky!.ids[0]).toMatch(/^[\w-]{22}$/);
    expect(pool({ sticky: {} }).sticky!.ids[0]).not.toBe(ids[0]);
  });

  test('leaves no secret in the plan', () => {
    expect(JSON.stringify(pool({ sticky: { secret: SECRET } }))).not.toContain(SECRET);
  });

  test.each([
    [{}, 'prozy_endpoint', '; Path=/; HttpOnly; SameSite=Lax'],
    [{ cookie: 'at', path: '/app', ttl: '2h', http_only: false }, 'at', '; Path=/app; Max-Age=7200; SameSite=Lax'],
    [
      { cookie: '__Host-at', secure: true, same_site: 'none' },
      '__Host-at',
      '; Path=/; Secure; HttpOnly; SameSite=None',
    ],
    [{ same_site: 'strict' }, 'prozy_endpoint', '; Path=/; HttpOnly; SameSite=Strict'],
  ])('%j is a cookie %s%s', (sticky, cookie, attributes) => {
    expect(pool({ sticky }).sticky).toMatchObject({ cookie, attributes });
  });

  test.each([
    [{ ttl: '500ms' }, ['/pools/p/sticky/ttl: must be at least 1s']],
    [{ same_site: 'none' }, ['/pools/p/sticky/same_site: none needs secure: browsers refuse the cookie without it']],
    [
      { cookie: '__Secure-at' },
      ['/pools/p/sticky/cookie: a name that begins so needs secure: browsers refuse the cookie without it'],
    ],
    [
      { cookie: '__Host-at', secure: true, path: '/app' },
      ['/pools/p/sticky/path: must be / for a cookie whose name begins so'],
    ],
    [{ cookie: 'a;b' }, ['/pools/p/sticky/cookie: must be a cookie name']],
    [{ path: '/a; Domain=x' }, ['/pools/p/sticky/path: must be a path that begins with "/"']],
    [{ secret: 'short' }, ['/pools/p/sticky/secret: must have at least 16 characters']],
  ])('%j has problems', (sticky, expected) => {
    expect(problems({ sticky })).toEqual(expected);
  });
});
