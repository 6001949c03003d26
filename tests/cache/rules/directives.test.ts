import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  NO_REQUEST_DIRECTIVES,
  NO_RESPONSE_DIRECTIVES,
  type RequestDirectives,
  type ResponseDirectives,
  requestDirectives,
  responseDirectives,
} from '../../../src/cache/rules/directives.ts';

const response = (text: string): Partial<ResponseDirectives> =>
  difference(responseDirectives(text), NO_RESPONSE_DIRECTIVES);
const request = (text: string): Partial<RequestDirectives> =>
  difference(requestDirectives(text, undefined), NO_REQUEST_DIRECTIVES);

/** What is not as in a message that says nothing. */
function difference<T extends object>(found: T, nothing: T): Partial<T> {
  const entries = Object.entries(found).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(nothing[name as keyof T]),
  );
  return Object.fromEntries(entries) as Partial<T>;
}

describe('of a response (RFC 9111 §5.2.2)', () => {
  test.each<[string, Partial<ResponseDirectives>]>([
    ['', {}],
    [',, ,', {}],
    ['max-age=3600', { maxAge: 3600 }],
    ['MaX-aGe=3600', { maxAge: 3600 }],
    ['max-age="3600"', { maxAge: 3600 }],
    ['max-age="36\\00"', { maxAge: 3600 }],
    ['max-age=003600', { maxAge: 3600 }],
    ['foobar, max-age=3600', { maxAge: 3600 }],
    ['foobar="a, b" , max-age=3600,', { maxAge: 3600 }],
    ['\tmax-age=3600\t,\tpublic\t', { maxAge: 3600, public: true }],
    ['s-maxage=60', { sMaxage: 60 }],
    ['No-StOrE', { noStore: true }],
    ['no-cache', { noCache: true }],
    ['no-cache="A"', { noCacheFields: ['a'] }],
    ['no-cache=A', { noCacheFields: ['a'] }],
    ['no-cache="a, B ,,c"', { noCacheFields: ['a', 'b', 'c'] }],
    ['no-cache="a", no-cache="b"', { noCacheFields: ['a', 'b'] }],
    ['no-cache="a", no-cache', { noCacheFields: ['a'], noCache: true }],
    ['private', { private: true }],
    ['private="Set-Cookie"', { privateFields: ['set-cookie'] }],
    ['must-revalidate, proxy-revalidate', { mustRevalidate: true, proxyRevalidate: true }],
    ['no-store, must-understand', { noStore: true, mustUnderstand: true }],
    ['immutable', { immutable: true }],
    ['max-age=1, stale-while-revalidate=2, stale-if-error=3', { maxAge: 1, staleWhileRevalidate: 2, staleIfError: 3 }],
  ])('%j', (text, found) => {
    expect(response(text)).toEqual(found);
  });

  test.each<[string, Partial<ResponseDirectives>]>([
    // §1.2.2: at most 2^31.
    ['max-age=2147483647', { maxAge: 2_147_483_647 }],
    ['max-age=2147483648', { maxAge: 2_147_483_648 }],
    ['max-age=2147483649', { maxAge: 2_147_483_648 }],
    [`max-age=${'9'.repeat(400)}`, { maxAge: 2_147_483_648 }],
    // §4.2.1: what is no lifetime is none.
    ['max-age=-3600', { maxAge: 0 }],
    ['max-age=3600.0', { maxAge: 0 }],
    ['max-age=1e3', { maxAge: 0 }],
    ['max-age=0x10', { maxAge: 0 }],
    ["max-age='3600'", { maxAge: 0 }],
    ['max-age=a3600', { maxAge: 0 }],
    ['max-age=3600a', { maxAge: 0 }],
    ['max-age', { maxAge: 0 }],
    ['max-age=', { maxAge: 0 }],
    ['max-age=""', { maxAge: 0 }],
    ['max-age =3600', { maxAge: 0 }],
    ['max-age= 3600', { maxAge: 0 }],
    ['max-age=36 00', { maxAge: 0 }],
    ['max-age=3600;foo', { maxAge: 0 }],
    ['max-age="3600"x', { maxAge: 0 }],
    ['s-maxage=x', { sMaxage: 0 }],
    ['stale-while-revalidate=x, stale-if-error=-1', {}],
    ['stale-while-revalidate, stale-if-error=', {}],
    // §4.2.1: the first, or stale; the smaller of two is always one of these.
    ['max-age=1800, max-age=1', { maxAge: 1 }],
    ['max-age=1, max-age=1800', { maxAge: 1 }],
    ['max-age=0, max-age=1800', { maxAge: 0 }],
    ['max-age=1800, max-age=x', { maxAge: 0 }],
    ['stale-if-error=9, stale-if-error=1, stale-if-error=x', { staleIfError: 1 }],
  ])('%j, of seconds', (text, found) => {
    expect(response(text)).toEqual(found);
  });

  test.each<[string, Partial<ResponseDirectives>]>([
    // What forbids is heard however it is written, what permits only if it is written as it should be.
    ['no-store=1, private;x', { noStore: true, private: true }],
    ['no-cache foo', { noCache: true }],
    ['public=1, immutable=1, must-understand=1', {}],
    ['public foo', {}],
    ['private=""', { private: true }],
    ['private=" , "', { private: true }],
    ['private="set cookie"', { private: true }],
    ['private =x', { private: true }],
    ['no-cache=', { noCache: true }],
    // Names in other places are none.
    ['extension="max-age=3600", max-age=1', { maxAge: 1 }],
    ['max-age=1, extension="max-age=3600"', { maxAge: 1 }],
    ['extension="no-store, \\", private"', {}],
    ['"no-store"', {}],
    ['xno-store, no-storex, x-no-store', {}],
    ['=no-store', {}],
    ['a"no-store, private", public', { public: true }],
    // A quotation mark that is alone hides nothing, and nothing that stands beside it is a permission.
    ['extension="a, no-store', { noStore: true, maxAge: 0 }],
    ['public, max-age=60, s-maxage=60, stale-if-error=60, x="', { maxAge: 0, sMaxage: 0 }],
    ['x"y, no-store', { noStore: true, maxAge: 0 }],
    ['private="a', { private: true, maxAge: 0 }],
  ])('%j, malformed', (text, found) => {
    expect(response(text)).toEqual(found);
  });

  test('without the field it is always the same', () => {
    expect(responseDirectives(undefined)).toBe(NO_RESPONSE_DIRECTIVES);
    expect(responseDirectives('max-age=5')).toBe(responseDirectives('max-age=5'));
  });
});

