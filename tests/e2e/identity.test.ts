/** What an upstream is told of the client, and whom it is believed from. */
import { describe, expect, test } from 'vitest';
import { problemsOf } from '../plan/plan-of.ts';
import { simpleConfig, testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';

const CLAIMS = {
  host: 'site.test',
  forwarded: 'for=203.0.113.7;proto=https',
  'x-forwarded-for': '203.0.113.7',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'public.test',
  'x-forwarded-port': '443',
};

async function told(listener: object, headers: Record<string, string>, more: object = {}) {
  const origin = await httpOrigin();
  await using _origin = origin;
  await using gateway = await testGateway(
    simpleConfig(origin.port, { listeners: { web: { address: '127.0.0.1:0', ...listener } }, ...more }),
  );
  const { status } = await get(gateway.port(), '/', { headers });
  return { status, headers: origin.requests[0]?.headers ?? {} };
}

test('what a client says of itself is replaced', async () => {
  const { headers } = await told({}, CLAIMS);
  expect(headers).toMatchObject({
    forwarded: 'for=127.0.0.1;host=site.test;proto=http',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'site.test',
  });
  expect(headers['x-forwarded-port']).toBeUndefined();
});

test('what a trusted proxy says is appended to, its word on host, scheme and port stands', async () => {
  const { headers } = await told({ trusted_proxies: ['127.0.0.0/8'] }, CLAIMS);
  expect(headers).toMatchObject({
    forwarded: 'for=203.0.113.7;host=public.test;proto=https, for=127.0.0.1',
    'x-forwarded-for': '203.0.113.7, 127.0.0.1',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'public.test',
    'x-forwarded-port': '443',
  });
});

const TRUSTING = { trusted_proxies: ['127.0.0.1', '10.0.0.0/8'] };
const SENT = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'] as const;

describe('behind a balancer that sends one form, both forms say the same (RFC 7239 §7.4)', () => {
  test.each<[string, Record<string, string>, string[]]>([
    [
      'a scheme alone',
      { 'x-forwarded-proto': 'https' },
      ['for=127.0.0.1;host=a;proto=https', '127.0.0.1', 'a', 'https'],
    ],
    [
      'X-Forwarded-*',
      { 'x-forwarded-for': '2001:db8::1, 10.0.0.1', 'x-forwarded-proto': 'https' },
      [
        'for="[2001:db8::1]";proto=https, for=10.0.0.1, for=127.0.0.1;host=a',
        '2001:db8::1, 10.0.0.1, 127.0.0.1',
        'a',
        'https',
      ],
    ],
    [
      'a scheme for each hop',
      { 'x-forwarded-for': '203.0.113.7, 10.0.0.1', 'x-forwarded-proto': 'https, http' },
      [
        'for=203.0.113.7;proto=https, for=10.0.0.1, for=127.0.0.1;host=a',
        '203.0.113.7, 10.0.0.1, 127.0.0.1',
        'a',
        'https',
      ],
    ],
    [
      'Forwarded',
      { forwarded: 'For="[2001:db8::1]:4711"; Proto=https;host="public.test:8443",for=10.0.0.1' },
      [
        'For="[2001:db8::1]:4711"; Proto=https;host="public.test:8443",for=10.0.0.1, for=127.0.0.1',
        '2001:db8::1, 10.0.0.1, 127.0.0.1',
        'public.test:8443',
        'https',
      ],
    ],
    [
      'Forwarded that a stranger has begun',
      { forwarded: 'for=10.0.0.9;proto=https;host=evil.test, for=203.0.113.7;proto=http;host=b' },
      [
        'for=10.0.0.9;proto=https;host=evil.test, for=203.0.113.7;proto=http;host=b, for=127.0.0.1',
        '10.0.0.9, 203.0.113.7, 127.0.0.1',
        'b',
        'http',
      ],
    ],
    [
      'words that mean nothing',
      { 'x-forwarded-for': 'nonsense', 'x-forwarded-proto': 'gopher', 'x-forwarded-host': 'a b' },
      ['for=unknown, for=127.0.0.1;host=a;proto=http', 'nonsense, 127.0.0.1', 'a', 'http'],
    ],
  ])('%s', async (_, sent, wanted) => {
    const { headers } = await told(TRUSTING, { host: 'a', ...sent });
    expect(SENT.map((name) => headers[name])).toEqual(wanted);
  });

  test('of a balancer that lets the other form through, its own is believed alone', async () => {
    const both = {
      host: 'a',
      forwarded: 'for=203.0.113.7;proto=https',
      'x-forwarded-for': '6.6.6.6',
      'x-forwarded-proto': 'http',
    };
    const { headers } = await told({ ...TRUSTING, identity: { believe: 'forwarded' } }, both);
    expect(SENT.map((name) => headers[name])).toEqual([
      'for=203.0.113.7;proto=https, for=127.0.0.1;host=a',
      '203.0.113.7, 127.0.0.1',
      'a',
      'https',
    ]);
    const other = await told(
      { ...TRUSTING, identity: { believe: 'x_forwarded' } },
      { host: 'a', forwarded: 'for=6.6.6.6' },
    );
    expect(other.headers['x-forwarded-for']).toBe('127.0.0.1');
  });

  test('only the form that is wanted is sent', async () => {
    const names = async (send: string) =>
      Object.keys((await told({ ...TRUSTING, identity: { send } }, CLAIMS)).headers).filter((name) =>
        name.includes('forwarded'),
      );
    expect(await names('forwarded')).toEqual(['forwarded']);
    expect(await names('x_forwarded')).toEqual([
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-forwarded-port',
    ]);
    expect(await names('none')).toEqual([]);
  });

  test('X-Forwarded-Port and X-Real-IP by setting', async () => {
    const identity = { port: true, real_ip: true };
    const own = await told({ identity }, { host: 'a:81', 'x-real-ip': '6.6.6.6' });
    expect([own.headers['x-forwarded-port'], own.headers['x-real-ip']]).toEqual(['81', '127.0.0.1']);
    const { headers } = await told(
      { ...TRUSTING, identity },
      { host: 'a', 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https', 'x-real-ip': '6.6.6.6' },
    );
    expect([headers['x-forwarded-port'], headers['x-real-ip']]).toEqual(['443', '203.0.113.7']);
  });
});

test.each(['::ffff:203.0.113.7', '0:0:0:0:0:FFFF:cb00:7107'])(
  '%s is judged and told as 203.0.113.7',
  async (mapped) => {
    const headers = { host: 'a', 'x-forwarded-for': mapped };
    const listener = { ...TRUSTING, identity: { real_ip: true } };
    const answer = await told(listener, headers);
    expect([answer.headers['x-real-ip'], answer.headers['forwarded']]).toEqual([
      '203.0.113.7',
      'for=203.0.113.7, for=127.0.0.1;host=a;proto=http',
    ]);
    const acls = { a: { default: 'allow', deny: ['203.0.113.7'] } };
    expect((await told({ ...listener, acl: 'a' }, headers, { acls })).status).toBe(403);
  },
);

/** Forms in which a backend might read them, and what is no business of theirs. */
const STRANGE = [
  'x-forwarded-prefix x-forwarded-server x-forwarded-ssl x-forwarded-scheme x-forwarded-uri x-real-ip x-client-ip',
  'true-client-ip cf-connecting-ip x-original-url x-rewrite-url front-end-https client-cert x-ssl-client-verify',
  'ssl-client-cert x-prozy-mirror remote-user proxy-client-ip wl-proxy-client-ip fly-client-ip x-proxyuser-ip',
  'x-forward-for x-http-host-override x-auth-request-user x-auth-request-groups x-authenticated-user x-remote-user',
  'x-webauth-user',
].flatMap((names) => names.split(' '));
const ALIKE = [...STRANGE, 'x-forwarded-for', 'content-length', 'transfer-encoding', 'proxy-authorization']
  .map((name) => name.replaceAll('-', '_'))
  .filter((name) => name.includes('_'));

describe('what strangers say of their identity', () => {
  const claims = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, '666']));
  const passed = async (listener: object, names: readonly string[]) => {
    const { status, headers } = await told(listener, { host: 'a', 'x-application': '666', ...claims(names) });
    return status === 400
      ? 400
      : Object.keys(headers).filter((name) => headers[name] === '666' && name !== 'x-application');
  };

  test('is dropped in every form, but from trusted proxies', async () => {
    expect(await passed({}, [...STRANGE, ...ALIKE, 'x_user'])).toEqual([]);
    expect(await passed(TRUSTING, [...STRANGE, ...ALIKE])).toEqual(STRANGE);
  });

  test('passes where the listener says so, but for what the gateway writes', async () => {
    const identity = { untrusted: 'pass' };
    expect(await passed({ identity }, [...STRANGE, 'x-forwarded-for', 'x-forwarded-port'])).toEqual(STRANGE);
  });

  test('other names with underscores pass or are refused by setting', async () => {
    expect(await passed({ identity: { underscores: 'pass' } }, [...ALIKE, 'x_user'])).toEqual(['x_user']);
    expect(await passed({ identity: { underscores: 'refuse' } }, ['x_user'])).toBe(400);
    expect(await passed({ identity: { underscores: 'refuse' } }, ['x-user'])).toEqual(['x-user']);
  });

  test.each(Array.from("!#$%&'*+.^_`|~"))('is dropped in names with %s for hyphens', async (mark) => {
    const alike = [...STRANGE, 'x-forwarded-for', 'content-length', 'transfer-encoding']
      .filter((name) => name.includes('-'))
      .map((name) => name.replaceAll('-', mark));
    const other = `x${mark}user`;
    expect(await passed({}, [...alike, other])).toEqual([]);
    expect(await passed({ identity: { underscores: 'pass' } }, [...alike, other])).toEqual([other]);
    expect(await passed({ identity: { underscores: 'refuse' } }, [other])).toBe(400);
  });

  test('Proxy is dropped, from every peer (CVE-2016-5385)', async () => {
    const identity = { untrusted: 'pass', underscores: 'pass' };
    for (const listener of [{}, TRUSTING, { identity }])
      expect(await passed(listener, ['proxy', 'x-a'])).toEqual(['x-a']);
  });

  test('is no condition of a route', async () => {
    const routes = [
      { name: 'secure', match: { headers: { 'x-forwarded-proto': 'https' } }, respond: { status: 204 } },
      { name: 'all', match: {}, pool: 'origin' },
    ];
    expect((await told({}, { host: 'a', 'x-forwarded-proto': 'https' }, { routes })).status).toBe(200);
    expect((await told(TRUSTING, { host: 'a', 'x-forwarded-proto': 'https' }, { routes })).status).toBe(204);
  });

  test('in trailers goes no further either', async () => {
    await using origin = await httpOrigin();
    const trailers = [
      'X-Forwarded-Prefix: 1',
      'X_Real_IP: 1',
      'Content_Length: 1',
      'X_User: 1',
      'X.Real~IP: 1',
      'Proxy: 1',
      'X-Sum: 1',
    ];
    for (const [underscores, kept] of [
      ['drop', ['x-sum']],
      ['pass', ['x_user', 'x-sum']],
    ] as const) {
      await using gateway = await testGateway(
        simpleConfig(origin.port, { listeners: { web: { address: '127.0.0.1:0', identity: { underscores } } } }),
      );
      await using client = await RawClient.to(gateway.port());
      client.send(
        `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${trailers.join('\r\n')}\r\n\r\n`,
      );
      expect((await client.response()).status).toBe(200);
      expect(Object.keys(origin.requests.at(-1)!.trailers)).toEqual(kept);
    }
  });
});

