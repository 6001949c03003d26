/** What explain says becomes of a request is what becomes of it: random routes and requests, by the router and over sockets. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { failedConditions } from '../../src/explain/conditions.ts';
import { explain, type Explanation } from '../../src/explain/explanation.ts';
import { plannedSubject } from '../../src/explain/planned.ts';
import type { AskedRequest } from '../../src/explain/request.ts';
import { splitUrl } from '../../src/explain/request.ts';
import type { RoutePlan } from '../../src/plan/types.ts';
import { Router } from '../../src/proxy/router.ts';
import { explainLive } from '../../src/runtime/views/explaining.ts';
import { problemsOf } from '../plan/plan-of.ts';
import { matchPlan, request } from '../proxy/random-routes.ts';
import { testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';

test('a route has no failed condition exactly if the router would take it', () => {
  let taken = 0;
  fc.assert(
    fc.property(fc.array(matchPlan, { maxLength: 8 }), request, (matches, x) => {
      const routes = matches.map((match, i): RoutePlan => {
        const action = { type: 'respond', status: 200, headers: [], body: '' } as const;
        return {
          name: `r${i}`,
          listeners: null,
          match,
          policies: [],
          action,
          mirror: null,
          mapBack: true,
          timeouts: null,
          limits: null,
          retries: null,
          drain: null,
        };
      });
      const router = new Router<RoutePlan>();
      for (const route of routes) router.add(route.match, route);
      const first = routes.find((route) => failedConditions(route, x).length === 0);
      expect(router.match(x)?.name).toBe(first?.name);
      if (first !== undefined) taken++;
    }),
    { numRuns: 1500 },
  );
  expect(taken).toBeGreaterThan(300);
});

const some = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const often = <T>(one: fc.Arbitrary<T>, seldom: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 9, arbitrary: one }, { weight: 1, arbitrary: seldom });
const maybe = <T>(key: string, one: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> =>
  fc.oneof(
    fc.constant({}),
    one.map((value) => ({ [key]: value })),
  );

const match = fc
  .tuple(
    maybe('host', some('a.test', '*.test', 'b.a.test')),
    maybe('path', some<unknown>('/a', '/a/b', { exact: '/a' }, { regex: 'b$' })),
    maybe('methods', some(['GET'], ['POST', 'OPTIONS'])),
    maybe('headers', some<unknown>({ 'x-a': '1' }, { 'x-b': { present: false } })),
    maybe('query', some<unknown>({ q: '1' }, { q: { present: true } })),
  )
  .map((parts) => Object.assign({}, ...parts) as object);

const policies = fc.subarray([
  { type: 'acl', acl: 'friends' },
  { type: 'headers', request: { set: { 'x-a': 'set' }, remove: ['x-b'] } },
  { type: 'headers', request: { add: { 'x-c': 'added' } } },
  { type: 'rewrite', prefix: '/a', replacement: '/z' },
]);

const route = fc.record({
  match,
  policies,
  action: some<object>({ pool: 'origin' }, { respond: { status: 203 } }, { redirect: { host: 'c.test', status: 307 } }),
  listeners: some<object>({}, {}, { listeners: ['other'] }),
});

const config = fc.record({ routes: fc.array(route, { minLength: 1, maxLength: 7 }), acl: fc.boolean() });

const asked: fc.Arbitrary<AskedRequest> = fc
  .record({
    method: often(some('GET', 'POST'), some('OPTIONS', 'TRACE', 'CONNECT', 'G@T')),
    host: often(some('a.test', 'b.a.test', 'B.A.test:81'), some('x', 'u@x')),
    rest: often(
      some('', '/', '/a', '/a/b', '/a/../b', '/%61/b?q=1', '/a?q', '?q=1', '/b'),
      some('/a%zz', '/a\\b', '/a b'),
    ),
    headers: fc.array(
      often(
        some<readonly [string, string]>(
          ['x-a', '1'],
          ['X-B', '2'],
          ['x-forwarded-for', '10.0.0.66'],
          ['x-forwarded-for', '10.0.0.1'],
          ['connection', 'x-a'],
        ),
        some<readonly [string, string]>(
          ['max-forwards', '0'],
          ['content-length', '0'],
          ['content-length', 'x'],
          ['host', 'b.a.test'],
          ['expect', 'nothing'],
          ['transfer-encoding', 'gzip'],
        ),
      ),
      { maxLength: 3 },
    ),
  })
  .map(({ method, host, rest, headers }) => ({ method, url: `http://${host}${rest}`, client: '127.0.0.1', headers }));

type Config = typeof config extends fc.Arbitrary<infer T> ? T : never;

/** A config as a file has it; routes that can't be (one that is hidden by another) are left out. */
function documentOf({ routes, acl }: Config, origin: number): Record<string, unknown> {
  const document = {
    version: 1,
    acls: { friends: { allow: ['10.0.0.0/8'], deny: ['10.0.0.66'] }, enemies: { deny: ['10.0.0.66'] } },
    pools: { origin: { endpoints: [`127.0.0.1:${origin}`] } },
    listeners: {
      web: { address: '127.0.0.1:0', trusted_proxies: ['127.0.0.1'], ...(acl ? { acl: 'enemies' } : {}) },
      other: { address: '127.0.0.1:0' },
    },
    routes: [] as object[],
  };
  for (const [i, { action, listeners, ...rest }] of routes.entries()) {
    const withIt = [...document.routes, { name: `r${i}`, ...rest, ...action, ...listeners }];
    if (problemsOf({ ...document, routes: withIt }).length === 0) document.routes = withIt;
  }
  return document;
}

