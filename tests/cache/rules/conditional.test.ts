import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  evaluate,
  ifRangeHolds,
  isEntityTag,
  listMatches,
  stronglyEqual,
  validatorsFor,
  weaklyEqual,
} from '../../../src/cache/rules/conditional.ts';
import { Fields } from '../../../src/http/fields.ts';

const NOW = Date.UTC(2026, 10, 15, 12);
const date = (seconds: number): string => new Date(NOW + seconds * 1000).toUTCString();
const ms = (seconds: number): number => NOW + seconds * 1000;

describe('entity-tags (RFC 9110 §8.8.3)', () => {
  test.each(['""', '"a"', 'W/"a"', '"a,b"', '"a\\"', '"\u00fc"', 'W/""', `"${'x'.repeat(5000)}"`])(
    '%j is one',
    (text) => {
      expect(isEntityTag(text)).toBe(true);
    },
  );

  test.each([
    '',
    'a',
    '"a',
    'a"',
    'w/"a"',
    'W"a"',
    'W\\"a"',
    "'a'",
    '"a b"',
    '"a""',
    '"a" ',
    ' "a"',
    'W/a',
    'W/',
    '"\u0100"',
    '"\u007f"',
  ])('%j is none', (text) => {
    expect(isEntityTag(text)).toBe(false);
  });

  // §8.8.3.2, its own table.
  test.each([
    ['W/"1"', 'W/"1"', false, true],
    ['W/"1"', 'W/"2"', false, false],
    ['W/"1"', '"1"', false, true],
    ['"1"', '"1"', true, true],
  ])('%s and %s', (one, other, strongly, weakly) => {
    expect(stronglyEqual(one, other)).toBe(strongly);
    expect(weaklyEqual(one, other)).toBe(weakly);
  });

  test.each([
    ['"a"', '"a"', true],
    ['"a"', 'W/"a"', true],
    ['W/"a"', '"a"', true],
    ['"a", "b", "c"', '"b"', true],
    ['"a","b","c"', '"c"', true],
    [' , "a" ,, W/"b"\t,', '"b"', true],
    ['"a,b"', '"a"', false],
    ['"a, \\", "b"', '"b"', false],
    ['"b"', '"a"', false],
    ['"xa"', '"a"', false],
    ['a', '"a"', false],
    ['"a', '"a"', false],
    ['w/"a"', '"a"', false],
    ['W/W/"a"', '"a"', false],
    ['"a"b', '"a"', false],
    ['"a""b"', '"b"', false],
    ['"a" "b"', '"b"', false],
    ['junk, "a"', '"a"', false],
    ['', '"a"', false],
    ['*', '"a"', false],
    ['"\u00fc"', '"\u00fc"', true],
    ['""', '""', true],
    ['W/""', '""', true],
  ])('the list %j names %j: %j', (list, tag, named) => {
    expect(listMatches(list, tag)).toBe(named);
  });
});

describe('a client’s conditions (RFC 9110 §13.2.2)', () => {
  const answer = (
    lines: readonly (readonly [string, string])[],
    etag: string | undefined,
    lastModified = Number.NaN,
    storedDate = ms(0),
  ): number => evaluate(Fields.of(lines), etag, lastModified, storedDate, NOW);

  test.each<[number, string, string | undefined]>([
    [304, '"a"', '"a"'],
    [304, 'W/"a"', '"a"'],
    [304, '"a"', 'W/"a"'],
    [304, '"1", "a"', '"a"'],
    [304, '*', '"a"'],
    [304, '*', undefined],
    [0, '"b"', '"a"'],
    [0, '"a"', undefined],
    [0, 'a', 'a'],
    [0, 'a', '"a"'],
    [0, '"a"', 'a'],
    [0, '', '"a"'],
  ])('%i: If-None-Match: %s, stored %s', (status, list, etag) => {
    expect(answer([['If-None-Match', list]], etag)).toBe(status);
  });

  test('If-None-Match goes before If-Modified-Since, both ways', () => {
    const older = ['If-Modified-Since', date(-10_000)] as const;
    const newer = ['If-Modified-Since', date(10)] as const;
    expect(answer([['If-None-Match', '"a"'], older], '"a"', ms(-5000))).toBe(304);
    expect(answer([['If-None-Match', '"b"'], newer], '"a"', ms(-5000))).toBe(0);
    expect(answer([['If-None-Match', '"b"'], newer], undefined, ms(-5000))).toBe(0);
  });

  test('several lines of If-None-Match are one list', () => {
    expect(
      answer(
        [
          ['If-None-Match', '"1"'],
          ['If-None-Match', '"a"'],
        ],
        '"a"',
      ),
    ).toBe(304);
  });

  test.each<[number, string, number]>([
    [304, date(-3000), ms(-3000)],
    [304, date(-2000), ms(-3000)],
    [0, date(-3001), ms(-3000)],
    // RFC 9111 §4.3.2: its Date where it has no Last-Modified.
    [304, date(0), Number.NaN],
    [0, date(-1), Number.NaN],
    // As if absent (§13.1.3).
    [0, 'yesterday', ms(-3000)],
    [0, '0', ms(-3000)],
    [0, `${date(0)}, ${date(0)}`, ms(-3000)],
  ])('%i: If-Modified-Since: %s, changed %d', (status, since, lastModified) => {
    expect(answer([['If-Modified-Since', since]], undefined, lastModified)).toBe(status);
  });

  test('the obsolete forms of a date', () => {
    expect(
      answer([['If-Modified-Since', 'Sunday, 06-Nov-94 08:49:37 GMT']], undefined, Date.UTC(1994, 10, 6, 8, 49, 37)),
    ).toBe(304);
    expect(
      answer([['If-Modified-Since', 'Sun Nov  6 08:49:36 1994']], undefined, Date.UTC(1994, 10, 6, 8, 49, 37)),
    ).toBe(0);
  });

  test('a response that has neither date has not been changed since anything', () => {
    expect(answer([['If-Modified-Since', date(0)]], undefined, Number.NaN, Number.NaN)).toBe(0);
    expect(answer([], '"a"', ms(-1))).toBe(0);
  });

  test('what is for the origin only (RFC 9111 §4.3.2)', () => {
    expect(
      answer(
        [
          ['If-Match', '"b"'],
          ['If-Unmodified-Since', date(-9999)],
        ],
        '"a"',
        ms(-1),
      ),
    ).toBe(0);
  });
});

