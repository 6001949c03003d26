import { describe, expect, test } from 'vitest';
import { requestDirectives, responseDirectives } from '../../../src/cache/rules/directives.ts';
import { unstorableFields, whyNotStored } from '../../../src/cache/rules/storable.ts';
import { targetedDirectives } from '../../../src/cache/rules/targeted.ts';
import { Fields } from '../../../src/http/fields.ts';

type Lines = readonly (readonly [string, string])[];

interface Case {
  readonly method?: string;
  readonly request?: Lines;
  readonly status?: number;
  readonly setCookie?: boolean;
  readonly unauthorized?: boolean;
  readonly ownContentLocation?: boolean;
}

function why(
  response: Lines,
  { method = 'GET', request = [], status = 200, setCookie = true, unauthorized = false, ownContentLocation }: Case = {},
): string {
  const fields = Fields.of(response);
  const asked = Fields.of(request);
  const targeted = targetedDirectives(fields);
  return whyNotStored(
    method,
    asked,
    requestDirectives(asked.get('cache-control'), asked.get('pragma')),
    status,
    fields,
    targeted ?? responseDirectives(fields.get('cache-control')),
    targeted !== null,
    { setCookie, unauthorized },
    ownContentLocation,
  );
}

const FRESH: Lines = [['Cache-Control', 'max-age=60']];

describe('RFC 9111 §3', () => {
  test.each<[string, Lines, Case?]>([
    ['', FRESH],
    ['', []],
    ['', FRESH, { method: 'HEAD' }],
    ['method', FRESH, { method: 'PUT' }],
    ['method', FRESH, { method: 'OPTIONS' }],
    ['method', FRESH, { method: 'get' }],
    ['method', FRESH, { method: 'POST' }],
    // RFC 9110 §9.3.3
    ['', FRESH, { method: 'POST', ownContentLocation: true }],
    ['no_freshness', [['Cache-Control', 'public']], { method: 'POST', ownContentLocation: true }],
    ['method', FRESH, { method: 'PUT', ownContentLocation: true }],
    // Statuses
    ['status', FRESH, { status: 103 }],
    ['status', FRESH, { status: 304 }],
    // Careful caches don't, whatever it says; a 407 is between one client and a proxy.
    ['unauthorized', FRESH, { status: 401 }],
    ['', FRESH, { status: 401, unauthorized: true }],
    ['no_freshness', [], { status: 401, unauthorized: true }],
    ['status', FRESH, { status: 407, unauthorized: true }],
    ['status', FRESH, { status: 428 }],
    ['status', FRESH, { status: 429 }],
    ['status', FRESH, { status: 431 }],
    ['status', FRESH, { status: 511 }],
    ['', FRESH, { status: 206 }],
    // Freshness
    ['no_freshness', [], { status: 201 }],
    ['no_freshness', [['Last-Modified', 'Sun, 06 Nov 1994 08:49:37 GMT']], { status: 503 }],
    ['', [['Cache-Control', 'public']], { status: 599 }],
    ['', [['Cache-Control', 's-maxage=5']], { status: 500 }],
    ['', [['Expires', '0']], { status: 500 }],
    ['', [['Cache-Control', 'max-age=0']], { status: 500 }],
    ['', [['Cache-Control', 's-maxage=0']], { status: 500 }],
    [
      'no_freshness',
      [
        ['Expires', 'Thu, 18 Aug 2050 02:01:18 GMT'],
        ['CDN-Cache-Control', 'foo'],
      ],
      { status: 500 },
    ],
    // Directives
    ['no_store', [['Cache-Control', 'max-age=60, no-store']]],
    ['request_no_store', FRESH, { request: [['Cache-Control', 'no-store']] }],
    ['private', [['Cache-Control', 'max-age=60, private']]],
    ['', [['Cache-Control', 'max-age=60, private="set-cookie"']]],
    ['', [['Cache-Control', 'no-cache']]],
    ['private', [['CDN-Cache-Control', 'private'], ...FRESH]],
    ['no_store', [['CDN-Cache-Control', 'no-store'], ...FRESH]],
    [
      '',
      [
        ['CDN-Cache-Control', 'max-age=60'],
        ['Cache-Control', 'no-store, private'],
      ],
    ],
    // §5.2.2.3
    ['', [['Cache-Control', 'max-age=60, no-store, must-understand']]],
    ['status', [['Cache-Control', 'max-age=60, no-store, must-understand']], { status: 599 }],
    ['status', [['Cache-Control', 'max-age=60, must-understand']], { status: 299 }],
    ['private', [['Cache-Control', 'max-age=60, must-understand, private']]],
    // §4.1
    ['vary', [...FRESH, ['Vary', '*']]],
    ['vary', [...FRESH, ['Vary', 'accept'], ['Vary', 'x, *']]],
    ['', [...FRESH, ['Vary', 'accept']]],
  ])('%j: %j %j', (reason, response, request) => {
    expect(why(response, request)).toBe(reason);
  });

  test.each([200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 499, 500, 502, 503, 504, 599])(
    '%i with a lifetime',
    (status) => {
      expect(why(FRESH, { status })).toBe('');
    },
  );
});

