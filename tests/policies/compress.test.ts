import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { BodyFilter } from '../../src/http/body-filter.ts';
import { encoderMemory } from '../../src/http/coding/memory.ts';
import { Fields } from '../../src/http/fields.ts';
import { ResponseHead, UNKNOWN_LENGTH } from '../../src/http/message.ts';
import type { CompressPlan } from '../../src/plan/types/coding.ts';
import { compress } from '../../src/policies/compress.ts';
import { FilterBench } from '../support/body-filters.ts';
import { exchange, linesOf } from '../support/exchange.ts';
import { NO_SCOPE } from '../support/policy.ts';

const PLAN: CompressPlan = {
  type: 'compress',
  encodings: [
    { coding: 'br', level: 4 },
    { coding: 'gzip', level: 5 },
  ],
  minimumSize: 100,
  types: ['text/*', 'application/json', 'application/*+json'],
};
const hooks = compress.bind(PLAN, NO_SCOPE);

type Pairs = readonly (readonly [string, string])[];

interface Answered {
  readonly request?: Pairs;
  readonly method?: string;
  readonly status?: number;
  readonly length?: number;
}

/** The response's head after the hook, and the filter. */
function answered(response: Pairs, { request = [['Accept-Encoding', 'gzip']], ...rest }: Answered = {}) {
  const { method = 'GET', status = 200, length = 1000 } = rest;
  const x = exchange({ method, fields: request });
  x.response = new ResponseHead(status, 'OK', Fields.of(response), length);
  const filter = hooks.response!(x) as BodyFilter | undefined;
  return { lines: linesOf(x.response.fields), length: x.response.length, filter };
}

const TEXT = ['Content-Type', 'text/plain'] as const;
const VARY = 'Vary: Accept-Encoding';
const CODED = 'Content-Encoding: gzip';

test('the fields of a coded response', async () => {
  const { lines, length, filter } = answered([
    ['Content-Type', 'text/html; charset=utf-8'],
    ['Content-Length', '1000'],
    ['Accept-Ranges', 'bytes'],
    ['ETag', '"a"'],
    ['Last-Modified', 'Sat, 28 Nov 2026 00:00:00 GMT'],
    ['Content-MD5', 'AA=='],
    ['Digest', 'sha-256=AA=='],
    ['Content-Digest', 'sha-256=:AA==:'],
    ['Repr-Digest', 'sha-256=:AA==:'],
  ]);
  expect(lines).toEqual([
    'Content-Type: text/html; charset=utf-8',
    'Last-Modified: Sat, 28 Nov 2026 00:00:00 GMT',
    VARY,
    'ETag: W/"a"',
    CODED,
  ]);
  expect(length).toBe(UNKNOWN_LENGTH);
  const body = Buffer.alloc(1000, 'a');
  expect(gunzipSync((await new FilterBench(filter!).run([body])).output).equals(body)).toBe(true);
});

test('a client without the codings gets the plain response, with the Vary', () => {
  for (const request of [[], [['Accept-Encoding', 'zstd']], [['Accept-Encoding', 'gzip;q=0']]] as Pairs[]) {
    const { lines, length, filter } = answered([TEXT, ['ETag', '"a"'], ['Accept-Ranges', 'bytes']], { request });
    expect(lines).toEqual(['Content-Type: text/plain', 'ETag: "a"', 'Accept-Ranges: bytes', VARY]);
    expect([length, filter]).toEqual([1000, undefined]);
  }
});

describe('left alone', () => {
  test.each<[string, Pairs, Answered]>([
    ['another type', [['Content-Type', 'image/png']], {}],
    ['a type that only begins alike', [['Content-Type', 'application/jsonp']], {}],
    ['no type', [], {}],
    ['a coding', [TEXT, ['Content-Encoding', 'br']], {}],
    ['no-transform', [TEXT, ['Cache-Control', 'public, No-Transform']], {}],
    ['a range', [TEXT, ['Content-Range', 'bytes */10']], { status: 416 }],
    ['a short content', [TEXT], { length: 99 }],
    ['no content', [TEXT], { length: 0 }],
    ['204', [TEXT], { status: 204, length: 0 }],
    ['205', [TEXT], { status: 205, length: 0 }],
    ['101', [TEXT], { status: 101, length: 0 }],
    ['CONNECT', [TEXT], { method: 'CONNECT', length: UNKNOWN_LENGTH }],
    ['HEAD of a short content', [TEXT, ['Content-Length', '99']], { method: 'HEAD', length: 0 }],
  ])('%s', (_, response, more) => {
    const { lines, filter } = answered(response, more);
    expect(lines).toEqual(response.map(([name, value]) => `${name}: ${value}`));
    expect(filter).toBeUndefined();
  });
});

