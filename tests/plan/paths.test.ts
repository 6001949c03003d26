/** Conditions in the form that requests have: what means the same is accepted, what could never apply is a problem. */
import { describe, expect, test } from 'vitest';
import { planOf, problemsOf } from './plan-of.ts';

const WEB = { address: '127.0.0.1:0' };

function config(route: object, paths: object = {}): object {
  return { listeners: { web: { ...WEB, paths } }, routes: [{ name: 'r', match: {}, respond: {}, ...route }] };
}

const matchOf = (match: object, paths: object = {}) => planOf(config({ match }, paths)).routes[0]!.match;
const problems = (match: object, paths: object = {}) => problemsOf(config({ match }, paths));

describe('a path', () => {
  test.each([
    ['/über', '/%C3%BCber'],
    ['/%c3%bcber', '/%C3%BCber'],
    ['/a b', '/a%20b'],
    ['/%7Ea', '/~a'],
    ['/%40a', '/@a'],
    ['/%7Ba%7d|', '/{a}|'],
    ['/100%25', '/100%25'],
    ['/a%3fb%23', '/a%3Fb%23'],
  ])('%s is matched as requests have it: %s', (written, value) => {
    expect(matchOf({ path: written }).path).toEqual({ kind: 'prefix', value });
    expect(matchOf({ path: { exact: written } }).path).toEqual({ kind: 'exact', value });
  });

  test.each<[string, string]>([
    [
      '/a?b',
      'has a query, which is no part of the path (write /a and match its parameters by query; %3F is a question mark in a path)',
    ],
    ['/a#b', 'has a fragment, which no request has (write /a%23b)'],
    ['/a\\b', 'has a backslash, which no request has in its path (write /a/b)'],
    ['/100%', 'has a % that begins no encoding (write /100%25)'],
    ['/a/../b', 'is not in normal form and would never match (write /b)'],
    ['/./', 'is not in normal form and would never match (write /)'],
    [
      '/a%2fb',
      'is not in normal form and would never match (write /a/b, or set paths.encoded_slash to keep on listener web)',
    ],
    [
      '/a//b',
      'is not in normal form and would never match (write /a/b, or set paths.repeated_slashes to keep on listener web)',
    ],
    [
      '/a;v=1/b',
      'is not in normal form and would never match (write /a/b, or set paths.parameters to keep on listener web)',
    ],
    [
      '/a/..;/b',
      'would never match: requests for it are refused on listener web (hidden_dot_segment) (write the path without dot segments)',
    ],
    [
      '/a%0a',
      'would never match: requests for it are refused on listener web (control_character) (set paths.control_characters to keep)',
    ],
  ])('that no request has is a problem: %s', (written, problem) => {
    for (const path of [{ exact: written }, written])
      expect(problems({ path })).toEqual([`/routes/0/match/path: ${problem}`]);
  });

  test('is judged by the settings of the listeners that the route serves', () => {
    const keep = { encoded_slash: 'keep', repeated_slashes: 'keep', parameters: 'keep' };
    expect(matchOf({ path: '/a%2fb//c;d' }, keep).path).toEqual({ kind: 'prefix', value: '/a%2Fb//c;d' });
    const both = {
      listeners: { web: { ...WEB, paths: keep }, other: WEB, raw: { ...WEB, protocol: 'tcp', pool: 'p' } },
      pools: { p: { endpoints: ['a:1'] } },
    };
    const route = { name: 'r', match: { path: '/a;b' }, respond: {} };
    expect(problemsOf({ ...both, routes: [route] })).toEqual([
      '/routes/0/match/path: is not in normal form and would never match (write /a, or set paths.parameters to keep on listener other)',
    ]);
    expect(problemsOf({ ...both, routes: [{ ...route, listeners: ['web'] }] })).toEqual([]);
    const refused = { web: { ...WEB, paths: { encoded_slash: 'refuse' } } };
    expect(problemsOf({ listeners: refused, routes: [{ ...route, match: { path: '/a%2Fb' } }] })).toEqual([
      '/routes/0/match/path: would never match: requests for it are refused on listener web (encoded_slash) (set paths.encoded_slash to another value, or write a slash)',
    ]);
    // The same text, and two meanings: a slash to one, a character to the other.
    const two = { web: { ...WEB, paths: keep }, other: { ...WEB, paths: { ...keep, parameters: 'remove' } } };
    expect(problemsOf({ listeners: two, routes: [{ ...route, match: { path: '/a%3Bb' } }] })).toHaveLength(1);
  });

  test.each<[string, string]>([
    ['^/über', 'would never match: paths have such characters percent-encoded (write ^/%C3%BCber)'],
    ['^/a b$', 'would never match: paths have such characters percent-encoded (write ^/a%20b$)'],
    ['^/a\\?x=1', 'would never match: the query is no part of the path (match its parameters by query)'],
    ['^/a#b', 'would never match: no request has a fragment'],
    ['^api/', 'would never match: a path begins with a slash (write ^/api/)'],
    ['^/%c3%bc', 'is not in normal form and would never match (write /%C3%BC in place of /%c3%bc)'],
    ['^/%61', 'is not in normal form and would never match (write /a in place of /%61)'],
    [
      '^/[a-z]+%2Fb',
      'would never match: rules do not see an encoded slash: it is a slash to them (leave it out, or set paths.encoded_slash to keep on listener web)',
    ],
    [
      '^/(x|y)//b',
      'would never match: rules do not see repeated slashes: they are one to them (leave it out, or set paths.repeated_slashes to keep on listener web)',
    ],
    [
      '^/a;v=',
      'would never match: rules do not see parameters (";") (leave it out, or set paths.parameters to keep on listener web)',
    ],
  ])('pattern that no path meets is a problem: %s', (regex, problem) => {
    expect(problems({ path: { regex } })).toEqual([`/routes/0/match/path: ${problem}`]);
  });

  test.each([
    '^/a',
    'b$',
    '^/a(\\?.*)?$',
    '^/a\\??',
    '^/(ü|u)',
    '^/a|^/ü',
    '[ü]?x',
    '^/%C3%BC',
    '^/x{1,2}/[^/]+\\.html$',
    '',
    '^.',
    '^[^x]',
    '^/a//?b',
    '^/%20',
    '^/\\d+/',
  ])('pattern that some path may meet is none: %s', (regex) => expect(problems({ path: { regex } })).toEqual([]));
});

