import { describe, expect, test } from 'vitest';
import { NO_RESPONSE_DIRECTIVES, type ResponseDirectives } from '../../../src/cache/rules/directives.ts';
import { targetedDirectives } from '../../../src/cache/rules/targeted.ts';
import { Fields } from '../../../src/http/fields.ts';

const of = (...lines: string[]): ResponseDirectives | null =>
  targetedDirectives(Fields.of(lines.map((line) => ['CDN-Cache-Control', line] as const)));

describe('CDN-Cache-Control (RFC 9213)', () => {
  test.each<[string, Partial<ResponseDirectives>]>([
    ['max-age=3600', { maxAge: 3600 }],
    ['max-age=99999999999', { maxAge: 2_147_483_648 }],
    ['max-age=-1', { maxAge: 0 }],
    ['max-age=3600;x=1, s-maxage=5', { maxAge: 3600, sMaxage: 5 }],
    ['max-age=1, max-age=2', { maxAge: 2 }],
    ['foobar, max-age=3600', { maxAge: 3600 }],
    ['foo', {}],
    ['no-store', { noStore: true }],
    ['no-store=?0, public', { public: true }],
    [
      'must-revalidate, proxy-revalidate, must-understand, immutable',
      {
        mustRevalidate: true,
        proxyRevalidate: true,
        mustUnderstand: true,
        immutable: true,
      },
    ],
    ['stale-while-revalidate=1, stale-if-error=2', { staleWhileRevalidate: 1, staleIfError: 2 }],
    ['private', { private: true }],
    ['private=?0', {}],
    ['private="A, b"', { privateFields: ['a', 'b'] }],
    ['private=a', { privateFields: ['a'] }],
    ['private=("a" b)', { privateFields: ['a', 'b'] }],
    ['private=(1)', { private: true }],
    ['private=1', { private: true }],
    ['no-cache', { noCache: true }],
    ['no-cache="x"', { noCacheFields: ['x'] }],
    ['no-cache=?0', {}],
  ])('%s', (text, found) => {
    expect(of(text)).toEqual({ ...NO_RESPONSE_DIRECTIVES, ...found });
  });

  test.each([
    // §2.1: empty or no Structured Field.
    '',
    '  ',
    'max-age=10000, &&&&&',
    'max-age =100',
    'max-age= 100',
    'MaX-aGe=3600',
    // Another type than the directive's.
    'max-age="10000"',
    'max-age=10.5',
    'max-age',
    'max-age=abc',
    'no-store=1',
    'no-store="x"',
  ])('%j is as if it were not there', (text) => {
    expect(of(text)).toBeNull();
  });

  test('several lines are one dictionary; none is none', () => {
    expect(of('max-age=1', 'no-cache')).toEqual({ ...NO_RESPONSE_DIRECTIVES, maxAge: 1, noCache: true });
    expect(of('max-age=1', '"')).toBeNull();
    expect(of()).toBeNull();
  });

  test('a name of Object is no directive', () => {
    expect(of('constructor, toString=1'.toLowerCase())).toEqual(NO_RESPONSE_DIRECTIVES);
  });
});
