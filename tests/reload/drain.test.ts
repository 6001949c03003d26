/** How what can't go over to a new generation comes to its end, and what is done about what a stricter config would refuse. */
import { describe, expect, test } from 'vitest';
import { applyPlan } from '../../src/runtime/reload/reload-path.ts';
import { closeFrame, FrameReader } from '../../src/http/websocket.ts';
import type { GenerationView } from '../../src/runtime/views/generation-views.ts';
import { planOf, problemsOf } from '../plan/plan-of.ts';
import { type TestGateway, testGateway, until } from '../support/gateway.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { answering, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { getJson } from '../support/requests.ts';
import { chat, chatOrigin, echoes, rawWebSocket, webSocket, webSocketOrigin } from '../support/streams.ts';

type Config = Record<string, unknown>;

interface Parts {
  readonly reload?: object;
  readonly listener?: object;
  readonly route?: object;
  readonly acls?: object;
}

/** One route to one backend, on an http listener; and a tcp listener to the same. */
function of(port: number, { reload = {}, listener = {}, route = {}, acls = {} }: Parts = {}): Config {
  return {
    version: 1,
    admin: { address: '127.0.0.1:0' },
    reload,
    acls,
    listeners: {
      web: { address: '127.0.0.1:0', ...listener },
      raw: { address: '127.0.0.1:0', protocol: 'tcp', pool: 'origin', ...listener },
    },
    pools: { origin: { endpoints: [`127.0.0.1:${port}`] } },
    routes: [{ name: 'all', match: {}, pool: 'origin', ...route }],
  };
}

/** The same with another backend in the old one's place: nothing under way can go over. */
const elsewhere = (config: Config): Config => ({ ...config, pools: { origin: { endpoints: ['127.0.0.1:1'] } } });

const leases = ({ running }: TestGateway): number[] => running.gateway.snapshots.map((snapshot) => snapshot.leases);

/** At once, whatever clock the gateway has. */
const edit = ({ running }: TestGateway, config: object) => applyPlan(running.gateway, planOf(config));

const generations = async (gateway: TestGateway): Promise<GenerationView[]> =>
  (await getJson<{ generations: GenerationView[] }>(gateway.adminPort(), '/generations')).generations;

const drained = ({ running }: TestGateway) => running.gateway.metrics.drain;

