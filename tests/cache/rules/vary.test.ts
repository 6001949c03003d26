import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { variantKey, varyOf } from '../../../src/cache/rules/vary.ts';
import { Fields } from '../../../src/http/fields.ts';

const vary = (...lines: string[]): readonly string[] | null =>
  varyOf(Fields.of(lines.map((line) => ['Vary', line] as const)));

describe('names (RFC 9110 §12.5.5)', () => {
  test.each<[readonly string[], string[]]>([
    [[], []],
    [[], ['']],
    [['foo'], ['Foo']],
    [['bar', 'baz', 'foo'], ['Foo, Bar,Baz']],
    [
      ['bar', 'foo'],
      ['Foo', 'bar , FOO'],
    ],
    [['foo'], [', Foo ,,']],
  ])('%j of %j', (names, lines) => {
    expect(vary(...lines)).toEqual(names);
  });

  test.each([
    [['*']],
    [['*, *']],
    [['*', '*']],
    [[', *']],
    [['', '*']],
    [['*, Foo']],
    [['Foo, *']],
    [['Foo', 'Bar', '*']],
    // What can't be understood can't be matched either.
    [['Foo Bar']],
    [['"Foo"']],
    [['Foo;q=1']],
  ])('%j is never matched', (lines) => {
    expect(vary(...lines)).toBeNull();
  });

  test('more names than anybody selects by are never matched', () => {
    const names = Array.from({ length: 33 }, (_, i) => `x${i}`);
    expect(vary(names.slice(1).join())).toHaveLength(32);
    expect(vary(names.join())).toBeNull();
    expect(vary(...names.map(() => 'x'))).toEqual(['x']);
  });
});

type Lines = readonly (readonly [string, string])[];
const key = (names: readonly string[], lines: Lines): string => variantKey(names, Fields.of(lines));

