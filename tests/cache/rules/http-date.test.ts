import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseHttpDate } from '../../../src/cache/rules/http-date.ts';

const NOW = Date.UTC(2026, 10, 15);
const at = (text: string, now = NOW): string | null => {
  const time = parseHttpDate(text, now);
  return Number.isNaN(time) ? null : new Date(time).toISOString();
};

describe('the three forms (RFC 9110 §5.6.7)', () => {
  test.each([
    ['Sun, 06 Nov 1994 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
    ['Sunday, 06-Nov-94 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
    ['Sun Nov  6 08:49:37 1994', '1994-11-06T08:49:37.000Z'],
    ['Sun Nov 16 08:49:37 1994', '1994-11-16T08:49:37.000Z'],
    ['Wednesday, 09-Nov-94 08:49:37 GMT', '1994-11-09T08:49:37.000Z'],
    ['Tue, 19 Jan 2038 14:14:08 GMT', '2038-01-19T14:14:08.000Z'],
    ['Sun, 21 Nov 2286 04:46:39 GMT', '2286-11-21T04:46:39.000Z'],
    ['Thu Aug  8 02:01:18 2050', '2050-08-08T02:01:18.000Z'],
    ['Fri, 31 Dec 9999 23:59:59 GMT', '9999-12-31T23:59:59.000Z'],
    ['Thu, 01 Jan 1970 00:00:00 GMT', '1970-01-01T00:00:00.000Z'],
    ['Mon, 01 Jan 0001 00:00:00 GMT', '0001-01-01T00:00:00.000Z'],
    ['Sat, 29 Feb 2020 00:00:00 GMT', '2020-02-29T00:00:00.000Z'],
    ['Tue, 29 Feb 2000 00:00:00 GMT', '2000-02-29T00:00:00.000Z'],
    // A leap second is held as the second before it.
    ['Sat, 31 Dec 2016 23:59:60 GMT', '2016-12-31T23:59:59.000Z'],
    // RFC 9111 §4.2: in any case.
    ['THU, 18 Aug 2050 02:01:18 GMT', '2050-08-18T02:01:18.000Z'],
    ['Thu, 18 AUG 2050 02:01:18 GMT', '2050-08-18T02:01:18.000Z'],
    ['Thu, 18 Aug 2050 02:01:18 gMT', '2050-08-18T02:01:18.000Z'],
    // The name of the day is a name of a day, if not of this one.
    ['Mon, 06 Nov 1994 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
  ])('%s', (text, time) => {
    expect(at(text)).toBe(time);
  });

  test.each([
    '',
    '0',
    '-1',
    'now',
    'Thu, 18 Aug 2050 02:01:18 UTC',
    'Thu, 18 Aug 2050 02:01:18 AEST',
    'Thu, 18 Aug 2050 02:01:18 +0000',
    'Thu, 18 Aug 2050 02:01:18',
    'Thu, 18 Aug 2050 02:01:18 GMT ',
    ' Thu, 18 Aug 2050 02:01:18 GMT',
    'Thu, 18 Aug 50 02:01:18 GMT',
    'Thu 18 Aug 2050 02:01:18 GMT',
    'Thu, 18  Aug  2050 02:01:18 GMT',
    'Thu,  18 Aug 2050 02:01:18 GMT',
    'Thu, 18-Aug-2050 02:01:18 GMT',
    'Thu, 18 Aug 2050 02.01.18 GMT',
    'Thu, 18 Aug 2050 2:01:18 GMT',
    'Thu, 8 Aug 2050 02:01:18 GMT',
    'Thu, 18 Aug 2050 24:01:18 GMT',
    'Thu, 18 Aug 2050 02:60:18 GMT',
    'Thu, 18 Aug 2050 02:01:61 GMT',
    'Thu, 00 Aug 2050 02:01:18 GMT',
    'Thu, 32 Aug 2050 02:01:18 GMT',
    'Thu, 31 Sep 2050 02:01:18 GMT',
    'Sun, 29 Feb 2026 00:00:00 GMT',
    'Mon, 29 Feb 2100 00:00:00 GMT',
    'Thx, 18 Aug 2050 02:01:18 GMT',
    'Thu, 18 Agu 2050 02:01:18 GMT',
    'Thu, +8 Aug 2050 02:01:18 GMT',
    'Thu, 18 Aug 2050 02:01:18 GMT, Thu, 18 Aug 2050 02:01:19 GMT',
    'Thursday, 18 Aug 2050 02:01:18 GMT',
    'Thu, 18-Aug-50 02:01:18 GMT',
    'Sunday, 06-Nov-1994 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 UTC',
    'Sunday, 06 Nov 94 08:49:37 GMT',
    'Sunday, 06-Nov-xx 08:49:37 GMT',
    'Someday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov 6 08:49:37 1994',
    'Sun Nov 06 08:49:37 94',
    'Sun Nov  6 08:49:37 1994 GMT',
    'Sun Nov  6  8:49:37 1994',
    '2050-08-18T02:01:18Z',
    `Thu, 18 Aug 2050 02:01:18 GMT${' '.repeat(10_000)}`,
  ])('%j is none', (text) => {
    expect(at(text)).toBeNull();
  });
});

describe('years of two digits', () => {
  test.each([
    ['Thursday, 18-Aug-50 02:01:18 GMT', '2026-11-15', 2050],
    ['Sunday, 15-Nov-76 00:00:00 GMT', '2026-11-15', 2076],
    ['Monday, 16-Nov-76 00:00:00 GMT', '2026-11-15', 1976],
    ['Sunday, 06-Nov-94 08:49:37 GMT', '2026-11-15', 1994],
    ['Sunday, 06-Nov-26 08:49:37 GMT', '2026-11-15', 2026],
    ['Sunday, 06-Nov-05 08:49:37 GMT', '2098-01-01', 2105],
    ['Monday, 06-Nov-00 08:49:37 GMT', '2026-11-15', 2000],
    ['Sunday, 06-Nov-98 08:49:37 GMT', '2001-01-01', 1998],
    ['Sunday, 06-Nov-60 08:49:37 GMT', '2001-01-01', 1960],
  ])('%s, read on %s', (text, now, year) => {
    expect(new Date(parseHttpDate(text, Date.parse(now))).getUTCFullYear()).toBe(year);
  });
});

test.each([
  'Sun, 06 Nov 1994 08:49:37 GMT',
  'Sunday, 06-Nov-94 08:49:37 GMT',
  'Sun Nov  6 08:49:37 1994',
  'Sun Nov 16 08:49:37 1994',
])('%s with any one character changed, missing or more is none', (text) => {
  for (let i = 0; i < text.length; i++) {
    expect(at(`${text.slice(0, i)}?${text.slice(i + 1)}`)).toBeNull();
    expect(at(`${text.slice(0, i)}?${text.slice(i)}`)).toBeNull();
    expect(at(text.slice(0, i))).toBeNull();
  }
});

const second = fc.integer({ min: Date.UTC(1000, 0) / 1000, max: Date.UTC(9999, 11, 31) / 1000 });

test('every month has the days that it has', () => {
  for (const [month, days] of Object.entries({
    Jan: 31,
    Feb: 28,
    Mar: 31,
    Apr: 30,
    May: 31,
    Jun: 30,
    Jul: 31,
    Aug: 31,
    Sep: 30,
    Oct: 31,
    Nov: 30,
    Dec: 31,
  })) {
    expect(at(`Sun, ${days} ${month} 2026 00:00:00 GMT`)).not.toBeNull();
    expect(at(`Sun, ${days + 1} ${month} 2026 00:00:00 GMT`)).toBeNull();
  }
});

test('what Date writes is read back', () => {
  fc.assert(
    fc.property(second, (seconds) => {
      expect(parseHttpDate(new Date(seconds * 1000).toUTCString(), NOW)).toBe(seconds * 1000);
    }),
  );
});

test('an RFC 850 date within fifty years is read back', () => {
  const near = fc.integer({ min: (NOW - 49 * 365 * 86_400_000) / 1000, max: (NOW + 49 * 365 * 86_400_000) / 1000 });
  const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
  fc.assert(
    fc.property(near, (seconds) => {
      const date = new Date(Math.floor(seconds) * 1000);
      const [, day, month, year, time] = date.toUTCString().split(' ');
      const text = `${days[date.getUTCDay()]}, ${day}-${month}-${year!.slice(2)} ${time} GMT`;
      expect(parseHttpDate(text, NOW)).toBe(date.getTime());
    }),
  );
});

test('whatever it is, it is a time or none', () => {
  const piece = fc.constantFrom('Sun', ', ', '06', ' Nov ', '1994', '-', ' ', '08:49:37', ' GMT', '\u00e9', '6');
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece, { maxLength: 9 }).map((pieces) => pieces.join('')),
      ),
      (text) => {
        const time = parseHttpDate(text, NOW);
        expect(Number.isNaN(time) || Number.isInteger(time)).toBe(true);
      },
    ),
  );
});