describe('at the deadline', () => {
  test('a WebSocket is told 1012 on both sides, as each would hear it from its peer', async () => {
    const clock = new ManualClock();
    let answered: Buffer | null = null;
    await using origin = await webSocketOrigin((socket) =>
      socket.on('data', (part: Buffer) => {
        answered = part;
        socket.write(closeFrame(1012, null));
      }),
    );
    const config = of(origin.port, { reload: { drain: { deadline: '10s', spread: '0s' } } });
    await using gateway = await testGateway(config, { clock });
    const { closed } = await webSocket(gateway.port());
    await edit(gateway, elsewhere(config));
    clock.advance(9900);
    expect(leases(gateway)).toEqual([0, 1]);
    clock.advance(100);
    expect(await closed).toBe(1012);
    await until(() => answered !== null && leases(gateway).length === 1, 'both have answered, and all is over');
    const [first, second, ...rest] = answered!;
    expect([first, second]).toEqual([0x88, 0x82]);
    expect(((rest[0]! ^ rest[4]!) << 8) | (rest[1]! ^ rest[5]!)).toBe(1012);
    expect(drained(gateway).ended).toEqual({ deadline: 1, denied: 0, max_generations: 0 });
    expect(gateway.logged.some(({ event }) => event === 'generation ended at its drain deadline')).toBe(true);
  });

  test('a frame that is half way is passed on first, and nothing behind the Close', async () => {
    const clock = new ManualClock();
    let server: { write: (bytes: Buffer) => unknown } | null = null;
    await using origin = await webSocketOrigin((socket) => (server = socket));
    const config = of(origin.port, { reload: { drain: { deadline: '1s', spread: '0s' } } });
    await using gateway = await testGateway(config, { clock });
    await using client = await rawWebSocket(gateway.port());
    server!.write(Buffer.from([0x82, 6, 0x61, 0x62]));
    await until(() => client.text.length === 4, 'half of it has come');
    await edit(gateway, elsewhere(config));
    clock.advance(1000);
    server!.write(Buffer.from([0x63, 0x64, 0x65, 0x66, 0x82, 1, 0x67]));
    await until(() => client.text.length >= 12, 'the rest and the goodbye have come');
    expect(client.text.slice(4)).toBe('cdef\x88\x02\x03\xf4');
    // The client does not answer: it has two seconds.
    clock.advance(1800);
    expect(leases(gateway)).toEqual([0, 1]);
    clock.advance(300);
    expect(leases(gateway)).toEqual([0]);
    await until(() => client.closed, 'it is cut');
    expect(client.error).toBe('ECONNRESET');
  });

  test('a side that has said Close is told nothing more', async () => {
    const clock = new ManualClock();
    await using origin = await webSocketOrigin();
    const config = of(origin.port, { reload: { drain: { deadline: '1s', spread: '0s' } } });
    await using gateway = await testGateway(config, { clock });
    await using client = await rawWebSocket(gateway.port());
    client.socket.write(closeFrame(1000, Buffer.from([1, 2, 3, 4])));
    await until(() => origin.received[0]!.length === 2, 'the server has heard it');
    await edit(gateway, elsewhere(config));
    clock.advance(1000);
    await until(() => client.text !== '', 'the client hears that the server goes');
    expect([client.text, Buffer.concat(origin.received[0]!.slice(1)).length]).toEqual(['\x88\x02\x03\xf4', 8]);
    clock.advance(2100);
    expect(leases(gateway)).toEqual([0]);
  });

  test('other upgraded streams, tcp streams, and all of them without a goodbye, are reset', async () => {
    const clock = new ManualClock();
    await using origin = await chatOrigin();
    const config = of(origin.port, { reload: { drain: { deadline: '1s', spread: '0s', action: 'close' } } });
    await using gateway = await testGateway(config, { clock });
    await using upgraded = await chat(gateway.port());
    await using relayed = await chat(gateway.port('raw'));
    await edit(gateway, elsewhere(config));
    clock.advance(1000);
    await until(() => upgraded.closed && relayed.closed, 'both are cut');
    expect([upgraded.error, relayed.error, leases(gateway)]).toEqual(['ECONNRESET', 'ECONNRESET', [0]]);
  });

  test('an answer that comes in time says that it is the last; one that does not is a 503', async () => {
    const clock = new ManualClock();
    const sockets: { write: (text: string) => unknown }[] = [];
    await using origin = await rawOrigin((socket) => sockets.push(socket));
    const config = of(origin.port, { reload: { drain: { deadline: '10s', spread: '4s' } } });
    await using gateway = await testGateway(config, { clock });
    await using early = await RawClient.to(gateway.port());
    await using late = await RawClient.to(gateway.port());
    for (const [i, client] of [early, late].entries()) {
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await until(() => origin.received[i]?.length === 1, 'it is under way');
    }
    await edit(gateway, elsewhere(config));
    clock.advance(6000);
    sockets[0]!.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    const answer = await early.response();
    expect([answer.status, answer.body, answer.headers['connection']]).toEqual([200, 'ok', 'close']);
    clock.advance(4000);
    const refused = await late.response();
    expect([refused.status, refused.headers['connection']]).toEqual([503, 'close']);
    clock.advance(5000);
  });

  test('`finish` lets it go on; the ledger says so', async () => {
    const clock = new ManualClock();
    await using origin = await chatOrigin();
    const config = of(origin.port, { reload: { drain: { action: 'finish' } } });
    await using gateway = await testGateway(config, { clock });
    await using stream = await chat(gateway.port());
    await edit(gateway, elsewhere(config));
    clock.advance(1_800_000);
    const [, old] = await generations(gateway);
    expect(old).toMatchObject({ state: 'draining', ends_in_s: null, pinned_by: { endpoint_gone: 1 } });
    stream.socket.resetAndDestroy();
    await until(() => leases(gateway).length === 1, 'it is over');
  });
});