test.each<[string, Pairs, Answered]>([
  ['as long as the minimum', [TEXT], { length: 100 }],
  ['of unknown length', [TEXT], { length: UNKNOWN_LENGTH }],
  ['with a listed suffix', [['Content-Type', 'application/problem+json']], {}],
  ['in upper case', [['Content-Type', 'TEXT/HTML ; charset=utf-8']], {}],
  ['an error', [TEXT], { status: 503 }],
  ['to a POST', [TEXT], { method: 'POST' }],
  ['a text that mentions no-transform', [TEXT, ['Cache-Control', 'ext="no-transform"']], {}],
])('coded: %s', (_, response, more) => {
  const { lines, filter } = answered(response, more);
  expect(lines).toContain(CODED);
  filter!.abort();
});

test('Vary is not repeated', () => {
  for (const vary of ['accept-encoding', 'Origin, Accept-Encoding', '*'])
    expect(answered([TEXT, ['Vary', vary]]).lines.filter((line) => line.startsWith('Vary'))).toEqual([`Vary: ${vary}`]);
  expect(answered([TEXT, ['Vary', 'Origin']]).lines).toEqual(expect.arrayContaining(['Vary: Origin', VARY]));
});

test('a 206 is a part of the plain representation', () => {
  const { lines, filter } = answered([TEXT, ['Content-Range', 'bytes 0-9/10'], ['ETag', '"a"']], { status: 206 });
  expect(lines).toEqual(['Content-Type: text/plain', 'Content-Range: bytes 0-9/10', 'ETag: "a"', VARY]);
  expect(filter).toBeUndefined();
});

test('a client may ask for content that is not transformed', () => {
  const request: Pairs = [
    ['Accept-Encoding', 'gzip'],
    ['Cache-Control', 'no-transform'],
  ];
  const { lines, filter } = answered([TEXT], { request });
  expect([lines, filter]).toEqual([['Content-Type: text/plain', VARY], undefined]);
});

test('the operator’s order decides between equals, the weight otherwise', () => {
  const coded = (accept: string) => {
    const { lines, filter } = answered([TEXT], { request: [['Accept-Encoding', accept]] });
    filter!.abort();
    return lines.at(-1);
  };
  expect(coded('gzip, br')).toBe('Content-Encoding: br');
  expect(coded('gzip, br;q=0.9')).toBe(CODED);
});

test('a HEAD has the fields of the GET', () => {
  const response: Pairs = [TEXT, ['Content-Length', '1000'], ['ETag', '"a"']];
  const head = answered(response, { method: 'HEAD', length: 0 });
  const get = answered(response);
  expect([head.lines, head.length, head.filter]).toEqual([get.lines, 0, undefined]);
  get.filter!.abort();
  expect(answered([TEXT], { method: 'HEAD', length: 0 }).lines).toContain(CODED);
});

describe('a 304 has the tag and the Vary of the 200', () => {
  const revalidated = (ifNoneMatch: string, response: Pairs = [['ETag', '"a"']]) =>
    answered(response, {
      status: 304,
      length: 0,
      request: [
        ['Accept-Encoding', 'gzip'],
        ['If-None-Match', ifNoneMatch],
      ],
    }).lines;

  test('weak if the client has the weak one', () => {
    for (const tags of ['W/"a"', 'W/"b", W/"a"', '"b", W/"a"'])
      expect(revalidated(tags)).toEqual(['ETag: W/"a"', VARY]);
  });

  test('strong if the client has the strong one, or any', () => {
    for (const tags of ['"a"', 'W/"a", "a"', '*', '"aa"', 'W/"aa"'])
      expect(revalidated(tags)).toEqual(['ETag: "a"', VARY]);
    expect(revalidated('W/"a"', [['ETag', 'W/"a"']])).toEqual(['ETag: W/"a"', VARY]);
  });

  test('no Vary for what could not have had a coding', () => {
    expect(
      revalidated('"a"', [
        ['Content-Type', 'image/png'],
        ['ETag', '"a"'],
      ]),
    ).not.toContain(VARY);
    expect(
      revalidated('"a"', [
        ['Cache-Control', 'no-transform'],
        ['ETag', '"a"'],
      ]),
    ).not.toContain(VARY);
  });
});

test('without memory for another encoder the response is plain', () => {
  encoderMemory.limit = 1000;
  const { lines, length } = answered([TEXT, ['ETag', '"a"']], { length: UNKNOWN_LENGTH });
  expect([lines, length]).toEqual([['Content-Type: text/plain', 'ETag: "a"', VARY], UNKNOWN_LENGTH]);
  // A small content needs none.
  expect(answered([TEXT]).lines).toContain(CODED);
  encoderMemory.limit = 0;
});

test('says what it does', () => {
  const why = (fields: Pairs) => compress.why!(PLAN, exchange({ fields }));
  expect(why([])).toBe('the client accepts none of br, gzip');
  expect(why([['Accept-Encoding', 'gzip']])).toMatch(/^gzip, if /);
  expect(
    why([
      ['Accept-Encoding', 'gzip'],
      ['Cache-Control', 'no-transform'],
    ]),
  ).toBe('the request says no-transform');
});
