/** What a change of the config resets, and what it does not. */
import { describe, expect, test } from 'vitest';
import { claimOf, claimOfShape } from '../../src/plan/claims.ts';
import { planOf } from './plan-of.ts';

describe('the identity of an endpoint', () => {
  const identity = (pool: object, name = 'app'): string => {
    const { pools } = planOf({ pools: { [name]: { endpoints: ['10.0.0.1:80'], ...pool } } });
    return pools[0]!.endpoints[0]!.claim.identity;
  };
  const before = identity({});

  test.each([
    ['its weight', { endpoints: [{ address: '10.0.0.1:80', weight: 7 }] }],
    ['the strategy', { strategy: 'random' }],
    ['timeouts', { timeouts: { connect: '1s', first_byte: '2s', idle: '3s', tunnel: '4s' } }],
    ['keepalive', { keepalive: { connections: 1, idle: '1s' } }],
    ['max_connections', { max_connections: 3 }],
    ['what its responses may be', { limits: { header_size: '1KiB' }, lenient: ['bare_lf'] }],
    ['others beside it', { endpoints: ['10.0.0.1:80', '10.0.0.2:80'] }],
  ])('stays with another value of %s', (_, pool) => {
    expect(identity(pool)).toBe(before);
  });

  test('is another with another address or pool', () => {
    expect(identity({ endpoints: ['10.0.0.2:80'] })).not.toBe(before);
    expect(identity({}, 'other')).not.toBe(before);
  });

  test('does not depend on its place in the list', () => {
    const { pools } = planOf({ pools: { app: { endpoints: ['10.0.0.9:80', '10.0.0.1:80'] } } });
    expect(pools[0]!.endpoints[1]!.claim.identity).toBe(before);
  });
});

describe('the identity of a listener', () => {
  const claims = (listener: object, name = 'web'): string[] => {
    const [plan] = planOf({
      acls: { a: {} },
      pools: { p: { endpoints: ['10.0.0.1:80'] } },
      listeners: { [name]: { address: '127.0.0.1:8080', ...listener } },
    }).listeners;
    return [plan!.socket.identity, plan!.count.identity];
  };
  const [socket, count] = claims({});

  test.each([
    ['limits', { limits: { connections: 3 } }],
    ['timeouts', { timeouts: { idle: '1s' } }],
    ['trusted proxies', { trusted_proxies: ['10.0.0.0/8'] }],
    ['ACL', { acl: 'a' }],
    ['protocol', { protocol: 'tcp', pool: 'p' }],
  ])('stays with another value of %s', (_, listener) => {
    expect(claims(listener)).toEqual([socket, count]);
  });

  test('its socket is another with another address, its connections are still counted together', () => {
    expect(claims({ address: '127.0.0.1:8081' })).toEqual([expect.not.stringMatching(`^${socket}$`), count]);
    expect(claims({ address: 'unix:/tmp/a' })[0]).not.toBe(claims({ address: 'unix:/tmp/b' })[0]);
  });

  test('both are others with another name', () => {
    const renamed = claims({}, 'other');
    expect([renamed[0] === socket, renamed[1] === count]).toEqual([true, false]);
  });
});

describe('a claim', () => {
  test('takes every setting for shape that is not marked as tuning', () => {
    const of = (node: object): string => claimOf('endpoint', 'x', 'endpoint', node).identity;
    expect(of({ address: 'a:1', weight: 1 })).toBe(of({ address: 'a:1', weight: 2 }));
    expect(of({ address: 'a:1', unheard_of: 1 })).not.toBe(of({ address: 'a:1' }));
  });

  test('looks into nested settings: what is marked there is tuning too', () => {
    const of = (timeouts: object, endpoints = ['a:1']): string =>
      claimOf('pool', 'x', 'pool', { endpoints, timeouts }).identity;
    expect(of({ connect: 1 })).toBe(of({ connect: 2 }));
    expect(of({ connect: 1 })).not.toBe(of({ connect: 1 }, ['a:2']));
  });

  test('of another kind or name is another, and a long shape does not make a long identity', () => {
    const shape = { text: 'x'.repeat(500) };
    const one = claimOfShape('kind', 'name', shape).identity;
    expect(one.length).toBeLessThan(80);
    expect(claimOfShape('kind', 'name', { text: 'x'.repeat(501) }).identity).not.toBe(one);
    expect(claimOfShape('other', 'name', shape).identity).not.toBe(one);
    expect(claimOfShape('kind', 'other', shape).identity).not.toBe(one);
  });

  test('cannot be made of something that the schema does not know', () => {
    expect(() => claimOf('x', 'x', 'nonsense', {})).toThrow('nonsense');
  });
});