test('a route has its own rule before its listener, and that before all others', async () => {
  const clock = new ManualClock();
  await using origin = await chatOrigin();
  const config = of(origin.port, { reload: { drain: { deadline: '30s', spread: '0s', action: 'close' } } });
  const base = config as { listeners: Record<string, object>; routes: object[] };
  const whole = {
    ...config,
    listeners: { ...base.listeners, web: { ...base.listeners['web'], drain: '20s' } },
    routes: [{ name: 'own', match: { path: '/own' }, pool: 'origin', drain: { deadline: '10s' } }, ...base.routes],
  };
  await using gateway = await testGateway(whole, { clock });
  await using own = await chat(gateway.port(), '/own');
  await using web = await chat(gateway.port());
  await using raw = await chat(gateway.port('raw'));
  await edit(gateway, elsewhere(whole));
  const [, old] = await generations(gateway);
  expect(old).toMatchObject({
    leases: 3,
    by_kind: { tunnel: 2, tcp: 1 },
    by_listener: { web: 2, raw: 1 },
    by_route: { own: 1, all: 1 },
    by_endpoint: { [`127.0.0.1:${origin.port}`]: 3 },
    ends_in_s: 30,
    oldest: { kind: 'tunnel', client: '127.0.0.1', route: 'own', pinned_by: 'endpoint_gone', ends_in_s: 10 },
  });
  for (const [i, stream] of [own, web, raw].entries()) {
    clock.advance(9_999);
    expect(leases(gateway)).toEqual([0, 3 - i]);
    clock.advance(1);
    await until(() => stream.closed, 'its time is over');
  }
});

test('a rule for what is over at once is a mistake', () => {
  expect(problemsOf({ routes: [{ name: 'a', match: {}, respond: {}, drain: '1s' }] })).toEqual([
    '/routes/0/drain: has no effect: the route answers at once, without a backend',
  ]);
});

test('ends are spread before the deadline', async () => {
  const clock = new ManualClock();
  await using origin = await chatOrigin();
  const config = of(origin.port, { reload: { drain: { deadline: '20s', spread: '10s' } } });
  await using gateway = await testGateway(config, { clock });
  const streams = await Promise.all(Array.from({ length: 40 }, () => chat(gateway.port())));
  await edit(gateway, elsewhere(config));
  clock.advance(10_000);
  const left: number[] = [];
  for (let i = 0; i < 10; i++) {
    left.push(leases(gateway)[1] ?? 0);
    clock.advance(1000);
  }
  left.push(leases(gateway)[1] ?? 0);
  expect(left).toEqual([40, 36, 32, 28, 24, 20, 16, 12, 8, 4, 0]);
  for (const stream of streams) stream.socket.destroy();
});

test('one alone has all the time until its deadline', async () => {
  const clock = new ManualClock();
  await using origin = await chatOrigin();
  const config = of(origin.port, { reload: { drain: { deadline: '20s', spread: '10s' } } });
  await using gateway = await testGateway(config, { clock });
  await using stream = await chat(gateway.port());
  await edit(gateway, elsewhere(config));
  clock.advance(19_900);
  expect(leases(gateway)).toEqual([0, 1]);
  clock.advance(100);
  await until(() => stream.closed, 'its time is over');
});

test('a goodbye that takes its time is said and counted once, whatever comes meanwhile', async () => {
  const clock = new ManualClock();
  await using origin = await webSocketOrigin();
  const reload = { drain: { action: 'finish' }, max_generations: 2 };
  const version = (x: string): Config =>
    of(origin.port, { reload, route: { policies: [{ type: 'headers', request: { set: { x } } }] } });
  await using gateway = await testGateway(version('0'), { clock });
  await using first = await rawWebSocket(gateway.port());
  await edit(gateway, version('1'));
  await using second = await rawWebSocket(gateway.port());
  for (const x of ['2', '3', '4']) await edit(gateway, version(x));
  expect([leases(gateway), drained(gateway).ended.max_generations]).toEqual([[0, 1, 1], 1]);
  await until(() => first.text !== '', 'it has heard it');
  clock.advance(2100);
  await until(() => first.closed, 'it has had its time');
  expect([first.text, second.text, leases(gateway)]).toEqual(['\x88\x02\x03\xf4', '', [0, 1]]);
});

