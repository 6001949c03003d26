import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AclRules, AddressAcl, AddressSet, decidingRule, keepsStrangersOut } from '../../src/kit/address-set.ts';

describe('a set of addresses', () => {
  test.each([
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
    ['10.0.0.1/32', '10.0.0.1', true],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:0DB8:0:0::1', true],
    ['2001:db8::/32', '2001:db9::', false],
    ['::1', '::1', true],
    ['::1', '127.0.0.1', false],
    ['fe80::/10', 'fe80::1%eth0', true],
  ])('%s with %s: %s', (network, address, held) => {
    expect(new AddressSet([network]).has(address)).toBe(held);
  });

  test.each([
    ['10.0.0.0/8', '::ffff:10.0.0.1'],
    ['10.0.0.0/8', '::FFFF:a00:1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.0/104', '10.0.0.1'],
  ])('an IPv4 address is the same address when mapped to IPv6: %s holds %s', (network, address) => {
    expect(new AddressSet([network]).has(address)).toBe(true);
  });

  test('what is no address is in no set, and nothing is in an empty one', () => {
    const all = new AddressSet(['0.0.0.0/0', '::/0']);
    for (const text of ['unix:', '', 'example.com', '1.2.3', '10.0.0.1/8'])
      expect([text, all.has(text)]).toEqual([text, false]);
    expect([new AddressSet([]).empty, new AddressSet([]).has('10.0.0.1'), all.empty]).toEqual([true, false, false]);
  });

  test('the last answer is kept for its address only', () => {
    const set = new AddressSet(['10.0.0.0/8']);
    const asked = ['10.0.0.1', '10.0.0.1', '11.0.0.1', '11.0.0.1', '10.0.0.1', 'unix:', '10.0.0.1'];
    expect(asked.map((address) => set.has(address))).toEqual([true, true, false, false, true, false, true]);
  });

  test('it agrees with arithmetic on every IPv4 network', () => {
    const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
    const number = (parts: readonly number[]): number => parts.reduce((all, part) => all * 256 + part, 0);
    fc.assert(
      fc.property(octets, octets, fc.integer({ min: 1, max: 32 }), fc.boolean(), (net, other, bits, near) => {
        // Half of the addresses differ from the network in one bit only, or hardly any would be in it.
        const address = near ? [...net.slice(0, 3), net[3] ^ (1 << (other[0] % 8))] : other;
        const size = 2 ** (32 - bits);
        const held = Math.floor(number(net) / size) === Math.floor(number(address) / size);
        expect(new AddressSet([`${net.join('.')}/${bits}`]).has(address.join('.'))).toBe(held);
      }),
    );
  });
});

test('an ACL asks the deny list, then an allow list that is not empty, then the default', () => {
  const asked = ['10.0.0.1', '10.0.0.66', '192.0.2.1'];
  const answers = (rules: Partial<ConstructorParameters<typeof AddressAcl>[0]>): boolean[] => {
    const acl = new AddressAcl({ default: 'allow', allow: [], deny: [], ...rules });
    return asked.map((address) => acl.allows(address));
  };
  expect(answers({})).toEqual([true, true, true]);
  expect(answers({ default: 'deny' })).toEqual([false, false, false]);
  expect(answers({ deny: ['10.0.0.66'] })).toEqual([true, false, true]);
  expect(answers({ default: 'deny', deny: ['10.0.0.66'] })).toEqual([false, false, false]);
  expect(answers({ allow: ['10.0.0.0/8'] })).toEqual([true, true, false]);
  expect(answers({ allow: ['10.0.0.0/8'], deny: ['10.0.0.66'] })).toEqual([true, false, false]);
  expect(answers({ default: 'deny', allow: ['192.0.2.0/24'] })).toEqual([false, false, true]);
});

describe('what an ACL is for', () => {
  const of = (rules: Partial<AclRules>): AclRules => ({ default: 'allow', allow: [], deny: [], ...rules });

  test('the rule that is told is the one that decides', () => {
    const networks = fc.subarray(['10.0.0.0/8', '10.0.0.66', '192.0.2.0/24', '::1', '0.0.0.0/0']);
    const rules = fc.record({
      default: fc.constantFrom('allow' as const, 'deny' as const),
      allow: networks,
      deny: networks,
    });
    fc.assert(
      fc.property(
        rules,
        fc.constantFrom('10.0.0.1', '10.0.0.66', '192.0.2.1', '::1', '::2', 'unix:'),
        (acl, address) => {
          const told = decidingRule(acl, address);
          expect(/^allowed by default|is allowed by/.test(told)).toBe(new AddressAcl(acl).allows(address));
        },
      ),
    );
    expect(decidingRule(of({ allow: ['10.0.0.0/8'], deny: ['10.0.0.66'] }), '10.0.0.66')).toContain(
      'denied by 10.0.0.66',
    );
  });

  test.each<[boolean, Partial<AclRules>]>([
    [false, {}],
    [true, { default: 'deny' }],
    [true, { allow: ['10.0.0.0/8', '192.168.0.0/16'] }],
    [true, { allow: ['203.0.113.0/24'] }],
    [false, { deny: ['203.0.113.0/24'] }],
    [false, { allow: ['0.0.0.0/0'] }],
    [false, { allow: ['0.0.0.0/1', '128.0.0.0/1'] }],
    [false, { allow: ['::/0'] }],
    [true, { deny: ['0.0.0.0/0', '::/0'] }],
  ])('strangers are kept out: %s, by %j', (out, rules) => {
    expect(keepsStrangersOut(new AddressAcl(of(rules)))).toBe(out);
  });
});