describe('a headers policy', () => {
  const edited = async (request: object) => {
    const policies = [{ type: 'headers', request }];
    const routes = [{ name: 'all', match: {}, policies, pool: 'origin' }];
    const listener = { ...TRUSTING, identity: { via: 'both', real_ip: true, port: true } };
    return (await told(listener, { host: 'a', via: '1.1 x', 'x-forwarded-for': '203.0.113.7' }, { routes })).headers;
  };

  test('sets what the gateway writes: one value is sent', async () => {
    const names = [...SENT, 'x-forwarded-port', 'x-forwarded-prefix', 'x-real-ip', 'via'];
    const headers = await edited({ set: Object.fromEntries(names.map((name) => [name, 'mine'])) });
    expect(names.map((name) => headers[name])).toEqual(names.map(() => 'mine'));
  });

  test('removes it, and adds to it', async () => {
    const names = [...SENT, 'x-forwarded-port', 'x-real-ip', 'via'];
    expect(Object.keys(await edited({ remove: names }))).toEqual(['host']);
    expect((await edited({ add: { 'X-Forwarded-For': '198.51.100.9' } }))['x-forwarded-for']).toBe(
      '203.0.113.7, 127.0.0.1, 198.51.100.9',
    );
  });

  test('removes what the gateway writes of a response', async () => {
    await using origin = await httpOrigin();
    const policies = [{ type: 'headers', response: { remove: ['via', 'date', 'set-cookie'] } }];
    await using gateway = await testGateway({
      ...simpleConfig(origin.port, { routes: [{ name: 'all', match: {}, policies, pool: 'origin' }] }),
      pools: { origin: { endpoints: [`127.0.0.1:${origin.port}`], sticky: {} } },
    });
    const { headers } = await get(gateway.port(), '/');
    expect(Object.keys(headers).toSorted()).toEqual(['connection', 'content-length']);
  });

  test('removes what the cache behind it writes', async () => {
    await using origin = await httpOrigin((_, response) => {
      response.setHeader('cache-control', 'max-age=60');
      response.end('x');
    });
    const policies = [
      { type: 'headers', response: { remove: ['age', 'cache-status', 'via'] } },
      { type: 'cache', cache: 'c' },
    ];
    await using gateway = await testGateway({
      ...simpleConfig(origin.port, { routes: [{ name: 'all', match: {}, policies, pool: 'origin' }] }),
      caches: { c: {} },
    });
    for (let i = 0; i < 2; i++) {
      const { headers } = await get(gateway.port(), '/');
      expect(Object.keys(headers)).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/^(age|cache-status|via)$/)]),
      );
    }
    expect(origin.requests).toHaveLength(1);
  });
});