test('what is left on the oldest generation is ended when there are too many', async () => {
  await using origin = await chatOrigin();
  const config = of(origin.port, { reload: { drain: { action: 'finish' }, max_generations: 3 } });
  const version = (x: string): Config => ({
    ...config,
    routes: [{ name: 'all', match: {}, pool: 'origin', policies: [{ type: 'headers', request: { set: { x } } }] }],
  });
  await using gateway = await testGateway(version('0'));
  const streams: RawClient[] = [];
  for (let i = 1; i <= 5; i++) {
    streams.push(await chat(gateway.port()));
    await edit(gateway, version(String(i)));
    expect(leases(gateway)).toEqual([0, ...Array<number>(Math.min(i, 2)).fill(1)]);
  }
  await until(() => streams.filter(({ closed }) => closed).length === 3, 'the three oldest are cut');
  expect(streams.map(({ closed }) => closed)).toEqual([true, true, true, false, false]);
  expect(drained(gateway).ended.max_generations).toBe(3);
  expect(gateway.logged.filter(({ event }) => String(event).startsWith('too many generations'))).toHaveLength(3);
  for (const stream of streams) stream.socket.destroy();
});

describe('what a stricter config would refuse', () => {
  const deny = { rule: { deny: ['127.0.0.1'] } };
  const byListener = { acls: deny, listener: { acl: 'rule' } };
  const byRoute = { acls: deny, route: { policies: [{ type: 'acl', acl: 'rule' }] } };

  /** With an upgraded stream and a tcp stream under way. */
  async function tighten(tightened: string | undefined, stricter: Parts) {
    const clock = new ManualClock();
    const reload = { drain: { deadline: '10s', spread: '0s' }, ...(tightened === undefined ? {} : { tightened }) };
    const origin = await webSocketOrigin((socket) => socket.on('data', (part: Buffer) => socket.write(part)));
    const gateway = await testGateway(of(origin.port, { reload }), { clock });
    const { closed } = await webSocket(gateway.port());
    const relayed = await rawWebSocket(gateway.port('raw'));
    const events: unknown[] = [];
    gateway.running.gateway.events.listen(({ type, action, count }) => {
      if (type === 'tightened') events.push([action, count]);
    });
    await edit(gateway, of(origin.port, { reload, ...stricter }));
    return {
      clock,
      gateway,
      closed,
      relayed,
      events,
      async [Symbol.asyncDispose]() {
        relayed.socket.destroy();
        await gateway[Symbol.asyncDispose]();
        await origin[Symbol.asyncDispose]();
      },
    };
  }

  test.each([
    ['of its listener', byListener, 2, { denied_by_listener: 2 }],
    ['of its route', byRoute, 1, { denied_by_policy: 1 }],
  ])('by an ACL %s is drained', async (_, stricter, count, pinned_by) => {
    await using all = await tighten(undefined, stricter);
    expect(leases(all.gateway).at(-1)).toBe(count);
    expect((await generations(all.gateway)).at(-1)).toMatchObject({ pinned_by, ends_in_s: 10 });
    expect([drained(all.gateway).tightened, all.events]).toEqual([
      { keep: 0, drain: count, cut: 0 },
      [['drain', count]],
    ]);
    all.clock.advance(10_000);
    expect(await all.closed).toBe(1012);
  });

  test('or cut, if that is wanted: a WebSocket hears 1008', async () => {
    await using all = await tighten('cut', byListener);
    expect(await all.closed).toBe(1008);
    await until(() => all.relayed.closed, 'the tcp stream is cut');
    expect([drained(all.gateway).tightened, drained(all.gateway).ended.denied]).toEqual([
      { keep: 0, drain: 0, cut: 2 },
      2,
    ]);
    await until(() => leases(all.gateway).length === 1, 'all is over');
  });

  test('or kept for as long as it likes', async () => {
    await using all = await tighten('keep', byListener);
    all.clock.advance(3_000_000);
    expect(leases(all.gateway)).toEqual([0, 2]);
    expect((await generations(all.gateway)).at(-1)).toMatchObject({
      pinned_by: { denied_by_listener: 2 },
      ends_in_s: null,
    });
    expect(drained(all.gateway).tightened).toEqual({ keep: 2, drain: 0, cut: 0 });
  });

  test('comes back when it is allowed again, and is counted once however many edits there are', async () => {
    await using origin = await chatOrigin();
    await using gateway = await testGateway(of(origin.port));
    await using stream = await chat(gateway.port());
    for (const level of ['info', 'warn', 'error'])
      await edit(gateway, { ...of(origin.port, byListener), logging: { level } });
    expect([leases(gateway).at(-1), drained(gateway).tightened.drain]).toEqual([1, 1]);
    await edit(gateway, of(origin.port));
    expect(leases(gateway)).toEqual([1]);
    await echoes(stream);
    stream.socket.resetAndDestroy();
    await until(() => leases(gateway)[0] === 0, 'it is over');
  });

  test.each([
    [{ connections: 2 }, [false, false, true, true]],
    [{ connections_per_client: 3 }, [false, false, false, true]],
  ])('by limits %j: the newest are too many', async (limits, cut) => {
    await using origin = await chatOrigin();
    const reload = { tightened: 'cut' };
    await using gateway = await testGateway(of(origin.port, { reload }));
    const streams: RawClient[] = [];
    for (let i = 0; i < 4; i++) streams.push(await chat(gateway.port()));
    await using idle = await RawClient.to(gateway.port());
    await until(() => gateway.running.gateway.metrics.listener('web').active === 5, 'all are there');
    await edit(gateway, of(origin.port, { reload, listener: { limits } }));
    await until(
      () => streams.filter(({ closed }) => closed).length === cut.filter((one) => one).length,
      'some are cut',
    );
    await idle.end();
    expect(streams.map(({ closed }) => closed)).toEqual(cut);
    for (const stream of streams) stream.socket.destroy();
  });

  test('by a limit lets an answer that is under way come, as the last', async () => {
    const sockets: { write: (text: string) => unknown }[] = [];
    await using origin = await rawOrigin((socket) => sockets.push(socket));
    await using gateway = await testGateway(of(origin.port));
    const clients: RawClient[] = [];
    for (let i = 0; i < 2; i++) {
      const client = await RawClient.to(gateway.port());
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await until(() => origin.received.length === i + 1, 'it is under way');
      clients.push(client);
    }
    await edit(gateway, of(origin.port, { listener: { limits: { connections: 1 } } }));
    expect(leases(gateway)).toEqual([2]);
    for (const socket of sockets) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    const answers = await Promise.all(clients.map((client) => client.response()));
    expect(answers.map(({ status, headers }) => [status, headers['connection']])).toEqual([
      [200, undefined],
      [200, 'close'],
    ]);
    for (const client of clients) client.socket.destroy();
  });
});

