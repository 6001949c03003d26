import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { responseDirectives } from '../../../src/cache/rules/directives.ts';
import {
  dateOf,
  explicitLifetime,
  type FreshnessRules,
  freshnessLifetime,
  initialAge,
} from '../../../src/cache/rules/freshness.ts';
import { targetedDirectives } from '../../../src/cache/rules/targeted.ts';
import { Fields } from '../../../src/http/fields.ts';

const NOW = Date.UTC(2026, 10, 15, 12);
const DAY = 86_400;
const date = (seconds: number): string => new Date(NOW + seconds * 1000).toUTCString();
type Lines = readonly (readonly [string, string])[];

const RULES: FreshnessRules = { defaultTtl: -1, minTtl: -1, maxTtl: -1, heuristicFraction: 0.1, heuristicMax: DAY };

function lifetime(lines: Lines, status = 200, rules: Partial<FreshnessRules> = {}): number {
  const fields = Fields.of(lines);
  const targeted = targetedDirectives(fields);
  const directives = targeted ?? responseDirectives(fields.get('cache-control'));
  return freshnessLifetime(status, fields, directives, targeted !== null, NOW, { ...RULES, ...rules });
}

describe('freshness_lifetime (RFC 9111 §4.2.1)', () => {
  test.each<[number, Lines]>([
    [0, []],
    [3600, [['Cache-Control', 'max-age=3600']]],
    [0, [['Cache-Control', 'max-age=0']]],
    [60, [['Cache-Control', 'max-age=3600, s-maxage=60']]],
    [
      60,
      [
        ['Cache-Control', 's-maxage=60'],
        ['Cache-Control', 'max-age=3600'],
      ],
    ],
    [3600, [['Cache-Control', 'max-age=1, s-maxage=3600']]],
    [
      3600,
      [
        ['Cache-Control', 'max-age=0, s-maxage=3600'],
        ['Expires', date(-10)],
      ],
    ],
    [
      3600,
      [
        ['Cache-Control', 'max-age=3600'],
        ['Expires', date(-10)],
        ['Date', date(0)],
      ],
    ],
    [
      3600,
      [
        ['Cache-Control', 'max-age=3600'],
        ['Expires', '0'],
        ['Date', date(0)],
      ],
    ],
    [
      0,
      [
        ['Cache-Control', 'max-age=0'],
        ['Expires', date(3600)],
      ],
    ],
    [
      0,
      [
        ['Cache-Control', 'max-age=x'],
        ['Expires', date(3600)],
      ],
    ],
    [2_147_483_648, [['Cache-Control', 'max-age=99999999999']]],
    // Expires less Date, both the origin's own.
    [
      30 * DAY,
      [
        ['Expires', date(30 * DAY)],
        ['Date', date(0)],
      ],
    ],
    [
      0,
      [
        ['Expires', date(-DAY)],
        ['Date', date(0)],
      ],
    ],
    [
      0,
      [
        ['Expires', date(0)],
        ['Date', date(0)],
      ],
    ],
    [
      0,
      [
        ['Expires', date(300)],
        ['Date', date(400)],
      ],
    ],
    [
      20,
      [
        ['Expires', date(10)],
        ['Date', date(-10)],
      ],
    ],
    [
      10,
      [
        ['Expires', date(20)],
        ['Date', date(10)],
      ],
    ],
    // Without a Date it is the time at which it came (RFC 9110 §6.6.1).
    [10, [['Expires', date(10)]]],
    [
      10,
      [
        ['Expires', date(10)],
        ['Date', 'foo'],
      ],
    ],
    // §5.3: what is no date is one in the past.
    [0, [['Expires', '0']]],
    [0, [['Expires', '']]],
    [0, [['Expires', 'Thu, 18 Aug 2050 02:01:18 UTC']]],
    [
      0,
      [
        ['Expires', date(10)],
        ['Expires', date(20)],
      ],
    ],
    [
      2_147_483_648,
      [
        ['Expires', 'Sun, 21 Nov 2286 04:46:39 GMT'],
        ['Date', date(0)],
      ],
    ],
  ])('%i: %j', (seconds, lines) => {
    expect(lifetime(lines)).toBe(seconds);
  });

  test.each<[number, Lines]>([
    // RFC 9213 §2.2: with a targeted field neither Cache-Control nor Expires count.
    [
      3600,
      [
        ['CDN-Cache-Control', 'max-age=3600'],
        ['Cache-Control', 'max-age=1'],
      ],
    ],
    [
      1,
      [
        ['CDN-Cache-Control', 'max-age=1'],
        ['Cache-Control', 'max-age=3600'],
      ],
    ],
    [
      3600,
      [
        ['CDN-Cache-Control', 'max-age=3600'],
        ['Expires', date(-10)],
      ],
    ],
    [
      0,
      [
        ['CDN-Cache-Control', 'must-revalidate'],
        ['Expires', date(60)],
        ['Cache-Control', 'max-age=60'],
      ],
    ],
    [
      60,
      [
        ['CDN-Cache-Control', '&'],
        ['Cache-Control', 'max-age=60'],
      ],
    ],
    [
      60,
      [
        ['CDN-Cache-Control', ''],
        ['Expires', date(60)],
      ],
    ],
  ])('targeted, %i: %j', (seconds, lines) => {
    expect(lifetime(lines)).toBe(seconds);
  });
});