test('the invariant header_never_passed knows what a listener lets through', () => {
  const passed = (header: string, identity: object, policies: object[] = []) =>
    problemsOf({
      listeners: { web: { address: '127.0.0.1:8080', identity } },
      pools: { origin: { endpoints: ['127.0.0.1:3000'] } },
      routes: [{ name: 'all', match: {}, policies, pool: 'origin' }],
      invariants: [{ type: 'header_never_passed', header }],
    }).map((problem) => /passes (\S+) on/.exec(problem)?.[1]);
  const remove = [{ type: 'headers', request: { remove: ['x-user'] } }];
  expect(passed('x-real-ip', {})).toEqual([]);
  expect(passed('x-real-ip', { untrusted: 'pass' })).toEqual(['x-real-ip']);
  expect(passed('x-user', {})).toEqual(['x-user']);
  expect(passed('x-user', {}, remove)).toEqual([]);
  expect(passed('x-user', { underscores: 'refuse' }, remove)).toEqual([]);
  expect(passed('x-user', { underscores: 'pass' }, remove)).toEqual(['x_user']);
  const both = [{ type: 'headers', request: { remove: ['x-user', 'x_user'] } }];
  expect(passed('x-user', { underscores: 'pass' }, both)).toEqual(['x!user']);
});

test('a cache tells apart what trusted proxies tell apart: scheme and host', async () => {
  await using origin = await httpOrigin(({ headers }, response) => {
    response.setHeader('cache-control', 'max-age=60');
    response.end([headers['x-forwarded-proto'], headers['x-forwarded-host']].join('://'));
  });
  const routes = [{ name: 'all', match: {}, policies: [{ type: 'cache', cache: 'c' }], pool: 'origin' }];
  const listeners = { web: { address: '127.0.0.1:0', ...TRUSTING } };
  await using gateway = await testGateway(simpleConfig(origin.port, { listeners, routes, caches: { c: {} } }));
  for (const [proto, host] of [
    ['https', 'a.test'],
    ['http', 'a.test'],
    ['https', 'b.test'],
    ['https', 'a.test'],
  ] as const) {
    const headers = { host: 'inner', 'x-forwarded-proto': proto, 'x-forwarded-host': host };
    expect((await get(gateway.port(), '/', { headers })).body).toBe(`${proto}://${host}`);
  }
  expect(origin.requests).toHaveLength(3);
});

