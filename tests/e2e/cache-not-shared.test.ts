/** A client never gets the response of another one that the rules do not let it have (RFC 9111 §4), waiting, stale or with credentials. */
import { describe, expect, test } from 'vitest';
import { type AnswerOf, cached } from '../support/cached.ts';
import { until } from '../support/gateway.ts';

const FRESH = { 'Cache-Control': 'max-age=60' };

describe('those who ask for the same thing at once', () => {
  test.each(['max-age=0', 'no-cache, max-age=60', 's-maxage=0, max-age=60'])(
    'do not share what each must have asked for: %s',
    async (says) => {
      let count = 0;
      const waiting: (() => void)[] = [];
      await using it = await cached((_, response) =>
        waiting.push(() => response.writeHead(200, { 'Cache-Control': says }).end(`answer ${++count}`)),
      );
      const all = [it.ask('/'), it.ask('/'), it.ask('/')];
      const { metrics } = it.gateway.running.gateway;
      await until(() => waiting.length === 1 && metrics.caches.get('pages')!.collapsed === 2, 'two wait for the first');
      waiting[0]!();
      await until(() => waiting.length === 3, 'they ask by themselves');
      for (const answer of waiting.slice(1)) answer();
      const bodies = (await Promise.all(all)).map(({ body }) => body);
      expect(bodies.toSorted()).toEqual(['answer 1', 'answer 2', 'answer 3']);
    },
  );

  test('do not share what a check makes private', async () => {
    const waiting: (() => void)[] = [];
    await using it = await cached(({ headers }, response) => {
      if (it.origin.requests.length === 1) return void response.writeHead(200, { ...FRESH, ETag: '"a"' }).end('old');
      const condition = headers['if-none-match'];
      const own = { 'Cache-Control': 'private, max-age=60', ETag: '"a"', 'X-Condition': condition ?? 'none' };
      waiting.push(() => response.writeHead(condition === undefined ? 200 : 304, own).end());
    });
    await it.ask('/');
    it.clock.shift(61_000);
    const two = [it.ask('/'), it.ask('/')];
    const { metrics } = it.gateway.running.gateway;
    await until(() => waiting.length === 1 && metrics.caches.get('pages')!.collapsed === 1, 'one waits for the other');
    waiting[0]!();
    await until(() => waiting.length === 2, 'it asks by itself');
    waiting[1]!();
    const said = (await Promise.all(two)).map(({ headers }) => String(headers['x-condition']));
    expect(said.toSorted()).toEqual(['"a"', 'none']);
  });
});

/** The page of one user, as an application sends it that has never thought of caches. */
const OWN = {
  nothing: {},
  'an entity-tag': { ETag: '"a"' },
  'max-age=0': { 'Cache-Control': 'max-age=0' },
  'a past Expires': { Expires: 'Thu, 01 Jan 1970 00:00:00 GMT' },
};

/** Every way in which the config or a client may widen the use of what is stale. */
const WIDENED: readonly (readonly [object, string])[] = [
  [{}, ''],
  [{}, 'max-stale'],
  [{}, 'max-stale=3600'],
  [{}, 'stale-if-error=3600'],
  [{ stale_if_error: '1h' }, ''],
  [{ stale_if_unreachable: '1h' }, 'max-stale, stale-if-error=3600'],
  [{ stale_while_revalidate: '1h' }, ''],
  [{ stale_while_revalidate: '1h' }, 'max-stale'],
];

describe('a page that was stored only to be validated', () => {
  const cases = Object.entries(OWN).flatMap(([name, fields]) =>
    WIDENED.map(([policy, asked]) => [name, policy, asked, fields] as const),
  );

  test.each(cases)('with %s is no other user’s, by %j and a request with %j', async (_, policy, asked, fields) => {
    for (const failure of ['none', '503', 'gone'] as const) {
      let count = 0;
      await using it = await cached(({ headers }, response) => {
        if (++count === 1 || failure === 'none') response.writeHead(200, fields).end(`page of ${headers.cookie}`);
        else if (failure === '503') response.writeHead(503).end('busy');
        else response.destroy();
      }, policy);
      const first = await it.ask('/', { headers: { cookie: 'user=anna' } });
      expect(first.body).toBe('page of user=anna');
      const headers = { cookie: 'user=bert', ...(asked === '' ? {} : { 'cache-control': asked }) };
      const second = await it.ask('/', { headers });
      expect([second.status, second.body]).toEqual([
        { none: 200, 503: 503, gone: 502 }[failure],
        failure === 'none' ? 'page of user=bert' : expect.not.stringContaining('anna'),
      ]);
      await it.settled();
    }
  });

  test.each([
    ['its own stale-if-error', { 'Cache-Control': 'max-age=0, stale-if-error=60' }, {}],
    ['its own freshness, over', { 'Cache-Control': 'max-age=5' }, {}],
    ['a Last-Modified', { 'Last-Modified': 'Thu, 01 Jan 2015 00:00:00 GMT' }, { max_ttl: '5s' }],
    ['default_ttl', {}, { default_ttl: '5s' }],
  ])('is given stale where that is permitted: %s', async (_, fields, policy) => {
    let count = 0;
    await using it = await cached((_request, response) => {
      if (++count === 1) response.writeHead(200, fields).end('for all');
      else response.destroy();
    }, policy);
    await it.ask();
    it.clock.shift(20_000);
    expect(await it.ask()).toMatchObject({ status: 200, body: 'for all' });
  });
});

