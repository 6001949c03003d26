/**
 * Any sequence of edits with streams under way: one whose own way through the config stays as it is goes on and is on the
 * current generation; one whose way has changed is where it was, and ends. Nothing is left.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyPlan } from '../../src/runtime/reload/reload-path.ts';
import type { Origin } from '../support/origin.ts';
import { planOf } from '../plan/plan-of.ts';
import { type TestGateway, testGateway, until } from '../support/gateway.ts';
import type { RawClient } from '../support/raw-client.ts';
import { chat, chatOrigin, echoes } from '../support/streams.ts';

/** What an edit may choose. Endpoints by their index; there are three. */
interface Shape {
  readonly listenerAllows: boolean;
  readonly routeAllows: boolean;
  readonly routeHasAcl: boolean;
  readonly header: number;
  readonly endpoints: readonly number[];
  readonly connect: number;
  readonly inFront: 'none' | 'elsewhere' | 'same path' | 'by header';
  readonly second: boolean;
  readonly tcp: readonly number[];
  readonly level: string;
  readonly drain: number;
}

const endpoints = fc.subarray([0, 1, 2], { minLength: 1 });
const often = <T>(usual: T, other: T): fc.Arbitrary<T> =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constant(other) });

const shape: fc.Arbitrary<Shape> = fc.record({
  listenerAllows: often(true, false),
  routeAllows: often(true, false),
  routeHasAcl: fc.boolean(),
  header: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
  endpoints,
  connect: fc.integer({ min: 1, max: 3 }),
  inFront: fc.constantFrom('none', 'none', 'elsewhere', 'elsewhere', 'same path', 'by header'),
  second: often(true, false),
  tcp: endpoints,
  level: fc.constantFrom('warn', 'error'),
  drain: fc.integer({ min: 1000, max: 2000 }),
});

const FIRST: Shape = {
  listenerAllows: true,
  routeAllows: true,
  routeHasAcl: false,
  header: 0,
  endpoints: [0, 1, 2],
  connect: 1,
  inFront: 'none',
  second: true,
  tcp: [0, 1, 2],
  level: 'error',
  drain: 1000,
};

function configOf(at: Shape, origins: readonly Origin[]): object {
  const addresses = (indexes: readonly number[]): string[] => indexes.map((i) => `127.0.0.1:${origins[i]!.port}`);
  const front = (match: object): object[] => [{ name: 'front', match, respond: { body: 'front' } }];
  const inFront = {
    none: [],
    elsewhere: front({ path: '/elsewhere' }),
    'same path': front({ path: '/one', methods: ['GET'] }),
    'by header': front({ headers: { 'x-kind': 'marked' } }),
  }[at.inFront];
  const rules = (allows: boolean): object => (allows ? { deny: ['10.0.0.0/8'] } : { deny: ['127.0.0.1'] });
  return {
    version: 1,
    logging: { level: at.level },
    // Nobody is cut for the time: what stays behind is looked at, and ended by the test.
    reload: { drain: `${at.drain}s`, max_generations: 1000 },
    acls: { listener: rules(at.listenerAllows), route: rules(at.routeAllows) },
    listeners: {
      web: { address: '127.0.0.1:0', acl: 'listener' },
      raw: { address: '127.0.0.1:0', protocol: 'tcp', pool: 'tcp' },
    },
    pools: {
      app: { endpoints: addresses(at.endpoints), timeouts: { connect: `${at.connect}s` } },
      tcp: { endpoints: addresses(at.tcp) },
    },
    routes: [
      ...inFront,
      {
        name: 'one',
        match: { path: '/one' },
        pool: 'app',
        policies: [
          ...(at.routeHasAcl ? [{ type: 'acl', acl: 'route' }] : []),
          // The mark goes: who compares it afterwards must look at what was asked for.
          { type: 'headers', request: { set: { 'x-version': String(at.header) }, remove: ['x-kind'] } },
        ],
      },
      ...(at.second ? [{ name: 'two', match: { path: '/two' }, pool: 'app' }] : []),
      { name: 'last', match: {}, respond: { body: 'last' } },
    ],
  };
}