describe('redirects behind a TLS balancer', () => {
  test.each<[string, object, Record<string, string>, string]>([
    ['the scheme that the client has asked for', { path: '/b' }, { 'x-forwarded-proto': 'https' }, 'https://a:81/b'],
    ['its host', { path: '/b' }, { 'x-forwarded-host': 'public.test' }, 'http://public.test/b'],
    [
      'both, by Forwarded',
      { path: '/b' },
      { forwarded: 'for=1.2.3.4;proto=https;host=public.test' },
      'https://public.test/b',
    ],
    ['its host without the port for another scheme', { scheme: 'https' }, { 'x-forwarded-host': 'c:80' }, 'https://c/'],
    ['nothing of a stranger', { path: '/b' }, {}, 'http://a:81/b'],
  ])('%s', async (name, redirect, sent, location) => {
    await using gateway = await testGateway({
      version: 1,
      listeners: { web: { address: '127.0.0.1:0', ...(name.includes('stranger') ? {} : TRUSTING) } },
      routes: [{ name: 'all', match: {}, redirect }],
    });
    const claims = name.includes('stranger') ? { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.test' } : sent;
    expect((await get(gateway.port(), '/', { headers: { host: 'a:81', ...claims } })).headers['location']).toBe(
      location,
    );
  });
});

describe('TE (RFC 9110 §10.1.4)', () => {
  test.each<[string, string, string[]]>([
    ['trailers are asked for', 'TE: trailers\r\n', ['te: trailers', 'connection: te']],
    ['among codings', 'TE: gzip;q=0.5 , trailers\r\n', ['te: trailers', 'connection: te']],
    ['other codings alone', 'TE: gzip, trailers-not\r\n', []],
    ['not by a client without them', '', []],
    [
      'beside an upgrade',
      'TE: trailers\r\nConnection: Upgrade, TE\r\nUpgrade: websocket\r\n',
      ['te: trailers', 'connection: upgrade, te', 'upgrade: websocket'],
    ],
  ])('%s', async (_, lines, wanted) => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway(simpleConfig(origin.port));
    await using client = await RawClient.to(gateway.port());
    client.send(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`);
    await client.response();
    const sent = Buffer.concat(origin.received[0]!).toString('latin1').toLowerCase().split('\r\n');
    expect(sent.filter((line) => /^(te|connection|upgrade):/.test(line))).toEqual(wanted);
  });
});

test('a Forwarded whose quotes do not end is not appended to, even from a trusted proxy', async () => {
  const { headers } = await told({ trusted_proxies: ['127.0.0.1'] }, { host: 'a', forwarded: 'for="[2001:db8::1]' });
  expect(headers['forwarded']).toBe('for=127.0.0.1;host=a;proto=http');
});

test('an IPv6 client and a host with a port are quoted', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(simpleConfig(origin.port, { listeners: { web: { address: '[::1]:0' } } }));
  await get(gateway.port(), '/', { host: '::1', headers: { host: 'site.test:8080' } });
  expect(origin.requests[0]!.headers).toMatchObject({
    forwarded: 'for="[::1]";host="site.test:8080";proto=http',
    'x-forwarded-for': '::1',
  });
});

test.each([
  ['response', '1.1 outer', '1.0 inner, 1.1 prozy'],
  ['request', '1.1 outer, 1.1 prozy', '1.0 inner'],
  ['both', '1.1 outer, 1.1 prozy', '1.0 inner, 1.1 prozy'],
  ['none', '1.1 outer', '1.0 inner'],
  [undefined, '1.1 outer', '1.0 inner, 1.1 prozy'],
])('Via where the listener says %s', async (via, request, response) => {
  await using origin = await httpOrigin((_, answer) => {
    answer.setHeader('via', '1.0 inner');
    answer.end();
  });
  await using gateway = await testGateway(
    simpleConfig(origin.port, { listeners: { web: { address: '127.0.0.1:0', identity: { via } } } }),
  );
  const { headers } = await get(gateway.port(), '/', { headers: { via: '1.1 outer' } });
  expect(origin.requests[0]!.headers['via']).toBe(request);
  expect(headers['via']).toBe(response);
});

test('an ACL judges the client that trusted proxies name, read from the right', async () => {
  const acl = { acls: { a: { default: 'allow', deny: ['203.0.113.0/24'] } } };
  const ask = async (chain: string, trusted: string[]) =>
    (await told({ acl: 'a', trusted_proxies: trusted }, { host: 'a', 'x-forwarded-for': chain }, acl)).status;
  expect(await ask('203.0.113.7', ['127.0.0.1'])).toBe(403);
  expect(await ask('203.0.113.7', [])).toBe(200);
  expect(await ask('203.0.113.7, 198.51.100.1', ['127.0.0.1'])).toBe(200);
  expect(await ask('203.0.113.7, 198.51.100.1', ['127.0.0.1', '198.51.100.1'])).toBe(403);
  expect(await ask('nonsense', ['127.0.0.1'])).toBe(200);
  const forwarded = async (value: string, trusted: string[]) =>
    (await told({ acl: 'a', trusted_proxies: trusted }, { host: 'a', forwarded: value }, acl)).status;
  expect(await forwarded('for=203.0.113.7', ['127.0.0.1'])).toBe(403);
  expect(await forwarded('for=203.0.113.7', [])).toBe(200);
  expect(await forwarded('for=203.0.113.7, for="198.51.100.1:80"', ['127.0.0.1'])).toBe(200);
  expect(await forwarded('for=203.0.113.7, for="198.51.100.1:80"', ['127.0.0.1', '198.51.100.1'])).toBe(403);
  expect(await forwarded('for=_hidden', ['127.0.0.1'])).toBe(200);
  expect(await forwarded('for=203.0.113.7;', ['127.0.0.1'])).toBe(200);
});