/** The bytes of the request, put together without any code of explain. */
function bytesOf({ method, url, headers }: AskedRequest): string {
  const [, authority = '', rest = ''] = /^http:\/\/([^/?]*)(.*)$/.exec(url)!;
  const target =
    method === 'CONNECT'
      ? authority
      : rest.startsWith('/')
        ? rest
        : rest === '' && method === 'OPTIONS'
          ? '*'
          : `/${rest}`;
  const own = headers.some(([name]) => name === 'host') ? [] : [`Host: ${authority}`];
  return [`${method} ${target} HTTP/1.1`, ...own, ...headers.map(([name, value]) => `${name}: ${value}`), '', ''].join(
    '\r\n',
  );
}

test('over sockets: who takes it, what answers it, and every byte of the head that the origin gets', {
  timeout: 120_000,
}, async () => {
  const seen = { pool: 0, policy: 0, listener: 0, gateway: 0, request: 0, respond: 0, redirect: 0 };
  await using origin = await httpOrigin();
  await using gateway = await testGateway(documentOf({ routes: [], acl: false }, origin.port));
  const { gateway: running } = gateway.running;
  await fc.assert(
    fc.asyncProperty(config, fc.array(asked, { minLength: 10, maxLength: 20 }), async (one, requests) => {
      await gateway.edit({
        ...documentOf(one, origin.port),
        logging: { level: running.current!.generation % 2 === 0 ? 'info' : 'warn' },
      });
      expect(gateway.running.reloader.reloads.last!.result).toBe('applied');
      const { plan } = running.current!;
      for (const question of requests) {
        expect(splitUrl(question.url)).not.toBeNull();
        const live = (await explainLive(running, question, 'web', null, true)) as Explanation;
        const planned = (await explain(plannedSubject(plan), question, 'web', true)) as Explanation;
        expect({ ...planned, ...LIVE_ONLY }).toEqual({ ...live, ...LIVE_ONLY });
        const before = origin.requests.length;
        await using client = await RawClient.to(gateway.port('web'));
        const response = await client.send(bytesOf(question)).response(question.method);
        const { outcome } = live;
        seen[outcome.by as keyof typeof seen]++;
        if (outcome.by === 'pool') {
          expect([response.status, origin.requests.length]).toEqual([200, before + 1]);
          const { method, url, rawHeaders } = origin.requests.at(-1)!;
          const raw: string[] = planned.sent!.fields.flat();
          expect(planned.sent!.line).toBe(`${method} ${url} HTTP/1.1`);
          expect(rawHeaders).toEqual(raw);
        } else {
          expect([response.status, origin.requests.length]).toEqual([outcome.status, before]);
          expect(response.headers['location'] ?? null).toBe(outcome.location);
        }
        // The one that wins is the only one that says so, and those before it all lost by something.
        const wins = live.routes.findIndex(({ result }) => result === 'wins');
        expect(wins < 0 ? null : live.routes[wins]!.name).toBe(live.route);
        expect(live.routes.slice(0, wins).every(({ failed }) => failed.length > 0)).toBe(true);
      }
    }),
    { numRuns: 120 },
  );
  // All ends are met.
  expect(Object.entries(seen).filter(([, count]) => count < 10)).toEqual([]);
});

/** Where a plan and a gateway that serves it may differ. */
const LIVE_ONLY = { generation: 0, pools: [], policies: [], sent: null };
