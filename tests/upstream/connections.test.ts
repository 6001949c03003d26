/** What an endpoint's connections do with a connection that carries several streams at once, and with dials for them. */
import net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { ClientConnection, ClientConnectionOwner, ClientStream } from '../../src/http/client-stream.ts';
import { seededRandom } from '../../src/kit/random.ts';
import { Deadlines } from '../../src/net/deadlines.ts';
import { EndpointMetrics, PoolMetrics } from '../../src/observe/metrics.ts';
import type { HealthPlan } from '../../src/plan/types/pool.ts';
import type { GatewayError } from '../../src/kit/errors.ts';
import type { Dialing } from '../../src/net/dial.ts';
import type { Transport } from '../../src/net/transport.ts';
import { EndpointConnections } from '../../src/upstream/connections.ts';
import type { StreamTaker } from '../../src/upstream/stream-dial.ts';
import { EndpointState, type EndpointTuning } from '../../src/upstream/endpoint.ts';
import { PoolLoad } from '../../src/upstream/load.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { STRICT } from '../support/strict-rules.ts';

const HEALTH: HealthPlan = {
  active: null,
  passive: {
    failures: 3,
    statuses: [503],
    latency: 0,
    maxEjected: 50,
    successRate: { deviations: 1.5, margin: 5, interval: 10_000, minEndpoints: 5, minRequests: 100 },
  },
  backoff: { first: 5000, max: 300_000, retries: 5, jitter: 0, probe: 1000 },
  panic: 0,
  slowStart: 0,
};

const ROOM = 3;
const STREAM: ClientStream = {
  start() {},
  awaitContinue() {},
  abort() {},
  discard() {},
  data: () => true,
  end() {},
  fail() {},
  flush() {},
  pause() {},
  resume() {},
};

/** Its streams end when the test says so. */
class WideConnection implements ClientConnection {
  target: object | null = null;
  deadline = Number.POSITIVE_INFINITY;
  ready = false;
  rules = STRICT;
  uses = 1;
  streams = 0;
  readonly keptUntil = Number.POSITIVE_INFINITY;
  madeAt = 0;
  retired = false;
  /** Streams that its peer takes. */
  most: number;
  readonly #owner: ClientConnectionOwner;
  readonly #transport: Transport | null;

  constructor(owner: ClientConnectionOwner, most = ROOM, transport: Transport | null = null) {
    this.#owner = owner;
    this.most = most;
    this.#transport = transport;
  }

  get room(): number {
    return this.retired ? 0 : Math.max(0, this.most - this.streams);
  }

  open(): ClientStream {
    expect(this.room).toBeGreaterThan(0);
    this.streams++;
    return STREAM;
  }

  ended(): void {
    this.streams--;
    if (this.room > 0) this.#owner.onRoom(this);
    else if (this.retired && this.streams === 0) this.#gone(false);
    else if (this.streams === 0) this.#owner.onFull(this);
  }

  retire(): void {
    this.retired = true;
    if (this.streams === 0) this.#gone(true);
  }

  /** Its peer says how many streams it takes from now on. */
  allows(most: number): void {
    const before = this.room;
    this.most = most;
    if (before > 0 && this.room === 0) this.#owner.onFull(this);
    if (before === 0 && this.room > 0) this.#owner.onRoom(this);
  }

  /** Its peer is about to close it. */
  goAway(): void {
    this.retired = true;
    if (this.streams === 0) this.#gone(true);
    else this.#owner.onFull(this);
  }

  #gone(idle: boolean): void {
    this.#transport?.destroy();
    this.#owner.onGone(this, idle);
  }
}

