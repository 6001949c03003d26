import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DictionaryValue, parseDictionary } from '../../../src/cache/rules/structured-dictionary.ts';

const plain = ({ type, value }: DictionaryValue): unknown =>
  typeof value === 'object' ? value.map(plain) : type === 'boolean' || type === 'integer' ? value : `${type} ${value}`;

const of = (text: string): Record<string, unknown> | null => {
  const members = parseDictionary(text);
  return members === null ? null : Object.fromEntries([...members].map(([key, value]) => [key, plain(value)]));
};

describe('RFC 9651 §4.2.2', () => {
  test.each<[string, Record<string, unknown>]>([
    ['', {}],
    ['  ', {}],
    ['a', { a: true }],
    ['a=1, b=?0, c=?1', { a: 1, b: false, c: true }],
    ['a=1\t,\t b=2', { a: 1, b: 2 }],
    ['  a=1  ', { a: 1 }],
    ['a=1,b=2', { a: 1, b: 2 }],
    ['a=1, a=2', { a: 2 }],
    ['*a_-.*9=1', { '*a_-.*9': 1 }],
    ['a=-0, b=-15, c=999999999999999', { a: -0, b: -15, c: 999_999_999_999_999 }],
    ['a=1.0, b=-12.345, c=999999999999.999', { a: 'decimal 1', b: 'decimal -12.345', c: 'decimal 999999999999.999' }],
    ['a="x y", b="", c="\\"\\\\"', { a: 'string x y', b: 'string ', c: 'string "\\' }],
    ['a=foo123/456, b=*x:y, c=A!#$%&', { a: 'token foo123/456', b: 'token *x:y', c: 'token A!#$%&' }],
    ['a=:cHJldGVuZA==:, b=::', { a: 'bytes cHJldGVuZA==', b: 'bytes ' }],
    ['a=@1659578233, e=1', { a: 'date 1659578233', e: 1 }],
    ['a=@-1', { a: 'date -1' }],
    ['a=%"f%c3%bc", b=2', { a: 'display f%c3%bc', b: 2 }],
    ['a=(1 2), b=(), c=( "x"  y;q=1 )', { a: [1, 2], b: [], c: ['string x', 'token y'] }],
    ['a;x;y=2;z="q", b=1; c=?1', { a: true, b: 1 }],
    ['a=(1 2);x=1, b', { a: [1, 2], b: true }],
  ])('%j', (text, members) => {
    expect(of(text)).toEqual(members);
  });

  test.each([
    ',',
    'a,',
    'a, ',
    ',a',
    'a,,b',
    'a b',
    'a=',
    'a= 1',
    'a =1',
    'A=1',
    'a-B=1',
    '1=a',
    '"a"=1',
    'a=1 2',
    'a=--1',
    'a=-',
    'a=1.',
    'a=.5',
    'a=1.2345',
    'a=1234567890123.1',
    'a=1234567890123456',
    'a="x',
    'a="x\\y"',
    'a="x\u00e9"',
    'a="x\ty"',
    'a="x"y',
    'a=?',
    'a=?2',
    'a=?true',
    'a=:x',
    'a=:x y:',
    'a=@',
    'a=@1.5',
    'a=@x',
    'a=%"%"',
    'a=%"%C3%BC"',
    'a=%"%ff"',
    'a=%"',
    'a=%x',
    'a=(1',
    'a=(1,2)',
    'a=(1"x")',
    'a=((1))',
    'a;',
    'a;X=1',
    'a;x=',
    'a;x=(1)',
    '&&&&&',
    'max-age=10000, &&&&&',
    '\ta',
    'a\u0000',
    'a=\u00e9',
  ])('%j is none', (text) => {
    expect(of(text)).toBeNull();
  });

  test('a thousand members, and nothing without end', () => {
    const members = Array.from({ length: 1024 }, (_, i) => `k${i}=${i}`).join(',');
    expect(parseDictionary(members)?.size).toBe(1024);
    expect(parseDictionary('a,'.repeat(100_000))).toBeNull();
    expect(parseDictionary(`a=(${'1 '.repeat(5000)})`)).not.toBeNull();
  });
});

const key = fc.stringMatching(/^[a-z*][a-z0-9_.*-]{0,8}$/);
const bare = fc.oneof(
  fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 }).map(String),
  fc.stringMatching(/^[ -~]{0,8}$/).map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`),
  fc.stringMatching(/^[A-Za-z*][A-Za-z0-9:/!#$%&'*+.^_`|~-]{0,8}$/),
  fc.constantFrom('?0', '?1', ':YQ==:', '@12', '-1.5', '%"a%20"'),
);
const parameters = fc
  .array(fc.tuple(key, bare), { maxLength: 2 })
  .map((all) => all.map(([k, v]) => `; ${k}=${v}`).join(''));
const item = fc.tuple(bare, parameters).map(([value, extra]) => value + extra);
const innerList = fc
  .tuple(fc.array(item, { maxLength: 3 }), parameters)
  .map(([items, extra]) => `(${items.join(' ')})${extra}`);

test('what is built by the grammar is read, with the last of each key', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.oneof(item, innerList)), { maxLength: 6 }), (members) => {
      const found = parseDictionary(members.map(([name, value]) => `${name}=${value}`).join(' ,\t'));
      expect([...found!.keys()].toSorted()).toEqual([...new Set(members.map(([name]) => name))].toSorted());
    }),
  );
});

test('whatever comes is read or refused', () => {
  const piece = fc.oneof(
    bare,
    fc.constantFrom('a', 'a=', ',', '(', ')', ';', ' ', '\t', '"', '\\', '%"'),
    fc.string({ maxLength: 3 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const found = parseDictionary(pieces.join(''));
      expect(found === null || found instanceof Map).toBe(true);
    }),
  );
});