test('what is said explicitly is told from what is guessed', () => {
  const explicit = (lines: Lines): number => {
    const fields = Fields.of(lines);
    return explicitLifetime(fields, responseDirectives(fields.get('cache-control')), false, NOW);
  };
  expect(explicit([['Last-Modified', date(-1000)]])).toBe(-1);
  expect(explicit([['Cache-Control', 'public']])).toBe(-1);
  expect(explicit([['Expires', '0']])).toBe(0);
  expect(explicit([['Cache-Control', 'max-age=7']])).toBe(7);
});

test('a Date that is none is the time at which it came (RFC 9110 §6.6.1)', () => {
  expect(dateOf(Fields.of([['Date', date(-5)]]), NOW)).toBe(NOW - 5000);
  expect(dateOf(Fields.of([['Date', 'foo']]), NOW)).toBe(NOW);
  expect(dateOf(Fields.of([]), NOW + 1)).toBe(NOW + 1);
});

describe('heuristic (RFC 9111 §4.2.2)', () => {
  const changed: Lines = [
    ['Last-Modified', date(-1000)],
    ['Date', date(0)],
  ];

  test.each([200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501])('%i: a tenth of its age', (status) => {
    expect(lifetime(changed, status)).toBe(100);
  });

  test.each([201, 202, 302, 303, 307, 400, 401, 403, 500, 502, 503, 504, 599])(
    '%i: none, unless it is public',
    (status) => {
      expect(lifetime(changed, status)).toBe(0);
      expect(lifetime([...changed, ['Cache-Control', 'public']], status)).toBe(100);
    },
  );

  test.each<[number, Lines]>([
    [
      0,
      [
        ['Last-Modified', date(10)],
        ['Date', date(0)],
      ],
    ],
    [
      0,
      [
        ['Last-Modified', date(0)],
        ['Date', date(0)],
      ],
    ],
    [
      0,
      [
        ['Last-Modified', 'yesterday'],
        ['Date', date(0)],
      ],
    ],
    [
      DAY,
      [
        ['Last-Modified', date(-1000 * DAY)],
        ['Date', date(0)],
      ],
    ],
    [100, [['Last-Modified', date(-1000)]]],
    // Never where something is said explicitly.
    [
      0,
      [
        ['Last-Modified', date(-1000)],
        ['Expires', '0'],
      ],
    ],
    [
      0,
      [
        ['Last-Modified', date(-1000)],
        ['Cache-Control', 'max-age=nonsense'],
      ],
    ],
    // The age of what was changed is the origin's to tell: its Date less its Last-Modified.
    [
      50,
      [
        ['Last-Modified', date(-1000)],
        ['Date', date(-500)],
      ],
    ],
  ])('%i: %j', (seconds, lines) => {
    expect(lifetime(lines)).toBe(seconds);
  });

  test('the fraction and the most are by rule', () => {
    expect(lifetime(changed, 200, { heuristicFraction: 0.5 })).toBe(500);
    expect(lifetime(changed, 200, { heuristicFraction: 0 })).toBe(0);
    expect(lifetime(changed, 200, { heuristicMax: 7 })).toBe(7);
    expect(lifetime(changed, 200, { heuristicMax: -1, heuristicFraction: 1 })).toBe(1000);
  });
});