test('a stop says goodbye too', async () => {
  await using origin = await webSocketOrigin((socket) => socket.on('data', () => socket.end(closeFrame(1012, null))));
  await using gateway = await testGateway(of(origin.port));
  const { closed } = await webSocket(gateway.port());
  await gateway.running.close(50);
  expect(await closed).toBe(1012);
});

test('what looks like a WebSocket and is none is passed on as it is', async () => {
  await using origin = await webSocketOrigin((socket) => socket.on('data', (part: Buffer) => socket.write(part)));
  await using gateway = await testGateway(of(origin.port));
  await using client = await rawWebSocket(gateway.port());
  const reader = new FrameReader();
  const bytes = Buffer.from(Array.from({ length: 10_000 }, (_, i) => (i * 7) & 0xff));
  reader.read(bytes, 0, bytes.length, false);
  client.socket.write(bytes);
  await until(() => client.text.length === bytes.length, 'all has come back');
  expect(Buffer.from(client.text, 'latin1').equals(bytes)).toBe(true);
  client.socket.resetAndDestroy();
  await until(() => leases(gateway)[0] === 0, 'it is over');
});

test('a backend that answers the upgrade with something else leaves nothing behind', async () => {
  await using origin = await rawOrigin(answering('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'));
  await using gateway = await testGateway(of(origin.port));
  await expect(rawWebSocket(gateway.port())).rejects.toThrow('no stream: 403');
});