const NO_HOST = 'must be a host name, without scheme, port and path; an IPv6 address in brackets';

describe('a host', () => {
  test.each([
    ['bücher.example', 'xn--bcher-kva.example'],
    ['*.BÜCHER.example.', '*.xn--bcher-kva.example'],
    ['Example.COM.', 'example.com'],
    ['[0:0:0:0:0:0:0:1]', '[::1]'],
    ['[2001:DB8::A]', '[2001:db8::a]'],
  ])('%s is matched as requests have it: %s', (host, right) => {
    expect(matchOf({ host }).hosts).toEqual([right]);
  });

  test.each([
    ['example.com:8080', `${NO_HOST} (write example.com)`],
    ['http://example.com/x', `${NO_HOST} (write example.com)`],
    ['example.com/x', `${NO_HOST} (write example.com)`],
    ['::1', `${NO_HOST} (write [::1])`],
    ['[fe80::1%eth0]', NO_HOST],
    ['1.2.3', NO_HOST],
    ['*', 'must be a host name; leave it out for all hosts'],
    ['*.*.com', 'may have a star only in front: *.example.com'],
    ['a.*', 'may have a star only in front: *.example.com'],
    ['*.[::1]', 'may have a star only in front of a name: an address has none below it'],
    ['a b', NO_HOST],
  ])('that no request has is a problem: %s', (host, problem) => {
    expect(problems({ host })).toEqual([`/routes/0/match/host/0: ${problem}`]);
  });
});

describe('a method', () => {
  test('that is written in lower case is meant as requests have it, once', () => {
    expect(matchOf({ methods: ['get', 'GET', 'Head', 'purge'] }).methods).toEqual(['GET', 'HEAD', 'purge']);
  });
});

describe('a value', () => {
  test.each<[object, string]>([
    [
      { headers: { 'x-a': ' b ' } },
      '/routes/0/match/headers/x-a: would never match: values have no white space around them (write "b")',
    ],
    [
      { headers: { 'x-a': 'b\nc' } },
      '/routes/0/match/headers/x-a: would never match: no field value has control characters or line breaks',
    ],
    [{ headers: { 'x a': 'b' } }, '/routes/0/match/headers/x a: is not a header field name'],
    [{ headers: { 'x-a:': 'b' } }, '/routes/0/match/headers/x-a:: is not a header field name'],
    [
      { query: { 'a%20b': { present: true } } },
      '/routes/0/match/query/a%20b: a%20b would never match: the query of a request is compared decoded (write "a b")',
    ],
    [
      { query: { q: 'a%2Bb' } },
      '/routes/0/match/query/q: a%2Bb would never match: the query of a request is compared decoded (write "a+b")',
    ],
    [
      { query: { q: { regex: '^a%20b' } } },
      '/routes/0/match/query/q: ^a%20b would never match: the query of a request is compared decoded (write "^a b")',
    ],
    [
      { headers: { 'x-a': { regex: '^日' } } },
      '/routes/0/match/headers/x-a: would never match: values are read byte by byte (write ^\\xe6\\x97\\xa5)',
    ],
  ])('that no request has is a problem: %j', (match, problem) => expect(problems(match)).toEqual([problem]));

  test('of a field that is not ASCII is met in Latin-1 and in UTF-8', () => {
    const [plan] = matchOf({ headers: { 'X-Name': 'Zoë (1)' } }).headers;
    expect(plan).toMatchObject({ name: 'x-name', kind: 'regex' });
    const pattern = new RegExp(plan!.value);
    expect(
      ['Zoë (1)', Buffer.from('Zoë (1)').toString('latin1'), 'Zoe (1)', 'Zoë 1'].map((one) => pattern.test(one)),
    ).toEqual([true, true, false, false]);
  });
});