/** An endpoint in use, and what it is made of. */
function endpointAt(port: number, maxAge: number, prewarm: number, maxConnections: number) {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  const tuning: EndpointTuning = {
    keepalive: { connections: 8, idle: 60_000, maxAge, prewarm },
    connectTimeout: 5000,
    maxConnections,
    maxRequests: 0,
    health: HEALTH,
    responses: STRICT,
    host: 'a',
    tls: null,
  };
  const load = new PoolLoad(
    { queue: { depth: 0, wait: 0, order: 'fifo' }, health: HEALTH, maxConnections: 0, maxRequests: 0 },
    deadlines,
    new PoolMetrics(),
  );
  const address = { host: '127.0.0.1', port, path: null, text: `127.0.0.1:${port}` };
  const metrics = new EndpointMetrics();
  const parts = { pool: 'a', clock, deadlines, random: seededRandom(1), metrics, load };
  const endpoint = new EndpointState(
    address,
    { ...tuning, keepalive: { ...tuning.keepalive, prewarm: 0 } },
    {
      ...parts,
      changed: () => {},
    },
  );
  endpoint.joinEndpointSet();
  return { clock, deadlines, tuning, load, address, metrics, endpoint };
}

/** One such connection, new and idle. */
function wide(maxAge = 0) {
  const { endpoint, load } = endpointAt(9, maxAge, 0, 0);
  const { connections } = endpoint;
  const connection = new WideConnection(connections);
  connections.onRoom(connection);
  const counts = (): number[] => [connections.idle, load.idle];
  return { connection, connections, counts, endpoint };
}

/** Takes a stream that there is room for. */
function open(connections: EndpointConnections): void {
  let reused = false;
  const taker: StreamTaker = {
    serverName: '',
    onStream: (_, again) => (reused = again),
    onConnectFailed: () => {},
  };
  expect(connections.acquire(taker, 5000, false)).toBe(null);
  expect(reused).toBe(true);
}

test('it gets streams while it has room, and is idle when all have ended', () => {
  const { connection, connections, counts } = wide();
  expect(counts()).toEqual([1, 1]);
  for (let i = 0; i < ROOM; i++) open(connections);
  expect([connection.streams, connection.ready, ...counts()]).toEqual([ROOM, false, 0, 0]);
  connection.ended();
  expect([connection.ready, ...counts()]).toEqual([true, 0, 0]);
  open(connections);
  for (let i = 0; i < ROOM; i++) connection.ended();
  expect([connection.ready, ...counts()]).toEqual([true, 1, 1]);
});

test('it is retired in the middle: no stream is opened on it any more', () => {
  const { connection, connections } = wide(5000);
  open(connections);
  open(connections);
  connection.madeAt = -10_000;
  connection.ended();
  expect([connection.retired, connection.ready, connection.streams]).toEqual([true, false, 1]);
});

test('it is retired as its last stream ends: it was not counted as idle, and is not counted off', () => {
  const { connection, connections, counts, endpoint } = wide();
  open(connections);
  endpoint.leaveLineup();
  connection.ended();
  expect([connection.retired, connection.ready, ...counts()]).toEqual([true, false, 0, 0]);
});

test('its peer takes no more streams: it gets none until its peer takes some again', () => {
  const { connection, connections, counts } = wide();
  open(connections);
  connection.allows(1);
  expect([connection.ready, connections.full, ...counts()]).toEqual([false, false, 0, 0]);
  connection.allows(2);
  expect([connection.ready, ...counts()]).toEqual([true, 0, 0]);
  open(connections);
  connection.allows(0);
  connection.ended();
  expect([connection.retired, connection.streams]).toEqual([false, 1]);
  connection.ended();
  expect([connection.retired, connections.open + 1, ...counts()]).toEqual([true, 0, 0, 0]);
});

test('its peer takes no more streams while it is idle: it closes', () => {
  const { connection, counts } = wide();
  connection.allows(0);
  expect([connection.retired, connection.ready, ...counts()]).toEqual([true, false, 0, 0]);
});

