/** What under way goes over to the next generation, and what does not, and why. */
import { describe, expect, test } from 'vitest';
import type { Snapshot } from '../../src/runtime/snapshot/snapshot.ts';
import { collectGarbage } from '../support/garbage.ts';
import { simpleConfig, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { answering, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';
import { chat, chatOrigin, echoes } from '../support/streams.ts';

type Config = Record<string, unknown>;

const leases = ({ running }: TestGateway): number[] => running.gateway.snapshots.map((snapshot) => snapshot.leases);

/** What keeps the only lease of an old generation where it is; null: there is none. */
function pin({ running }: TestGateway): string | null {
  const old = running.gateway.snapshots.slice(1);
  return old.flatMap((snapshot) => [...snapshot.holders].map((holder) => holder.blocker))[0] ?? null;
}

const fixed = (body: string, match: object = { path: { exact: '/fixed' } }): object => ({
  name: 'fixed',
  match,
  respond: { body },
});

const HSTS = { type: 'headers', response: { set: { 'Strict-Transport-Security': 'max-age=1' } } };

test.each([
  ['an exchange before and in its response, a tunnel, a relay', []],
  ['the same behind policies of the listener', [HSTS]],
])('an unrelated edit takes along what is under way: %s', async (_, policies) => {
  await using slow = await rawOrigin((socket) => socket.on('data', () => {}));
  await using begun = await rawOrigin(
    answering((socket) => socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n')),
  );
  await using talking = await chatOrigin();
  const of = (body: string): Config => ({
    version: 1,
    listeners: {
      web: { address: '127.0.0.1:0', policies },
      raw: { address: '127.0.0.1:0', protocol: 'tcp', pool: 'talking' },
    },
    pools: {
      slow: { endpoints: [`127.0.0.1:${slow.port}`] },
      begun: { endpoints: [`127.0.0.1:${begun.port}`] },
      talking: { endpoints: [`127.0.0.1:${talking.port}`] },
    },
    routes: [
      fixed(body),
      { name: 'slow', match: { path: '/slow' }, pool: 'slow' },
      { name: 'begun', match: { path: '/begun' }, pool: 'begun' },
      { name: 'all', match: {}, pool: 'talking' },
    ],
  });
  await using gateway = await testGateway(of('0'));
  await using waiting = await RawClient.to(gateway.port());
  waiting.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
  await using reading = await RawClient.to(gateway.port());
  reading.send('GET /begun HTTP/1.1\r\nHost: a\r\n\r\n');
  await using talk = await chat(gateway.port());
  await using relayed = await chat(gateway.port('raw'));
  await until(() => slow.received.length === 1 && reading.text.endsWith('a\r\n'), 'all is under way');
  for (let i = 1; i <= 3; i++) {
    await gateway.edit(of(String(i)));
    expect(leases(gateway)).toEqual([4]);
    expect((await get(gateway.port(), '/fixed')).body).toBe(String(i));
    await echoes(talk);
    await echoes(relayed);
  }
  for (const client of [waiting, reading, talk, relayed]) client.socket.resetAndDestroy();
  await until(() => leases(gateway)[0] === 0, 'all is over');
});

describe('of an upgraded stream', () => {
  const route = (more: object = {}): object => ({ name: 'all', match: {}, pool: 'origin', ...more });

  /** What `edit` makes of a config with a stream under way. */
  async function after(
    edit: (config: Config, port: number) => Config,
    before = edit,
    path = '/a/b',
  ): Promise<string | null> {
    await using origin = await chatOrigin();
    const config = simpleConfig(origin.port);
    await using gateway = await testGateway(before === edit ? config : before(config, origin.port));
    await using stream = await chat(gateway.port(), path, 'X-Tenant: acme\r\n');
    await gateway.edit(edit(config, origin.port));
    await echoes(stream);
    const found = pin(gateway);
    expect(leases(gateway)).toEqual(found === null ? [1] : [0, 1]);
    return found;
  }
  const routes =
    (...list: object[]) =>
    (config: Config): Config => ({ ...config, routes: list });
  const pool =
    (more: object) =>
    (config: Config, port: number): Config => ({
      ...config,
      pools: { origin: { endpoints: [`127.0.0.1:${port}`], ...more } },
    });
  const acl =
    (rules: object, place: object) =>
    (config: Config): Config => ({ ...config, acls: { rule: rules }, ...place });
  const listener = (more: object): object => ({ listeners: { web: { address: '127.0.0.1:0', ...more } } });
  const gate = { routes: [route({ policies: [{ type: 'acl', acl: 'rule' }] })] };
  const editing = { type: 'headers', request: { remove: ['x-tenant'] } };
  const rewriting = { type: 'rewrite', prefix: '/a', replacement: '/fixed' };

  test.each([
    ['another route', routes(fixed('x'), route())],
    ['its route matching more', routes(route({ match: { path: '/a' } }))],
    ['its listener moving', (config: Config) => ({ ...config, listeners: { web: { address: 'localhost:0' } } })],
    [
      'its listener allowing more at a time',
      (config: Config) => ({ ...config, ...listener({ limits: { connections: 5 } }) }),
    ],
    ['an ACL of its listener that it passes', acl({ deny: ['10.0.0.0/8'] }, listener({ acl: 'rule' }))],
    ['an ACL of its route that it passes', acl({ deny: ['10.0.0.0/8'] }, gate)],
    [
      'its pool having one more endpoint',
      (config: Config, port: number) => ({
        ...config,
        pools: { origin: { endpoints: [`127.0.0.1:${port}`, '127.0.0.1:1'] } },
      }),
    ],
    ['its pool waiting for less long', pool({ timeouts: { connect: '1s', tunnel: '5s' } })],
  ])('%s keeps it', async (_, edit) => {
    expect(await after(edit)).toBeNull();
  });

  test.each([
    [
      'its listener going',
      (config: Config) => ({ ...config, listeners: { other: { address: '127.0.0.1:0' } } }),
      'listener_gone',
    ],
    ['its route going', routes(fixed('x', { path: '/b' })), 'route_gone'],
    ['a route in front of its own', routes(fixed('x', { path: '/a' }), route()), 'routed_elsewhere'],
    ['a header edit', routes(route({ policies: [editing] })), 'policies_changed'],
    [
      'another pool',
      (config: Config) => ({
        ...config,
        pools: { other: { endpoints: ['127.0.0.1:1'] } },
        routes: [route({ pool: 'other' })],
      }),
      'pool_changed',
    ],
    [
      'its endpoint going',
      (config: Config) => ({ ...config, pools: { origin: { endpoints: ['127.0.0.1:1'] } } }),
      'endpoint_gone',
    ],
    [
      'an ACL of its listener that denies it',
      acl({ deny: ['127.0.0.1'] }, listener({ acl: 'rule' })),
      'denied_by_listener',
    ],
    ['an ACL of its route that denies it', acl({ deny: ['127.0.0.1'] }, gate), 'denied_by_policy'],
  ])('%s does not', async (_, edit, why) => {
    expect(await after(edit)).toBe(why);
  });

  test.each<[string, object, string | null]>([
    ['as before', { parameters: 'remove' }, null],
    ['to another route', { parameters: 'keep' }, 'routed_elsewhere'],
    ['not at all', { parameters: 'refuse' }, 'denied_by_listener'],
  ])('a path that its listener now reads otherwise is routed anew: %s', async (_, paths, why) => {
    const list = [route({ match: { path: '/a/b' } }), fixed('x', { path: '/a' })];
    const before = routes(...list);
    const edit = (config: Config): Config => ({ ...before(config), ...listener({ paths }) });
    expect(await after(edit, before, '/a/b;v=1')).toBe(why);
  });

  test('what was asked for counts, not what hooks and the gateway have made of it', async () => {
    const match = { path: '/a', headers: { 'x-tenant': 'acme', upgrade: 'chat' } };
    const own = route({ match, policies: [editing, rewriting] });
    const last = { ...route(), name: 'last' };
    const found = await after(routes(fixed('y', { path: '/fixed' }), own, last), routes(own, last));
    expect(found).toBeNull();
  });
});

test('an exchange that waits for its answer stays with a pool that has changed; one whose answer has begun does not mind', async () => {
  await using origin = await rawOrigin(
    answering(
      (socket) => socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'),
      (socket) => socket.resume(),
    ),
  );
  await using silent = await rawOrigin((socket) => socket.resume());
  const of = (total: string): Config => ({
    version: 1,
    listeners: { web: { address: '127.0.0.1:0' } },
    pools: {
      origin: { endpoints: [`127.0.0.1:${origin.port}`], timeouts: { total } },
      silent: { endpoints: [`127.0.0.1:${silent.port}`], timeouts: { total } },
    },
    routes: [
      { name: 'silent', match: { path: '/silent' }, pool: 'silent' },
      { name: 'all', match: {}, pool: 'origin' },
    ],
  });
  await using gateway = await testGateway(of('1h'));
  await using begun = await RawClient.to(gateway.port());
  begun.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await using waiting = await RawClient.to(gateway.port());
  waiting.send('GET /silent HTTP/1.1\r\nHost: a\r\n\r\n');
  await until(() => begun.text !== '' && silent.received.length === 1, 'both are under way');
  await gateway.edit(of('2h'));
  expect([leases(gateway), pin(gateway)]).toEqual([[1, 1], 'pool_changed']);
  // What is taken back finds what still runs as it was.
  await gateway.edit(of('1h'));
  expect(leases(gateway)).toEqual([2]);
  begun.socket.resetAndDestroy();
  waiting.socket.resetAndDestroy();
  await until(() => leases(gateway)[0] === 0, 'both are over');
});

test('what is not changed is the same in the next generation', async () => {
  const pools = {
    one: { endpoints: ['127.0.0.1:1'], fallback: { pool: 'two' } },
    two: { endpoints: ['127.0.0.1:2'] },
    three: { endpoints: ['127.0.0.1:3'] },
  };
  const of = (body: string, more: object = {}): Config => ({
    version: 1,
    listeners: { web: { address: '127.0.0.1:0' } },
    pools: { ...pools, ...more },
    routes: [
      fixed(body),
      {
        name: 'one',
        match: { path: '/one' },
        pool: 'one',
        policies: [{ type: 'headers', request: { set: { a: 'b' } } }],
      },
      { name: 'three', match: {}, pool: 'three' },
    ],
  });
  await using gateway = await testGateway(of('x'));
  const parts = (): unknown[] => {
    const { pools: bound, routes: routed } = gateway.running.gateway.current!;
    return [...bound.values(), ...routed.values()].map(({ value }) => value);
  };
  const router = (): unknown =>
    gateway.running.gateway.current!.http(gateway.running.gateway.current!.plan.listeners[0]!)!.router;
  const first = [...parts(), router()];
  const sameAsFirst = (): boolean[] => [...parts(), router()].map((part, i) => part === first[i]);
  await gateway.edit({ ...of('x'), reload: { drain: '7s' } });
  expect(sameAsFirst()).toEqual([true, true, true, true, true, true, true]);
  await gateway.edit(of('y'));
  expect(sameAsFirst()).toEqual([true, true, true, false, true, true, false]);
  // What falls back on a pool that has changed has changed with it; the route's own policy has not.
  const hooks = (): unknown => gateway.running.gateway.current!.routes.get('one')!.value.policies[0];
  const before = hooks();
  await gateway.edit(of('y', { two: { endpoints: ['127.0.0.1:4'] } }));
  expect(sameAsFirst()).toEqual([false, false, true, false, false, true, false]);
  expect(hooks()).toBe(before);
});

test('nothing that goes over, or that waits for its next request, holds on to a generation that is gone', async () => {
  await using origin = await chatOrigin();
  const of = (body: string): Config => ({
    version: 1,
    listeners: {
      web: { address: '127.0.0.1:0' },
      raw: { address: '127.0.0.1:0', protocol: 'tcp', pool: 'origin' },
    },
    pools: { origin: { endpoints: [`127.0.0.1:${origin.port}`] } },
    routes: [fixed(body), { name: 'all', match: {}, pool: 'origin' }],
  });
  await using gateway = await testGateway(of(''));
  const clients: RawClient[] = [];
  const gone: WeakRef<Snapshot>[] = [];
  for (let i = 0; i < 20; i++) {
    clients.push(await chat(gateway.port()), await chat(gateway.port('raw')));
    const idle = await RawClient.to(gateway.port());
    await idle.send('GET /fixed HTTP/1.1\r\nHost: a\r\n\r\n').response();
    clients.push(idle);
    gone.push(new WeakRef(gateway.running.gateway.current!));
    await gateway.edit(of(String(i)));
  }
  expect(leases(gateway)).toEqual([40]);
  await collectGarbage();
  expect(gone.filter((snapshot) => snapshot.deref() !== undefined)).toHaveLength(0);
  for (const client of clients) client.socket.resetAndDestroy();
  await until(() => leases(gateway)[0] === 0, 'all is over');
});

describe('of a response that streams', () => {
  /** What keeps it where it is after an edit of its routes. */
  async function after(before: object[], edited: object[], head = ''): Promise<string | null> {
    await using origin = await rawOrigin(
      answering((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n')),
    );
    const config = simpleConfig(origin.port, { acls: {} });
    await using gateway = await testGateway({ ...config, routes: before });
    await using stream = await RawClient.to(gateway.port());
    stream.send(`GET /a?q=1 HTTP/1.1\r\nHost: one.test\r\nX-Tenant: acme\r\nTE: trailers\r\n${head}\r\n`);
    await until(() => stream.text.includes('data: 1'), 'it streams');
    await gateway.edit({ ...config, routes: edited });
    expect(gateway.running.reloader.reloads.last).toMatchObject({ result: 'applied' });
    const found = pin(gateway);
    stream.socket.resetAndDestroy();
    await until(() => leases(gateway).every((count) => count === 0), 'it is over');
    return found;
  }
  const own = (match: object, more: object = {}): object => ({ name: 'own', match, pool: 'origin', ...more });
  const set = { policies: [{ type: 'headers', request: { set: { 'x-tenant': 'other', 'x-new': 'y' } } }] };
  const BOTH = { host: ['one.test', 'two.test'] };

  test.each([
    ['its host going from its route', [own(BOTH)], [own({ host: 'two.test' })], 'route_gone'],
    ['its host going to another', [own(BOTH)], [own({ host: 'two.test' }), fixed('x', {})], 'routed_elsewhere'],
    ['a route in front', [own({})], [fixed('x', { host: 'one.test' }), own({})], 'routed_elsewhere'],
    ['the same, of edited headers', [own(BOTH, set)], [own({ host: 'two.test' }, set)], 'route_gone'],
    ['another query', [own({})], [own({ query: { q: '2' } })], 'route_gone'],
    ['another header', [own({})], [own({ headers: { 'x-tenant': 'umbrella' } })], 'route_gone'],
  ])('%s ends it', async (_, before, edited, why) => {
    expect(await after(before, edited)).toBe(why);
  });

  test.each([
    ['another host for its route', [own(BOTH)], [own({ host: ['one.test', 'three.test'] })]],
    [
      'a header that a policy has edited',
      [own({ headers: { 'x-tenant': 'acme' } }, set)],
      [fixed('x'), own({ headers: { 'x-tenant': 'acme' } }, set)],
    ],
    [
      'a route in front that asks for what a policy has set',
      [own({}, set)],
      [fixed('x', { headers: { 'x-new': 'y' } }), own({}, set)],
    ],
    [
      'a field that is for one hop',
      [own({ headers: { te: 'trailers' } })],
      [fixed('x'), own({ headers: { te: 'trailers' } })],
    ],
  ])('%s keeps it', async (_, before, edited) => {
    expect(await after(before, edited)).toBeNull();
  });
});