describe('a rewrite', () => {
  const pools = { app: { endpoints: ['a:1'] } };
  const forwarded = { respond: undefined, pool: 'app' };
  const rewrite = (path: string, prefix: string, replacement = '/'): object => ({
    ...config({ match: { path }, policies: [{ type: 'rewrite', prefix, replacement }], ...forwarded }),
    pools,
  });

  test('has its prefix as rules see it, and its replacement as it is sent', () => {
    expect(planOf(rewrite('/ü', '/%c3%bc/', '/ä b')).routes[0]!.policies).toEqual([
      { type: 'rewrite', prefix: '/%C3%BC', replacement: '/%C3%A4%20b' },
    ]);
  });

  test('of what the route never takes is a problem', () => {
    expect(problemsOf(rewrite('/api', '/v1'))).toEqual([
      '/routes/0/policies/0/prefix: never applies: the route takes /api (write /api)',
    ]);
    for (const [path, prefix] of [
      ['/api', '/api'],
      ['/api/v1', '/api'],
      ['/api', '/api/v1'],
      ['/', '/x'],
    ] as const)
      expect(problemsOf(rewrite(path, prefix))).toEqual([]);
    const two = [
      { type: 'rewrite', prefix: '/api', replacement: '/v1' },
      { type: 'rewrite', prefix: '/v1' },
    ];
    expect(problemsOf({ ...config({ match: { path: '/api' }, policies: two, ...forwarded }), pools })).toEqual([]);
  });
});

describe('a cache', () => {
  const KEY = '/caches/pages/key';
  test.each<[object, string]>([
    [
      { query: ['a%20b'] },
      `${KEY}/query/0: a%20b would never match: the query of a request is compared decoded (write "a b")`,
    ],
    [{ ignore_query: ['utm_*'] }, `${KEY}/ignore_query/0: utm_* would never match: names are no patterns (name each)`],
    [{ cookies: ['a=b'] }, `${KEY}/cookies/0: must be a cookie name`],
    [{ headers: ['a b'] }, `${KEY}/headers/0: must be a header field name`],
  ])('key that no request has is a problem: %j', (key, problem) => {
    expect(problemsOf({ caches: { pages: { key } } })).toEqual([problem]);
  });

  test.each<[object, string]>([
    [
      { query: 'q', value: 'a%20b' },
      'a%20b would never match: the query of a request is compared decoded (write "a b")',
    ],
    [{ header: 'x-a', value: ' b' }, 'would never match: values have no white space around them (write "b")'],
  ])('condition that no request meets is a problem: %j', (condition, problem) => {
    const policies = [{ type: 'cache', cache: 'pages', bypass: [condition] }];
    const pools = { p: { endpoints: ['a:1'] } };
    expect(
      problemsOf({ pools, caches: { pages: {} }, routes: [{ name: 'r', match: {}, policies, pool: 'p' }] }),
    ).toEqual([`/routes/0/policies/0/bypass/0: ${problem}`]);
  });
});

describe('a network', () => {
  test.each([
    ['10.0.0.1/8', 'has bits beyond its prefix; the network is 10.0.0.0/8'],
    ['2001:db8::1/32', 'has bits beyond its prefix; the network is 2001:db8::/32'],
    ['10.0.0.1/33', 'has a prefix length that is not within 0 and 32'],
    ['fe80::1%eth0', 'has a zone, without which addresses are compared'],
    ['10.0.0.1-10.0.0.9', 'is not an IP address or network'],
    ['localhost', 'is not an IP address or network'],
  ])('that no address is in as it is written is a problem: %s', (network, problem) => {
    expect(problemsOf({ acls: { office: { deny: [network] } } })).toEqual([`/acls/office/deny/0: ${problem}`]);
    expect(problemsOf({ listeners: { web: { ...WEB, trusted_proxies: [network] } } })).toEqual([
      `/listeners/web/trusted_proxies/0: ${problem}`,
    ]);
  });

  test.each(['::/0', '0.0.0.0/0', '::ffff:10.0.0.1', '2001:db8::/32', '::1', '::ffff:0:0/96'])(
    'is fine: %s',
    (network) => expect(problemsOf({ acls: { office: { deny: [network] } } })).toEqual([]),
  );
});

test('a redirect has its host and path as clients take them', () => {
  const redirect = { host: 'bücher.example', path: '/größe x' };
  expect(planOf(config({ respond: undefined, redirect })).routes[0]!.action).toMatchObject({
    redirect: { host: 'xn--bcher-kva.example', path: '/gr%C3%B6%C3%9Fe%20x' },
  });
});