test('its peer announces that it closes: it gets no more streams, and is gone after the last', () => {
  const { connection, connections, counts } = wide();
  open(connections);
  connection.goAway();
  expect([connection.ready, ...counts()]).toEqual([false, 0, 0]);
  connection.ended();
  expect([connections.open + 1, ...counts()]).toEqual([0, 0, 0]);
});

describe('dials', () => {
  const cleanup: (() => void)[] = [];
  afterEach(() => {
    for (const close of cleanup.splice(0)) close();
  });

  /** Connections of the given rooms, dialed at a real listener; the last room is that of all further ones. */
  async function dialing(rooms: number[], { prewarm = 0, maxConnections = 0 } = {}) {
    const server = net.createServer(() => {}).listen(0, '127.0.0.1');
    cleanup.push(() => server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const parts = endpointAt((server.address() as net.AddressInfo).port, 0, prewarm, maxConnections);
    const made: WideConnection[] = [];
    class Wide extends EndpointConnections {
      override speak(transport: Transport): ClientConnection {
        const connection = new WideConnection(this, rooms.length > 1 ? rooms.shift() : rooms[0], transport);
        connection.uses = 0;
        made.push(connection);
        return connection;
      }
    }
    const connections = new Wide(parts.address, parts.tuning, parts.deadlines, () => 0, parts.endpoint);
    cleanup.push(() => {
      connections.close();
      for (const one of made) while (one.streams > 0) one.ended();
      for (const one of made) if (!one.retired) one.retire();
      expect([connections.open, connections.dialing, parts.load.connections, parts.deadlines.size]).toEqual([
        0, 0, 0, 0,
      ]);
    });
    const taken: string[] = [];
    /** An exchange that wants a stream. */
    const take = (name: string, timeout = 5000): Dialing | null =>
      connections.acquire(
        {
          serverName: '',
          onStream: (_: ClientStream, reused: boolean) => void taken.push(reused ? `${name} again` : name),
          onConnectFailed: ({ code }: GatewayError) => void taken.push(`${name} ${code}`),
        },
        timeout,
        false,
      );
    /** The events of sockets come until so many exchanges have their answer. */
    const answered = async (count: number): Promise<void> => {
      while (taken.length < count) await new Promise((resolve) => setImmediate(resolve));
    };
    return { ...parts, server, connections, made, taken, take, answered };
  }

  test('a connection of one stream each: nothing is shared', async () => {
    const { connections, made, taken, take, answered } = await dialing([1], { prewarm: 2 });
    connections.prewarm();
    for (const name of ['a', 'b', 'c']) take(name);
    expect(connections.dialing).toBe(5);
    await answered(3);
    for (const name of ['d', 'e']) take(name);
    while (connections.dialing > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(made.length).toBeGreaterThanOrEqual(5);
    expect(taken.slice(0, 3).toSorted()).toEqual(['a', 'b', 'c']);
    expect(Math.max(...made.map(({ streams }) => streams))).toBe(1);
  });

  test('the first connection says that it carries many streams: all who wait share it', async () => {
    const { connections, made, taken, take, answered } = await dialing([10]);
    for (const name of ['a', 'b', 'c', 'd']) take(name);
    expect(connections.dialing).toBe(4);
    await answered(4);
    expect([made.length, made[0]!.streams, connections.open, connections.dialing]).toEqual([1, 4, 1, 0]);
    expect(taken.toSorted()).toEqual(['a', 'b', 'c', 'd']);
    take('e');
    expect(taken.at(-1)).toBe('e again');
  });

  test('it is known that they carry two: two share a dial', async () => {
    const { connections, made, taken, take, answered, metrics } = await dialing([2]);
    take('first');
    await answered(1);
    take('second');
    for (const name of ['a', 'b', 'c', 'd', 'e']) take(name);
    expect(connections.dialing).toBe(3);
    await answered(7);
    expect([made.length, connections.open, connections.dialing]).toEqual([4, 4, 0]);
    expect(taken.slice(2).toSorted()).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect([metrics.connectionsOpened, metrics.connectionsReused]).toEqual([4, 1]);
  });

  test('the connection carries fewer than the last one: the others dial again', async () => {
    const { connections, made, taken, take, answered } = await dialing([3, 1]);
    take('first');
    await answered(1);
    made[0]!.allows(1);
    for (const name of ['a', 'b', 'c']) take(name);
    expect(connections.dialing).toBe(1);
    await answered(4);
    expect([made.length, connections.dialing]).toEqual([4, 0]);
    expect(taken.slice(1).toSorted()).toEqual(['a', 'b', 'c']);
  });

  test('the limit of connections is reached: exchanges may still wait for a dial', async () => {
    const { connections, made, take, answered } = await dialing([3], { maxConnections: 1 });
    take('first');
    expect(connections.full).toBe(true);
    await answered(1);
    made[0]!.ended();
    made[0]!.retire();
    take('a');
    expect(connections.full).toBe(false);
    take('b');
    take('c');
    expect([connections.full, connections.open]).toEqual([true, 1]);
    await answered(4);
    expect(made[1]!.streams).toBe(3);
  });

  test('each that waits may leave; the dial ends with the last', async () => {
    const { connections, made, taken, take, answered } = await dialing([3]);
    take('first');
    await answered(1);
    made[0]!.allows(1);
    const [a, b, c] = ['a', 'b', 'c'].map((name) => take(name)!);
    a!.cancel();
    c!.cancel();
    expect([connections.dialing, connections.open]).toEqual([1, 2]);
    await answered(2);
    expect(taken).toEqual(['first', 'b']);
    made[1]!.allows(1);
    const [d, e] = ['d', 'e'].map((name) => take(name)!);
    d!.cancel();
    e!.cancel();
    expect([connections.dialing, connections.open]).toEqual([0, 2]);
    b!.cancel();
  });

  test('each that waits has a timeout of its own', async () => {
    const { clock, connections, made, taken, take, answered } = await dialing([3]);
    take('first');
    await answered(1);
    made[0]!.allows(1);
    take('a', 5000);
    take('b', 1000);
    // Sockets tell nothing until the event loop turns.
    for (let passed = 0; passed < 1500; passed += 100) clock.advance(100);
    expect([taken.at(-1), connections.dialing]).toEqual(['b connect_timeout', 1]);
    for (let passed = 0; passed < 5000; passed += 100) clock.advance(100);
    expect([taken.at(-1), connections.dialing]).toEqual(['a connect_timeout', 0]);
  });

  test('a dial that fails fails all who wait for it, and counts once', async () => {
    const { server, connections, made, taken, take, answered, metrics } = await dialing([3]);
    take('first');
    await answered(1);
    made[0]!.allows(1);
    server.close();
    for (const name of ['a', 'b']) take(name);
    await answered(3);
    expect(taken.slice(1)).toEqual(['a connect_refused', 'b connect_refused']);
    expect([metrics.connectErrors, connections.open]).toEqual([1, 1]);
  });

  test('a connection that is dialed in advance is shared too; its dial goes on if no exchange waits for it', async () => {
    const { connections, made, taken, take, answered } = await dialing([3], { prewarm: 1 });
    take('first');
    await answered(1);
    made[0]!.allows(1);
    connections.prewarm();
    expect(connections.dialing).toBe(1);
    take('a')!.cancel();
    expect(connections.dialing).toBe(1);
    take('b');
    expect(connections.dialing).toBe(1);
    await answered(2);
    expect([taken.at(-1), made[1]!.streams]).toEqual(['b', 1]);
  });

  test('the endpoint is no longer in use: only dials that exchanges wait for go on', async () => {
    const { connections, taken, take, answered } = await dialing([1], { prewarm: 2 });
    connections.prewarm();
    take('a');
    expect(connections.dialing).toBe(3);
    connections.close();
    expect(connections.dialing).toBe(1);
    await answered(1);
    expect(taken).toEqual(['a']);
  });
});