describe('If-Range (RFC 9110 §13.1.5)', () => {
  test.each<[boolean, string | undefined, string | undefined, number, number]>([
    [true, undefined, undefined, Number.NaN, ms(0)],
    [true, '"a"', '"a"', Number.NaN, ms(0)],
    [false, '"b"', '"a"', Number.NaN, ms(0)],
    [false, '"a"', undefined, Number.NaN, ms(0)],
    // Strong comparison.
    [false, 'W/"a"', 'W/"a"', Number.NaN, ms(0)],
    [false, '"a"', 'W/"a"', Number.NaN, ms(0)],
    [false, 'W/"a"', '"a"', Number.NaN, ms(0)],
    // A date to the second, and old enough to be a strong validator (§8.8.2.2).
    [true, date(-60), undefined, ms(-60), ms(0)],
    [true, date(-1), undefined, ms(-1), ms(0)],
    [false, date(0), undefined, ms(0), ms(0)],
    [false, date(-59), undefined, ms(-60), ms(0)],
    [false, date(-61), undefined, ms(-60), ms(0)],
    [false, date(-60), undefined, Number.NaN, ms(0)],
    [false, date(-60), undefined, ms(-60), Number.NaN],
    [false, 'a', 'a', ms(-60), ms(0)],
    [false, '"a", "b"', '"a"', Number.NaN, ms(0)],
    [false, '*', '"a"', Number.NaN, ms(0)],
    [false, '', '"a"', Number.NaN, ms(0)],
  ])('%j: %j against %j, %d, %d', (holds, ifRange, etag, lastModified, stored) => {
    expect(ifRangeHolds(ifRange, etag, lastModified, stored)).toBe(holds);
  });
});

describe('asking the origin (RFC 9111 §4.3.1)', () => {
  test.each<[string | undefined, string | undefined, readonly (readonly string[])[]]>([
    [undefined, undefined, []],
    ['"a"', undefined, [['If-None-Match', '"a"']]],
    [
      'W/"a"',
      date(-5),
      [
        ['If-None-Match', 'W/"a"'],
        ['If-Modified-Since', date(-5)],
      ],
    ],
    [undefined, 'Sunday, 06-Nov-94 08:49:37 GMT', [['If-Modified-Since', 'Sunday, 06-Nov-94 08:49:37 GMT']]],
    // What is none is not sent.
    ['abc', 'yesterday', []],
  ])('%j, %j', (etag, lastModified, fields) => {
    expect(validatorsFor(etag, lastModified)).toEqual(fields);
  });
});

const opaque = fc.stringMatching(/^[!#-~\u0080-\u00ff]{0,6}$/);
const tag = fc.tuple(fc.constantFrom('', 'W/'), opaque).map(([weak, text]) => `${weak}"${text}"`);

test('a list names what is in it, by weak comparison, and nothing else', () => {
  fc.assert(
    fc.property(
      fc.array(tag, { maxLength: 6 }),
      tag,
      fc.constantFrom(', ', ',', ' ,, ', '\t,'),
      (tags, wanted, comma) => {
        expect(listMatches(tags.join(comma), wanted)).toBe(tags.some((one) => weaklyEqual(one, wanted)));
      },
    ),
  );
});

test('whatever a client sends is 304 or not', () => {
  const piece = fc.oneof(tag, fc.constantFrom(',', '"', 'W/', '*', ' ', '\t'), fc.string({ maxLength: 3 }));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), tag, (pieces, stored) => {
      const text = pieces.join('');
      const status = evaluate(Fields.of([['If-None-Match', text]]), stored, NOW, NOW, NOW);
      // A 304 needs the very tag in the list.
      if (status === 304 && text !== '*') expect(text).toContain(stored.replace('W/', ''));
    }),
  );
});