describe('to a request with Authorization (§3.5)', () => {
  const request: Lines = [['Authorization', 'Basic YTpi']];
  test.each([
    ['max-age=60', 'authorization'],
    ['max-age=60, public', ''],
    ['max-age=60, must-revalidate', ''],
    ['s-maxage=60', ''],
    ['s-maxage=0', ''],
    ['max-age=60, proxy-revalidate', 'authorization'],
    ['max-age=60, no-cache', 'authorization'],
    ['max-age=60, public=1', 'authorization'],
    ['public, private', 'private'],
  ])('%s: %j', (value, reason) => {
    expect(why([['Cache-Control', value]], { request })).toBe(reason);
  });
});

describe('with Set-Cookie', () => {
  const cookie = ['Set-Cookie', 'a=b'] as const;

  test('it is somebody’s own unless the origin says that it is for all', () => {
    expect(why([cookie])).toBe('set_cookie');
    expect(why([cookie, ['Last-Modified', 'Sun, 06 Nov 1994 08:49:37 GMT']])).toBe('set_cookie');
    expect(why([cookie, ...FRESH])).toBe('');
    expect(why([cookie, ['Cache-Control', 'public']])).toBe('');
  });

  test('the config may forbid it altogether', () => {
    expect(why([cookie, ...FRESH], { setCookie: false })).toBe('set_cookie');
    expect(why([cookie, ['Cache-Control', 'public, max-age=60']], { setCookie: false })).toBe('set_cookie');
    expect(why(FRESH, { setCookie: false })).toBe('');
  });
});

describe('fields that are not stored (§3.1)', () => {
  const names = (...lines: Lines): readonly string[] => {
    const fields = Fields.of(lines);
    return unstorableFields(fields, responseDirectives(fields.get('cache-control')));
  };

  test.each([
    'connection',
    'keep-alive',
    'proxy-authenticate',
    'proxy-authentication-info',
    'proxy-authorization',
    'proxy-connection',
    'te',
    'transfer-encoding',
    'upgrade',
  ])('%s never', (name) => {
    expect(names()).toContain(name);
    expect(names(['Connection', 'x'])).toContain(name);
  });

  test('what Connection names, but not what the stored response can’t do without', () => {
    const found = names(['Connection', 'A, b ,,close'], ['Connection', 'c, Vary, Cache-Control, date']);
    expect(found).toEqual(expect.arrayContaining(['a', 'b', 'c', 'close']));
    for (const needed of ['vary', 'cache-control', 'date', '']) expect(found).not.toContain(needed);
  });

  test('what private names; what no-cache names may be', () => {
    const found = names(['Cache-Control', 'private="Set-Cookie, X", no-cache="y"']);
    expect(found).toEqual(expect.arrayContaining(['set-cookie', 'x']));
    expect(found).not.toContain('y');
  });

  test('with none of these it is always the same list', () => {
    expect(names(['A', '1'])).toBe(names(['Cache-Control', 'max-age=1']));
  });
});