interface Stream {
  readonly client: RawClient;
  readonly path: '/one' | '/two' | 'tcp';
  readonly marked: boolean;
  readonly endpoint: number;
}

/** The stream's own way through a config, as somebody would say it who only reads the file; '': it would be refused. */
function wayOf({ path, marked, endpoint }: Stream, at: Shape): string {
  if (path === 'tcp') return at.tcp.includes(endpoint) ? 'tcp' : '';
  if (!at.listenerAllows || !at.endpoints.includes(endpoint)) return '';
  if (at.inFront === 'by header' && marked) return '';
  if (path === '/two') return at.second ? 'two' : '';
  if (at.inFront === 'same path' || (at.routeHasAcl && !at.routeAllows)) return '';
  return `one ${at.header}`;
}

const opening = fc.array(
  fc.record({ path: fc.constantFrom('/one' as const, '/two' as const, 'tcp' as const), marked: fc.boolean() }),
  { maxLength: 2 },
);

async function openOne(
  gateway: TestGateway,
  origins: readonly Origin[],
  { path, marked }: Pick<Stream, 'path' | 'marked'>,
): Promise<Stream> {
  const before = origins.map(({ received }) => received.length);
  const client =
    path === 'tcp'
      ? await chat(gateway.port('raw'))
      : await chat(gateway.port(), path, marked ? 'X-Kind: marked\r\n' : '');
  return { client, path, marked, endpoint: origins.findIndex(({ received }, i) => received.length > before[i]!) };
}

/** May such a stream be opened at all? */
const takes = (path: Stream['path'], marked: boolean, at: Shape): boolean =>
  [0, 1, 2].some((endpoint) => wayOf({ path, marked, endpoint } as Stream, at) !== '');

test('any edits beneath any streams', { timeout: 120_000 }, async () => {
  await using zero = await chatOrigin();
  await using one = await chatOrigin();
  await using two = await chatOrigin();
  const origins = [zero, one, two];
  const seen = { kept: 0, left: 0, home: 0 };
  const step = fc.record({ next: shape, open: opening });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      await using gateway = await testGateway(configOf(FIRST, origins));
      const { gateway: inner } = gateway.running;
      let streams: { stream: Stream; ways: string[] }[] = [];
      let at = FIRST;
      for (const { next, open } of [{ next: FIRST, open: [] }, ...steps]) {
        if (next !== FIRST) await applyPlan(inner, planOf(configOf(next, origins)));
        at = next;
        for (const { stream, ways } of streams) ways.push(wayOf(stream, at));
        const expected = streams.filter(({ ways }) => ways.at(-1) === ways[0]);
        expect(inner.current!.leases).toBe(expected.length);
        expect(inner.snapshots.reduce((sum, { leases }) => sum + leases, 0)).toBe(streams.length);
        for (const { stream } of streams) await echoes(stream.client);
        seen.kept += expected.length;
        seen.left += streams.length - expected.length;
        seen.home += expected.filter(({ ways }) => ways.at(-2) !== ways[0]).length;
        for (const wanted of open) {
          if (!takes(wanted.path, wanted.marked, at)) continue;
          const stream = await openOne(gateway, origins, wanted);
          streams.push({ stream, ways: [wayOf(stream, at)] });
        }
      }
      for (const { stream } of streams) stream.client.socket.resetAndDestroy();
      await until(() => inner.snapshots.length === 1 && inner.current!.leases === 0, 'all is over');
      streams = [];
    }),
    { numRuns: 100 },
  );
  // All of it has happened, or nothing has been shown.
  expect(Math.min(seen.kept, seen.left, seen.home)).toBeGreaterThan(5);
});
