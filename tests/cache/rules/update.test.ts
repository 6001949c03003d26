import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { responseDirectives } from '../../../src/cache/rules/directives.ts';
import { unstorableFields } from '../../../src/cache/rules/storable.ts';
import { freshened, headFreshens, identifies } from '../../../src/cache/rules/update.ts';
import type { FieldPair } from '../../../src/http/field-list.ts';
import { Fields } from '../../../src/http/fields.ts';

function update(stored: readonly FieldPair[], lines: readonly FieldPair[]): [string, string][] {
  const news = Fields.of(lines);
  return freshened(stored, news, unstorableFields(news, responseDirectives(news.get('cache-control'))));
}

describe('fields that come anew (RFC 9111 §3.2)', () => {
  const STORED: readonly FieldPair[] = [
    ['Date', 'old'],
    ['Cache-Control', 'max-age=1'],
    ['X-A', '1'],
    ['x-b', '1'],
    ['X-A', '2'],
    ['Content-Length', '36'],
    ['Age', '7'],
  ];

  test('a name’s lines are replaced together, the others stay', () => {
    expect(
      update(STORED, [
        ['date', 'new'],
        ['x-a', '3'],
        ['X-A', '4'],
        ['X-C', '5'],
      ]),
    ).toEqual([
      ['Cache-Control', 'max-age=1'],
      ['x-b', '1'],
      ['Content-Length', '36'],
      ['date', 'new'],
      ['x-a', '3'],
      ['X-A', '4'],
      ['X-C', '5'],
    ]);
  });

  test.each(['Content-Length', 'Content-Encoding', 'Content-Range', 'content-length'])('never %s', (name) => {
    expect(
      update(
        [
          [name, 'stored'],
          ['B', '1'],
        ],
        [[name, 'new']],
      ),
    ).toEqual([
      [name, 'stored'],
      ['B', '1'],
    ]);
    expect(update([['B', '1']], [[name, 'new']])).toEqual([['B', '1']]);
  });

  test.each([
    'Content-Foo',
    'Content-Type',
    'Content-Location',
    'Content-MD5',
    'ETag',
    'Expires',
    'Set-Cookie',
    'Vary',
    'Cache-Control',
    'Content-Security-Policy',
  ])('%s', (name) => {
    expect(update([[name, 'stored']], [[name, 'new']])).toEqual([[name, 'new']]);
  });

  test.each(['Connection', 'Keep-Alive', 'Proxy-Authenticate', 'TE', 'Upgrade', 'Transfer-Encoding'])(
    'not %s',
    (name) => {
      expect(update([['B', '1']], [[name, 'new']])).toEqual([['B', '1']]);
    },
  );

  test('what Connection and private name is neither taken nor kept', () => {
    expect(
      update(
        [
          ['A', '1'],
          ['B', '1'],
        ],
        [
          ['Connection', 'a'],
          ['A', '2'],
        ],
      ),
    ).toEqual([['B', '1']]);
    expect(
      update(
        [
          ['A', '1'],
          ['B', '1'],
        ],
        [
          ['Cache-Control', 'private="a"'],
          ['A', '2'],
        ],
      ),
    ).toEqual([
      ['B', '1'],
      ['Cache-Control', 'private="a"'],
    ]);
  });

  test('an Age that is stored is over, one that came with the news is not', () => {
    expect(update([['Age', '100']], [])).toEqual([]);
    expect(update([['Age', '100']], [['Age', '5']])).toEqual([['Age', '5']]);
  });

  test('twice is as once, and nothing is lost', () => {
    const name = fc.constantFrom('A', 'a', 'B', 'Date', 'Content-Length', 'Age', 'X-C', 'Connection');
    const lines = fc.array(fc.tuple(name, fc.constantFrom('1', '2', 'b')), { maxLength: 6 });
    fc.assert(
      fc.property(lines, lines, (stored, news) => {
        const once = update(stored, news);
        expect(update(once, news)).toEqual(once);
        const dropped = new Set(['age', 'connection', ...news.map(([one]) => one.toLowerCase())]);
        for (const [one] of news.filter(([field]) => field === 'Connection'))
          dropped.add(one).add('b').add('1').add('2');
        for (const line of stored) if (!dropped.has(line[0].toLowerCase())) expect(once).toContainEqual(line);
      }),
    );
  });
});

const LM = 'Wed, 01 Jan 2020 00:00:00 GMT';
const LATER = 'Wed, 01 Jan 2020 00:00:01 GMT';

describe('which response a 304 is about (RFC 9111 §4.3.4)', () => {
  test.each<[boolean, string | undefined, string | undefined, readonly FieldPair[]]>([
    // Strong validators
    [true, '"a"', undefined, [['ETag', '"a"']]],
    [
      true,
      '"a"',
      LM,
      [
        ['ETag', '"a"'],
        ['Last-Modified', LATER],
      ],
    ],
    [
      false,
      '"a"',
      LM,
      [
        ['ETag', '"b"'],
        ['Last-Modified', LM],
      ],
    ],
    [false, 'W/"a"', undefined, [['ETag', '"a"']]],
    [
      false,
      undefined,
      LM,
      [
        ['ETag', '"a"'],
        ['Last-Modified', LM],
      ],
    ],
    // Weak ones
    [true, 'W/"a"', undefined, [['ETag', 'W/"a"']]],
    [true, '"a"', undefined, [['ETag', 'W/"a"']]],
    [
      false,
      'W/"a"',
      LM,
      [
        ['ETag', 'W/"b"'],
        ['Last-Modified', LM],
      ],
    ],
    [true, undefined, LM, [['Last-Modified', LM]]],
    [true, '"a"', LM, [['Last-Modified', LM]]],
    [false, undefined, LM, [['Last-Modified', LATER]]],
    [false, '"a"', undefined, [['Last-Modified', LM]]],
    [
      true,
      undefined,
      LM,
      [
        ['ETag', 'W/"a"'],
        ['Last-Modified', LM],
      ],
    ],
    [false, undefined, LM, [['ETag', 'W/"a"']]],
    // None
    [true, undefined, LM, []],
    [true, '"a"', undefined, []],
    [true, undefined, undefined, []],
  ])('%j: stored %j %j, with %j', (is, etag, lastModified, lines) => {
    expect(identifies(etag, lastModified, Fields.of(lines))).toBe(is);
  });
});

describe('what a HEAD says of a stored GET (RFC 9111 §4.3.5)', () => {
  test.each<[boolean, string | undefined, string | undefined, readonly FieldPair[]]>([
    [true, undefined, undefined, []],
    [true, '"a"', LM, []],
    [
      true,
      '"a"',
      LM,
      [
        ['ETag', '"a"'],
        ['Last-Modified', LM],
        ['Content-Length', '36'],
      ],
    ],
    [
      false,
      '"a"',
      LM,
      [
        ['ETag', '"b"'],
        ['Last-Modified', LM],
      ],
    ],
    [false, '"a"', LM, [['ETag', 'W/"a"']]],
    [false, '"a"', LM, [['Last-Modified', LATER]]],
    [false, undefined, undefined, [['ETag', '"a"']]],
    [false, undefined, undefined, [['Last-Modified', LM]]],
    [
      false,
      '"a"',
      LM,
      [
        ['ETag', '"a"'],
        ['Content-Length', '37'],
      ],
    ],
    [true, undefined, undefined, [['Content-Length', '36']]],
  ])('%j: stored %j %j, with %j', (is, etag, lastModified, lines) => {
    expect(headFreshens(etag, lastModified, 36, Fields.of(lines))).toBe(is);
  });
});