describe('of a request (RFC 9111 §5.2.1)', () => {
  test.each<[string, Partial<RequestDirectives>]>([
    ['no-cache', { noCache: true }],
    ['No-Store', { noStore: true }],
    ['only-if-cached', { onlyIfCached: true }],
    ['max-age=0', { maxAge: 0 }],
    ['max-age="5"', { maxAge: 5 }],
    ['max-age=x', { maxAge: 0 }],
    ['max-age=9, max-age=5', { maxAge: 5 }],
    ['min-fresh=20', { minFresh: 20 }],
    ['min-fresh=20, min-fresh=30', { minFresh: 30 }],
    ['min-fresh=x', {}],
    ['max-stale', { maxStale: Number.POSITIVE_INFINITY }],
    ['max-stale=10', { maxStale: 10 }],
    ['max-stale, max-stale=10', { maxStale: 10 }],
    ['max-stale=x', {}],
    ['max-stale=', {}],
    ['max-stale foo', {}],
    ['stale-if-error=60', { staleIfError: 60 }],
    ['nothing-to-see-here', {}],
    ['nothing-to-see-here, no-cache', { noCache: true }],
    ['private, public, s-maxage=5', {}],
  ])('%j', (text, found) => {
    expect(request(text)).toEqual(found);
  });

  test('one that says nothing that is known is the same as none', () => {
    expect(requestDirectives(undefined, undefined)).toBe(NO_REQUEST_DIRECTIVES);
    expect(requestDirectives('nothing-to-see-here', 'no-cache')).toBe(NO_REQUEST_DIRECTIVES);
    expect(requestDirectives('max-stale=x', undefined)).toEqual(NO_REQUEST_DIRECTIVES);
  });

  test.each([
    ['no-cache', true],
    ['NO-CACHE', true],
    ['foo, no-cache', true],
    ['foo', false],
    ['', false],
    ['foo="no-cache"', false],
  ])('Pragma: %s without a Cache-Control (§5.4)', (pragma, noCache) => {
    expect(requestDirectives(undefined, pragma).noCache).toBe(noCache);
    expect(requestDirectives('', pragma).noCache).toBe(false);
  });
});

describe('whatever comes', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'max-age',
      'no-store',
      'no-cache',
      'private',
      's-maxage',
      'public',
      'x',
      '=',
      '"',
      '\\',
      ',',
      ' ',
      '\t',
    ),
    fc.constantFrom('0', '60', '-1', '99999999999', '="a, b"', '="', '\u00e9', '\u0000'),
    fc.string({ maxLength: 4 }),
  );
  const anything = fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join(''));

  test('seconds are whole and within bounds, names are tokens', () => {
    fc.assert(
      fc.property(anything, (text) => {
        const found = responseDirectives(text);
        for (const seconds of [found.maxAge, found.sMaxage, found.staleIfError, found.staleWhileRevalidate]) {
          expect(Number.isInteger(seconds) && seconds >= -1 && seconds <= 2 ** 31).toBe(true);
        }
        for (const name of [...found.privateFields, ...found.noCacheFields]) expect(name).toMatch(/^[!-~]+$/);
        const asked = requestDirectives(text, undefined);
        for (const seconds of [asked.maxAge, asked.minFresh, asked.maxStale]) {
          expect(seconds === Number.POSITIVE_INFINITY || (seconds >= -1 && seconds <= 2 ** 31)).toBe(true);
        }
      }),
    );
  });

  test('a no-store that is a member of its own is heard, whatever stands around it', () => {
    fc.assert(
      fc.property(anything, anything, (before, after) => {
        // Unless it is within a quoted string that is whole.
        const text = `${before},no-store,${after}`;
        fc.pre(!/"/.test(before));
        expect(responseDirectives(text).noStore).toBe(true);
      }),
    );
  });

  test('more directives never permit more', () => {
    fc.assert(
      fc.property(anything, (text) => {
        const alone = responseDirectives('max-age=60');
        expect(responseDirectives(`max-age=60, ${text}`).maxAge).toBeLessThanOrEqual(alone.maxAge);
      }),
    );
  });
});