describe('rules of the config', () => {
  test('the default is for what says nothing and may be kept without', () => {
    expect(lifetime([], 200, { defaultTtl: 30 })).toBe(30);
    expect(lifetime([], 404, { defaultTtl: 30 })).toBe(30);
    expect(lifetime([], 500, { defaultTtl: 30 })).toBe(0);
    expect(lifetime([['Cache-Control', 'public']], 500, { defaultTtl: 30 })).toBe(30);
    expect(lifetime([['Cache-Control', 'max-age=5']], 200, { defaultTtl: 30 })).toBe(5);
    expect(lifetime([['Last-Modified', date(-1000)]], 200, { defaultTtl: 30 })).toBe(100);
    expect(lifetime([['Last-Modified', 'x']], 200, { defaultTtl: 30 })).toBe(30);
    expect(lifetime([['Last-Modified', date(0)]], 200, { defaultTtl: 30 })).toBe(0);
    expect(lifetime([['Cache-Control', 's-maxage=0, max-age=9']], 200, { defaultTtl: 30 })).toBe(0);
  });

  test('least and most', () => {
    expect(lifetime([['Cache-Control', 'max-age=5']], 200, { minTtl: 10 })).toBe(10);
    expect(lifetime([['Cache-Control', 'max-age=5']], 200, { maxTtl: 3 })).toBe(3);
    expect(lifetime([['Cache-Control', 'max-age=5']], 200, { maxTtl: 0 })).toBe(0);
    expect(lifetime([['Cache-Control', 'max-age=5']], 200, { minTtl: 1, maxTtl: 9 })).toBe(5);
    expect(lifetime([], 200, { minTtl: 10 })).toBe(0);
  });
});

describe('corrected_initial_age (RFC 9111 §4.2.3)', () => {
  const age = (lines: Lines, delay = 0): number => initialAge(Fields.of(lines), NOW - delay * 1000, NOW);

  test.each<[number, Lines, number]>([
    [0, [], 0],
    [0, [['Date', date(0)]], 0],
    [
      30,
      [
        ['Date', date(0)],
        ['Age', '30'],
      ],
      0,
    ],
    // The time on the way counts from the request on.
    [
      35,
      [
        ['Date', date(0)],
        ['Age', '30'],
      ],
      5,
    ],
    [5, [], 5],
    // apparent_age, and a clock that is ahead.
    [7200, [['Date', date(-7200)]], 0],
    [
      7200,
      [
        ['Date', date(-7200)],
        ['Age', '30'],
      ],
      5,
    ],
    [0, [['Date', date(7200)]], 0],
    [
      30,
      [
        ['Date', date(7200)],
        ['Age', '30'],
      ],
      0,
    ],
    [0, [['Date', 'foo']], 0],
    // §5.1: the first of several counts; what is no number does not.
    [7200, [['Age', '7200, 0']], 0],
    [0, [['Age', '0, 7200']], 0],
    [
      7200,
      [
        ['Age', '7200'],
        ['Age', '0'],
      ],
      0,
    ],
    [
      0,
      [
        ['Age', '0'],
        ['Age', '7200'],
      ],
      0,
    ],
    [
      3600,
      [
        ['Age', '3600'],
        ['Age', '3600'],
      ],
      0,
    ],
    [0, [['Age', 'abc']], 0],
    [0, [['Age', '-7200']], 0],
    [0, [['Age', '7200.0']], 0],
    [0, [['Age', '7200;foo=bar']], 0],
    [0, [['Age', '"7200"']], 0],
    [0, [['Age', '']], 0],
    [2_147_483_647, [['Age', '2147483647']], 0],
    [2_147_483_648, [['Age', '2147483648']], 0],
    [2_147_483_648, [['Age', '2147483649']], 0],
    [2_147_483_648, [['Age', '9'.repeat(100)]], 10],
  ])('%i: %j, %i s on the way', (seconds, lines, delay) => {
    expect(age(lines, delay)).toBe(seconds);
  });

  test('a Date without a fraction is no older than the second it names', () => {
    expect(initialAge(Fields.of([['Date', date(0)]]), NOW + 900, NOW + 950)).toBeCloseTo(0.05, 9);
  });

  test('a clock that was set back between request and response makes nothing younger', () => {
    expect(initialAge(Fields.of([['Age', '10']]), NOW + 5000, NOW)).toBe(10);
  });
});

test('whatever a response says, lifetime and age are within bounds', () => {
  const name = fc.constantFrom('Cache-Control', 'CDN-Cache-Control', 'Expires', 'Date', 'Last-Modified', 'Age');
  const value = fc.oneof(
    fc.string(),
    fc.constantFrom('max-age=60', 's-maxage=9999999999', 'public', '0', '-1', '60, 70'),
    fc.integer({ min: -1e10, max: 1e10 }).map(date),
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(name, value), { maxLength: 8 }),
      fc.integer({ min: 200, max: 599 }),
      (lines, status) => {
        const seconds = lifetime(lines, status);
        expect(Number.isInteger(seconds) && seconds >= 0 && seconds <= 2 ** 31).toBe(true);
        const age = initialAge(Fields.of(lines), NOW - 100, NOW);
        expect(age >= 0.1 && age <= 2 ** 31).toBe(true);
      },
    ),
  );
});