describe('requests with credentials', () => {
  const headers = { authorization: 'Basic YW5uYTph' };

  test('are not answered with what an anonymous one is fetching', async () => {
    const waiting: (() => void)[] = [];
    await using it = await cached((request, response) =>
      waiting.push(() => response.writeHead(200, FRESH).end(request.headers.authorization ?? 'anonymous')),
    );
    const anonymous = it.ask('/');
    await until(() => waiting.length === 1, 'the anonymous one is sent on');
    const own = it.ask('/', { headers });
    await until(() => waiting.length === 2, 'it does not wait');
    for (const answer of waiting) answer();
    expect((await anonymous).body).toBe('anonymous');
    expect((await own).body).toBe(headers.authorization);
    expect((await it.ask('/')).body).toBe('anonymous');
  });

  test('nor stale with what was stored for anonymous ones', async () => {
    let count = 0;
    await using it = await cached((_, response) => {
      if (++count === 1) response.writeHead(200, FRESH).end('anonymous');
      else response.destroy();
    });
    await it.ask('/');
    it.clock.shift(61_000);
    expect((await it.ask('/', { headers })).status).toBe(502);
    expect((await it.ask('/')).body).toBe('anonymous');
  });

  test('nor by a HEAD or a range of what is stored', async () => {
    await using it = await cached(({ headers: { authorization = 'none' } }, response) =>
      response.writeHead(200, { ...FRESH, 'X-Asked-By': authorization }).end('0123456789'),
    );
    await it.ask('/');
    const head = await it.ask('/', { method: 'HEAD', headers });
    const range = await it.ask('/', { headers: { ...headers, range: 'bytes=0-1' } });
    for (const answer of [head, range]) expect(answer.headers['x-asked-by']).toBe(headers.authorization);
  });
});

describe('what a request can do to be stored for others', () => {
  const KEYED = { key: { headers: ['x-lang'], cookies: ['cur'] } };
  const seen: AnswerOf = ({ headers }, response) =>
    response
      .writeHead(200, { ...FRESH, Vary: 'X-Tenant' })
      .end([headers['x-lang'], headers['x-tenant'], headers.cookie, headers.host].join(' '));

  test.each([
    ['x-lang', { 'x-lang': 'de' }],
    ['X-LANG', { 'x-lang': 'de' }],
    [',\tx-tenant\t,', { 'x-tenant': 'a' }],
    ['cookie', { cookie: 'cur=eur' }],
  ])('a field that Connection names (%j) selects nothing', async (connection, headers) => {
    await using it = await cached(seen, {}, KEYED);
    const hidden = await it.ask('/', { headers: { ...headers, connection } });
    const open = await it.ask('/', { headers });
    expect(hidden.body).not.toContain(Object.values(headers)[0]);
    expect(open.body).toContain(Object.values(headers)[0]);
  });

  test.each(['x%2Eexample', 'x.example:', 'x.example:00080', '%78.example'])(
    'a Host of another spelling (%s) reaches the backend as it is keyed',
    async (host) => {
      await using it = await cached(seen);
      const odd = await it.ask('/', { headers: { host } });
      expect(odd.body.trim()).toMatch(/^x\.example(?::80)?$/);
      expect((await it.ask('/', { headers: { host: 'x.example' } })).headers['cache-status']).toContain('hit');
    },
  );

  test.each([
    ['cur =eur', 'cur=eur'],
    ['cur=eur; cur=usd', 'cur=eur'],
    ['cur=eur; cur=usd', 'cur=usd'],
  ])('a cookie %j is not taken for %j', async (cookie, plain) => {
    await using it = await cached(seen, { bypass: [{ cookie: 'session' }] }, KEYED);
    const first = await it.ask('/', { headers: { cookie } });
    const second = await it.ask('/', { headers: { cookie: plain } });
    if (cookie === 'cur =eur') expect(second.body).toBe(first.body);
    else expect(second.body).toContain(plain);
  });

  test('nor does a blank hide a cookie from a rule', async () => {
    await using it = await cached(seen, { bypass: [{ cookie: 'session', value: 'b' }] });
    for (const cookie of ['session=b', 'session =b', 'session=a; session=b'])
      expect((await it.ask('/', { headers: { cookie } })).headers['cache-status']).toContain('fwd=bypass');
  });

  test('repeated parameters keep their order where parameters are sorted', async () => {
    await using it = await cached(seen, {}, { key: { sort_query: true } });
    const statuses: string[] = [];
    for (const query of ['?b=1&a=1', '?a=1&b=1', '?a=1&a=2', '?a=2&a=1'])
      statuses.push(String((await it.ask(`/${query}`)).headers['cache-status']));
    expect(statuses.map((text) => text.includes('hit'))).toEqual([false, true, false, false]);
  });

  test.each([
    ['no cookie', {}, {}, true],
    ['a cookie', { cookie: 'user=anna' }, {}, false],
    ['a cookie, public', { cookie: 'user=anna' }, { 'Cache-Control': 'public' }, true],
  ])('a page is fresh by its Last-Modified: %s', async (_, headers, says, expected) => {
    await using it = await cached((_request, response) =>
      response.writeHead(200, { 'Last-Modified': 'Thu, 01 Jan 2015 00:00:00 GMT', ...says }).end('x'),
    );
    await it.ask('/', { headers });
    const second = await it.ask('/', { headers: { cookie: 'user=bert' } });
    expect(String(second.headers['cache-status']).includes('hit')).toBe(expected);
  });
});
