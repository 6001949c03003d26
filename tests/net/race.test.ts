/** A name with addresses of both families, some of them dead: RFC 8305 on real sockets. */
import dns from 'node:dns';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Deadlines } from '../../src/net/deadlines.ts';
import { dial } from '../../src/net/dial.ts';
import { inTurns } from '../../src/net/race.ts';
import { simpleConfig, testGateway, until } from '../support/gateway.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { get } from '../support/requests.ts';
import { Sleeper } from '../support/sleeper.ts';

afterEach(() => void vi.restoreAllMocks());

/** The system's answer for `dual.test`. */
function resolves(addresses: readonly string[]): void {
  const found = addresses.map((address) => ({ address, family: net.isIP(address) }));
  const { lookup } = dns;
  const answer = (name: string, options: dns.LookupAllOptions, told: Told): void => {
    if (name !== 'dual.test') lookup(name, options, told);
    else if (found.length > 0) setImmediate(told, null, found);
    else setImmediate(told, Object.assign(new Error(name), { code: 'ENOTFOUND' }), []);
  };
  // One of its forms, the one that is used.
  vi.spyOn(dns, 'lookup').mockImplementation(answer as unknown as typeof dns.lookup);
}

type Told = (error: NodeJS.ErrnoException | null, addresses: dns.LookupAddress[]) => void;

interface Listening extends AsyncDisposable {
  readonly port: number;
  readonly sockets: net.Socket[];
}

async function listening(host: string, port = 0): Promise<Listening> {
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => sockets.push(socket.on('error', () => {})));
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as net.AddressInfo).port,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function racing(port: number) {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  const told: string[] = [];
  const dialing = dial({ host: 'dual.test', port, path: null }, deadlines, {
    onConnected: (transport) => {
      told.push(transport.addresses().remoteAddress);
      transport.destroy();
    },
    onDialFailed: (code) => told.push(code),
  });
  return { clock, deadlines, told, dialing };
}

/** Connections that the system is trying to make to that port: those that have sent a SYN. */
function connecting(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const sockets = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => readFileSync(path, 'latin1').split('\n'));
  return sockets.filter((line) => new RegExp(`^ *\\d+: \\w+:\\w+ \\w+:${hex} 02 `).test(line)).length;
}

test.each([
  [
    ['::1', '::2', '10.0.0.1', '10.0.0.2', '10.0.0.3'],
    ['::1', '10.0.0.1', '::2', '10.0.0.2', '10.0.0.3'],
  ],
  [
    ['10.0.0.1', '::1', '::2', '::3'],
    ['10.0.0.1', '::1', '::2', '::3'],
  ],
  [
    ['::1', '::2'],
    ['::1', '::2'],
  ],
  [[], []],
])('families take turns: %j', (addresses, order) => {
  expect(inTurns(addresses)).toEqual(order);
});

describe.each([
  ['::1', '127.0.0.1'],
  ['127.0.0.1', '::1'],
])('%s is dead, %s lives', (dead, alive) => {
  test('refused: the other one at once', async () => {
    await using server = await listening(alive);
    resolves([dead, alive]);
    const { told, deadlines } = racing(server.port);
    await until(() => told.length > 0, 'it is told');
    expect([told, deadlines.size]).toEqual([[alive], 0]);
  });

  test('silent: the other one after the delay, and the silent one is given up then', async () => {
    await using server = await listening(alive);
    await using _ = await Sleeper.on(server.port, dead);
    const idle = connecting(server.port);
    resolves([dead, alive]);
    const { clock, told, deadlines } = racing(server.port);
    await until(() => connecting(server.port) === idle + 1, 'it knocks at the first');
    clock.advance(200);
    expect([told, server.sockets.length]).toEqual([[], 0]);
    clock.advance(100);
    await until(() => told.length > 0, 'it is told');
    expect([told, deadlines.size, connecting(server.port)]).toEqual([[alive], 0, idle]);
  });
});

test('who is slow is not given up: it wins if the others are slower', async () => {
  const server = await listening('127.0.0.1');
  const { port } = server;
  await server[Symbol.asyncDispose]();
  await using slow = await Sleeper.on(port, '::1');
  await using _ = await Sleeper.on(port, '127.0.0.1');
  const idle = connecting(port);
  resolves(['::1', '127.0.0.1']);
  const { clock, told, deadlines } = racing(port);
  await until(() => connecting(port) === idle + 1, 'it knocks at the first');
  clock.advance(300);
  await until(() => connecting(port) === idle + 2, 'and at the second');
  slow.wake();
  // The system knocks again after a second.
  await until(() => told.length > 0, 'it is told');
  expect([told, deadlines.size]).toEqual([['::1'], 0]);
});

test('no address answers: the first code stands for all', async () => {
  const server = await listening('127.0.0.1');
  await server[Symbol.asyncDispose]();
  resolves(['127.0.0.1', '::1']);
  const { told, deadlines } = racing(server.port);
  await until(() => told.length > 0, 'it is told');
  expect([told, deadlines.size]).toEqual([['ECONNREFUSED'], 0]);
});

test('no such name', async () => {
  resolves([]);
  const { told, deadlines } = racing(1);
  await until(() => told.length > 0, 'it is told');
  expect([told, deadlines.size]).toEqual([['ENOTFOUND'], 0]);
});

test('given up while the name is looked up, and while it knocks, nothing more is heard', async () => {
  await using server = await listening('127.0.0.1');
  await using _ = await Sleeper.on(server.port, '::1');
  resolves(['::1', '127.0.0.1']);
  const idle = connecting(server.port);
  const early = racing(server.port);
  early.dialing.cancel();
  const late = racing(server.port);
  await until(() => connecting(server.port) > idle, 'it knocks');
  late.dialing.cancel();
  late.clock.advance(1000);
  await until(() => connecting(server.port) === idle, 'nobody knocks');
  expect([early.told, late.told, early.deadlines.size, late.deadlines.size]).toEqual([[], [], 0, 0]);
  expect(server.sockets).toEqual([]);
});

test('a request to a name whose first address is silent is answered by the second, long before the first is given up', async () => {
  await using server = await listening('127.0.0.1');
  await using _ = await Sleeper.on(server.port, '::1');
  resolves(['::1', '127.0.0.1']);
  const config = simpleConfig(0, {
    pools: { origin: { endpoints: [`dual.test:${server.port}`], timeouts: { connect: '10m' } } },
  });
  await using gateway = await testGateway(config);
  const idle = connecting(server.port);
  const answer = get(gateway.port());
  await until(() => server.sockets.length === 1, 'it is connected');
  // It knocks at the first address to the end.
  await until(() => connecting(server.port) === idle, 'nobody knocks');
  server.sockets[0]!.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  expect((await answer).body).toBe('ok');
});
