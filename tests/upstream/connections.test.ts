/** What an endpoint's connections do with a connection that carries three streams at once. */
import { expect, test } from 'vitest';
import type { ClientConnection, ClientConnectionOwner, ClientStream } from '../../src/http/client-stream.ts';
import { seededRandom } from '../../src/kit/random.ts';
import { Deadlines } from '../../src/net/deadlines.ts';
import { EndpointMetrics, PoolMetrics } from '../../src/observe/metrics.ts';
import type { HealthPlan } from '../../src/plan/types/pool.ts';
import type { EndpointConnections, StreamTaker } from '../../src/upstream/connections.ts';
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
  deadline = Number.POSITIVE_INFINITY;
  ready = false;
  rules = STRICT;
  uses = 1;
  streams = 0;
  readonly keptUntil = Number.POSITIVE_INFINITY;
  madeAt = 0;
  retired = false;
  readonly #owner: ClientConnectionOwner;

  constructor(owner: ClientConnectionOwner) {
    this.#owner = owner;
  }

  get room(): number {
    return this.retired ? 0 : ROOM - this.streams;
  }

  open(): ClientStream {
    expect(this.room).toBeGreaterThan(0);
    this.streams++;
    return STREAM;
  }

  ended(): void {
    this.streams--;
    if (!this.retired) this.#owner.onRoom(this);
    else if (this.streams === 0) this.#owner.onGone(this, false);
  }

  retire(): void {
    this.retired = true;
    if (this.streams === 0) this.#owner.onGone(this, true);
  }
}

/** One such connection, new and idle. */
function wide(maxAge = 0) {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  const tuning: EndpointTuning = {
    keepalive: { connections: 8, idle: 60_000, maxAge, prewarm: 0 },
    connectTimeout: 5000,
    maxConnections: 0,
    maxRequests: 0,
    health: HEALTH,
    responses: STRICT,
    host: 'a',
  };
  const load = new PoolLoad(
    { queue: { depth: 0, wait: 0, order: 'fifo' }, health: HEALTH, maxConnections: 0, maxRequests: 0 },
    deadlines,
    new PoolMetrics(),
  );
  const address = { host: '127.0.0.1', port: 9, path: null, text: '127.0.0.1:9' };
  const parts = { pool: 'a', clock, deadlines, random: seededRandom(1), metrics: new EndpointMetrics(), load };
  const endpoint = new EndpointState(address, tuning, { ...parts, changed: () => {} });
  endpoint.joinEndpointSet();
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
