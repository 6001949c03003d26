/** Sets of addresses, against the one that connections are judged by. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AddressAcl, AddressSet } from '../../src/kit/address-set.ts';
import { Networks } from '../../src/kit/networks.ts';

const four = fc
  .tuple(fc.constantFrom(0, 1, 10, 127, 255), fc.nat(3), fc.constantFrom(0, 128, 255), fc.nat(255))
  .map((parts) => parts.join('.'));
const six = fc
  .tuple(
    fc.constantFrom('2001:db8', 'fe80:0', '0:0', 'ffff:ffff'),
    fc.nat(3),
    fc.constantFrom('::', ':1:0:0:0:'),
    fc.nat(3),
  )
  .map(([head, a, middle, b]) => `${head}:${a}${middle}${b}`);
const address = fc.oneof(four, six);
const network = fc.oneof(
  address,
  fc.tuple(four, fc.nat(32)).map((parts) => parts.join('/')),
  fc.tuple(six, fc.nat(128)).map((parts) => parts.join('/')),
);
const networks = fc.array(network, { maxLength: 4 });

test('what one ACL allows and another does not is told address by address', () => {
  const rules = fc.record({
    default: fc.constantFrom('allow' as const, 'deny' as const),
    allow: networks,
    deny: networks,
  });
  fc.assert(
    fc.property(rules, rules, fc.array(address, { minLength: 5, maxLength: 20 }), (a, b, addresses) => {
      const more = Networks.allowedBy(b).without(Networks.allowedBy(a));
      const both = Networks.allowedBy(b).and(Networks.allowedBy(a));
      const [moreTold, bothTold] = [more, both].map((one) => new AddressSet(one.cidrs(100_000).networks));
      for (const asked of addresses) {
        const [old, now] = [new AddressAcl(a).allows(asked), new AddressAcl(b).allows(asked)];
        expect([asked, moreTold!.has(asked), bothTold!.has(asked)]).toEqual([asked, now && !old, now && old]);
      }
      expect(more.without(more).empty).toBe(true);
      expect(more.and(both).empty).toBe(true);
    }),
    { numRuns: 300 },
  );
});

describe('for people', () => {
  test.each<[string[], string[], string]>([
    [[], [], 'every address'],
    [['10.0.0.0/8'], [], '10.0.0.0/8'],
    [['10.0.0.0/9', '10.128.0.0/9', '10.0.0.7'], [], '10.0.0.0/8'],
    [['10.0.0.0/31', '10.0.0.2'], [], '10.0.0.0/31, 10.0.0.2'],
    [[], ['192.0.2.0/24', '::1'], 'every address but ::1, 192.0.2.0/24'],
    [['0.0.0.0/0'], [], '0.0.0.0/0'],
    [['0.0.0.0/0'], ['10.0.0.1'], 'all of IPv4 but 10.0.0.1'],
    [['2001:db8:0:0:1::/80', '::ffff:10.0.0.1'], [], '10.0.0.1, 2001:db8:0:0:1::/80'],
    [['1.1.1.1', '1.1.1.3', '1.1.1.5', '1.1.1.7', '1.1.1.9'], [], '1.1.1.1, 1.1.1.3, 1.1.1.5, 1.1.1.7 and more'],
    [['10.0.0.1'], ['10.0.0.0/8'], 'no address'],
  ])('allow %j, deny %j: %s', (allow, deny, text) => {
    expect(Networks.allowedBy({ default: 'allow', allow, deny }).toString()).toBe(text);
  });
});