describe('matching (RFC 9111 §4.1)', () => {
  test.each<[readonly string[], Lines, Lines]>([
    [
      ['foo'],
      [['Foo', '1']],
      [
        ['foo', '1'],
        ['Other', '3'],
      ],
    ],
    [
      ['bar', 'foo'],
      [
        ['Foo', '1'],
        ['Bar', '2'],
      ],
      [
        ['Bar', '2'],
        ['Foo', '1'],
      ],
    ],
    [['bar', 'foo'], [['Foo', '1']], [['Foo', '1']]],
    // Combining lines, and white space around commas.
    [
      ['foo'],
      [['Foo', '1, 2']],
      [
        ['Foo', '1'],
        ['Foo', '2'],
      ],
    ],
    [['foo'], [['Foo', '1,2']], [['Foo', '1, 2']]],
    [['foo'], [['Foo', '1,2']], [['Foo', '1 \t,\t 2']]],
    [['foo'], [['Foo', '"a, b",c']], [['Foo', '"a, b" , c']]],
    // No case, no order, no weight of one.
    [['accept-language'], [['Accept-Language', 'en, de']], [['Accept-Language', 'de, en']]],
    [['accept-language'], [['Accept-Language', 'en, de']], [['Accept-Language', 'eN, De']]],
    [['accept-language'], [['Accept-Language', 'en, de']], [['Accept-Language', 'en ,   de']]],
    [['accept-language'], [['Accept-Language', 'en-GB;q=0.50,de']], [['Accept-Language', 'de;q=1.000, en-gb ; q=0.5']]],
    [
      ['accept-encoding'],
      [['Accept-Encoding', 'gzip, br']],
      [
        ['Accept-Encoding', 'br'],
        ['Accept-Encoding', 'GZIP'],
      ],
    ],
    [['accept-encoding'], [['Accept-Encoding', 'gzip,, br']], [['Accept-Encoding', 'gzip, br,']]],
  ])('by %j %j is as %j', (names, one, other) => {
    expect(key(names, one)).toBe(key(names, other));
  });

  test.each<[readonly string[], Lines, Lines]>([
    [['foo'], [['Foo', '1']], [['Foo', '2']]],
    [['foo'], [['Foo', 'a']], [['Foo', 'A']]],
    [['foo'], [['Foo', '1']], []],
    [['foo'], [['Foo', '']], []],
    [['foo'], [['Foo', '1, 2']], [['Foo', '2, 1']]],
    [['foo'], [['Foo', '11, 2']], [['Foo', '21, 2']]],
    [['foo'], [['Foo', '1, 2']], [['Foo', ', 2']]],
    [['foo'], [['Foo', '1 2']], [['Foo', '12']]],
    [['foo'], [['Foo', '"a, b"']], [['Foo', '"a,b"']]],
    [['foo'], [['Foo', '"a\\", b"']], [['Foo', '"a\\",b"']]],
    [['foo'], [['Foo', '"a, b']], [['Foo', '"a,b']]],
    [
      ['a', 'b'],
      [
        ['A', '1'],
        ['B', ''],
      ],
      [
        ['A', ''],
        ['B', '1'],
      ],
    ],
    [
      ['a', 'b'],
      [['A', '1\tb=2']],
      [
        ['A', '1'],
        ['B', '2'],
      ],
    ],
    [['accept-encoding'], [['Accept-Encoding', 'gzip']], []],
    [['accept-encoding'], [['Accept-Encoding', '']], []],
    [['accept-encoding'], [['Accept-Encoding', 'gzip;q=0']], [['Accept-Encoding', 'gzip']]],
    [['accept-encoding'], [['Accept-Encoding', 'gzip;q=0.1']], [['Accept-Encoding', 'gzip;q=0.01']]],
    [['accept-language'], [['Accept-Language', 'de;q=1.5']], [['Accept-Language', 'de']]],
    [['accept-language'], [['Accept-Language', 'd e']], [['Accept-Language', 'de']]],
    // Credentials to the byte.
    [['cookie'], [['Cookie', 'a=1, 2']], [['Cookie', 'a=1,2']]],
    [['authorization'], [['Authorization', 'Digest a=1, b=2']], [['Authorization', 'Digest a=1,b=2']]],
    [['authorization'], [['Authorization', 'basic x']], [['Authorization', 'Basic x']]],
    [['user-agent'], [['User-Agent', 'x (a, b)']], [['User-Agent', 'x (a,b)']]],
  ])('by %j %j is not as %j', (names, one, other) => {
    expect(key(names, one)).not.toBe(key(names, other));
  });

  test('a long key is a digest, and never one that could be written', () => {
    const long = key(['foo'], [['Foo', 'x'.repeat(10_000)]]);
    expect(long.length).toBeLessThan(64);
    expect(long).toMatch(/^=/);
    expect(long).not.toBe(key(['foo'], [['Foo', `${'x'.repeat(9_999)}y`]]));
  });
});

const name = fc.constantFrom('a', 'b', 'c', 'cookie', 'x-y');
// No commas and no white space at the ends: then no two values say the same.
const value = fc.stringMatching(/^[!-+.-~](?:[ -+.-~]{0,6}[!-+.-~])?$/);
const request = fc.uniqueArray(fc.tuple(name, value), { selector: ([one]) => one, maxLength: 5 });

test('different selections never have one key', () => {
  fc.assert(
    fc.property(fc.uniqueArray(name), fc.uniqueArray(name), request, request, (names, others, one, other) => {
      const selected = (wanted: readonly string[], lines: Lines): string =>
        JSON.stringify(wanted.map((field) => [field, lines.find(([found]) => found === field)?.[1] ?? null]));
      expect(key(names, one) === key(others, other)).toBe(selected(names, one) === selected(others, other));
    }),
  );
});

test('splitting a list over lines changes no key', () => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[a-z0-9;=]{1,5}$/), { minLength: 1, maxLength: 5 }),
      fc.constantFrom('foo', 'accept-language'),
      (members, field) => {
        expect(key([field], [[field, members.join(', ')]])).toBe(
          key(
            [field],
            members.map((member) => [field, member] as const),
          ),
        );
      },
    ),
  );
});
