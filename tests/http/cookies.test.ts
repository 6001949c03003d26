import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cookieOf, cookiesOf } from '../../src/http/cookies.ts';
import { Fields } from '../../src/http/fields.ts';

const of = (name: string, ...cookies: string[]): string | null =>
  cookieOf(Fields.of(cookies.map((text) => ['Cookie', text] as const)), name);

test.each([
  ['a=1', '1'],
  ['b=2; a=1', '1'],
  ['a=1; b=2', '1'],
  ['a=1;b=2', '1'],
  ['b=2;a=1', '1'],
  ['  a=1 ; b=2', '1'],
  ['a=', ''],
  ['a="q"', '"q"'],
  ['a=x=y', 'x=y'],
  ['a=1; a=2', '1'],
  ['a=a=1', 'a=1'],
  ['xa=1; a=2', '2'],
  ['b=a=1; a=2', '2'],
  ['ab=1; a=2', '2'],
  ['a=1,2', '1,2'],
  ['a', null],
  ['aa=1', null],
  ['A=1', null],
  ['b=a=1', null],
  ['b="x a=1"', null],
  ['', null],
])('of "%s" a is %j', (text, value) => {
  expect(of('a', text)).toBe(value);
});

test('two Cookie fields are one list', () => {
  expect(of('b', 'a=1', 'b=2')).toBe('2');
  expect(of('a', 'a=1', 'b=2')).toBe('1');
  expect(of('a')).toBeNull();
});

test('whatever is beside it, the first of the name is found', () => {
  const word = fc.stringMatching(/^[a-z=-]{1,6}$/);
  const name = fc.stringMatching(/^[a-z]{1,3}$/);
  fc.assert(
    fc.property(fc.array(fc.tuple(name, word), { maxLength: 8 }), name, (pairs, wanted) => {
      const expected = pairs.find(([one]) => one === wanted)?.[1] ?? null;
      expect(of(wanted, pairs.map(([one, value]) => `${one}=${value}`).join('; '))).toBe(expected);
    }),
  );
});

test.each([
  ['a =1', '1'],
  ['a \t=1', '1'],
  ['b=2; a =1', '1'],
  ['a b=1', null],
])('blanks before "=" are no part of a name (RFC 6265 §5.2): "%s"', (text, value) => {
  expect(of('a', text)).toBe(value);
});

test('all cookies of a name', () => {
  const all = (name: string, text: string): readonly string[] => cookiesOf(Fields.of([['Cookie', text]]), name);
  expect(all('a', 'a=1; b=2; a=3; a =4; aa=5')).toEqual(['1', '3', '4']);
  expect(all('a', 'a=; a=')).toEqual(['', '']);
  expect(all('a', 'b=a=1')).toEqual([]);
});
