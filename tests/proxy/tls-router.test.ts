/** Which TLS route takes a connection: the order of the routes, names, protocols, and what none of them takes. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PoolPlan } from '../../src/plan/types/pool.ts';
import type { ListenerTlsPlan, TlsMatchPlan } from '../../src/plan/types/tls.ts';
import { type Opening, TlsRouter, type TlsRouting } from '../../src/proxy/tls-router.ts';

/** Only its name is read. */
const pool = (name: string): PoolPlan => ({ name }) as PoolPlan;
const TLS = {} as ListenerTlsPlan;
const TCP: TlsRouting = { protocol: 'tcp', pool: null, plainPool: null, tls: null, tlsRoutes: [] };

function routesOf(...matches: readonly Partial<TlsMatchPlan>[]): TlsRouting['tlsRoutes'] {
  return matches.map((match, i) => ({
    name: `r${i}`,
    match: { serverName: null, alpn: null, ...match },
    mode: 'passthrough',
    pool: pool(`p${i}`),
  }));
}

function routerOf(routing: Partial<TlsRouting>): TlsRouter<string> {
  return new TlsRouter({ ...TCP, ...routing }, ({ name }) => name);
}

const hello = (serverName: string, ...protocols: string[]): Opening => ({ serverName, protocols });

test('the first route that matches wins, whatever index finds it', () => {
  const router = routerOf({
    tlsRoutes: routesOf(
      { alpn: ['acme-tls/1'] },
      { serverName: ['a.example', '*.b.example'] },
      { serverName: ['*.example'], alpn: ['h2'] },
      { serverName: ['c.b.example'] },
      { serverName: ['a.example'] },
    ),
  });
  const routes = [
    hello('a.example'),
    hello('a.example', 'acme-tls/1'),
    hello('c.b.example'),
    hello('b.example', 'http/1.1', 'h2'),
    hello('b.example', 'http/1.1'),
    hello('example', 'h2'),
    hello('', 'acme-tls/1'),
    hello(''),
  ].map((one) => router.choose(one).route);
  expect(routes).toEqual(['r1', 'r0', 'r1', 'r2', '', '', 'r0', '']);
});

test.each<[string, Partial<TlsRouting>, Opening, string, string | null]>([
  ['tcp without a pool refuses', {}, hello('x'), 'refuse', null],
  ['tcp relays to its pool', { pool: pool('all') }, hello('x'), 'relay', 'all'],
  ['tcp with TLS decrypts for its pool', { pool: pool('all'), tls: TLS }, hello('x'), 'terminate', 'all'],
  ['tcp with TLS and no pool refuses', { tls: TLS }, hello('x'), 'refuse', null],
  ['http decrypts', { protocol: 'http', tls: TLS }, hello('x'), 'terminate', null],
  ['unread goes to the pool', { pool: pool('all') }, 'unread', 'relay', 'all'],
  ['plain is refused', { pool: pool('all') }, 'plain', 'refuse', null],
  ['plain goes to its own pool', { pool: pool('all'), plainPool: pool('plain') }, 'plain', 'relay', 'plain'],
])('what no route takes: %s', (_, routing, opening, action, to) => {
  expect(routerOf(routing).choose(opening)).toEqual({ action, route: '', pool: to });
});

test('it finds what a search through all routes finds', () => {
  const label = fc.constantFrom('a', 'b', 'c');
  const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
  const pattern = fc.tuple(fc.boolean(), name).map(([wild, one]) => (wild ? `*.${one}` : one));
  const protocols = fc.subarray(['h2', 'http/1.1', 'x']);
  const match = fc.record({
    serverName: fc.option(fc.array(pattern, { minLength: 1, maxLength: 3 })),
    alpn: fc.option(fc.subarray(['h2', 'http/1.1', 'x'], { minLength: 1 })),
  });
  const matches = ({ serverName, alpn }: TlsMatchPlan, asked: string, offered: readonly string[]): boolean =>
    (serverName === null ||
      serverName.some((one) => (one.startsWith('*') ? asked.endsWith(one.slice(1)) : one === asked))) &&
    (alpn === null || alpn.some((one) => offered.includes(one)));
  fc.assert(
    fc.property(
      fc.array(match, { maxLength: 12 }),
      fc.oneof(name, fc.constant('')),
      protocols,
      (all, asked, offered) => {
        const found = all.findIndex((one) => matches(one, asked, offered));
        const { route } = routerOf({ tlsRoutes: routesOf(...all) }).choose(hello(asked, ...offered));
        expect(route).toBe(found < 0 ? '' : `r${found}`);
      },
    ),
    { numRuns: 2000 },
  );
});
