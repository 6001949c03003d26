/** Slow peers and silent streams, on a clock that the test moves: what is served for as long as bytes are taken, and what ends. */
import { readFileSync } from 'node:fs';
import type net from 'node:net';
import { describe, expect, test } from 'vitest';
import { sendQueues } from '../../src/net/send-queues.ts';
import { simpleConfig, testGateway, until } from '../support/gateway.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { answering, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const UPGRADE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';
const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';
const EVENTS = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';

function config(port: number, { listener = {}, pool = {} }: { listener?: object; pool?: object }): object {
  return simpleConfig(port, {
    listeners: { web: { address: '127.0.0.1:0', timeouts: listener } },
    pools: { origin: { endpoints: [`127.0.0.1:${port}`], timeouts: pool } },
  });
}

/** A sender's socket takes no more. */
async function full(written: () => number): Promise<void> {
  let last = -1;
  await until(
    () => written() > 0 && written() === last,
    'nothing moves any more',
    async () => {
      last = written();
      await new Promise((resolve) => setTimeout(resolve, 50));
    },
  );
}

/** What the system of a socket's peer holds for it. Whoever has asked the kernel before has had its answer by then. */
async function heldFor({ localAddress, localPort, remoteAddress, remotePort }: net.Socket): Promise<number> {
  const addresses = {
    localAddress: remoteAddress!,
    localPort: remotePort!,
    remoteAddress: localAddress!,
    remotePort: localPort!,
  };
  return new Promise((resolve) => {
    if (!sendQueues.ask(addresses, { onSendQueue: resolve })) resolve(-1);
  });
}

/** Takes bytes from a socket that is paused until its peer's system has noticed. */
async function takes(socket: net.Socket): Promise<void> {
  const before = await heldFor(socket);
  let held = before;
  const pause = (): void => void socket.pause();
  socket.on('data', pause);
  await until(
    () => held !== before || socket.destroyed,
    "its peer's system has noticed",
    async () => {
      socket.resume();
      await until(() => socket.isPaused() || socket.destroyed, 'it has taken some');
      held = await heldFor(socket);
    },
  );
  socket.off('data', pause);
}

/** Time goes on; what the kernel is asked meanwhile it answers. */
async function goOn(clock: ManualClock, ms: number, socket: net.Socket): Promise<void> {
  for (let i = 0; i < ms; i += 500) {
    clock.advance(500);
    await heldFor(socket);
  }
}

/** It is given up at some time, as it takes nothing more. */
async function givenUp(clock: ManualClock, socket: net.Socket, ended: () => boolean): Promise<void> {
  await until(ended, 'it is given up', () => goOn(clock, 500, socket));
}

/** Sends without end as far as it is taken. */
function pour(socket: net.Socket, sent: (bytes: number) => void): void {
  const block = Buffer.alloc(256 * 1024, 'x');
  const more = (): void => {
    while (!socket.destroyed && socket.write(block)) sent(block.length);
  };
  socket.on('drain', more);
  more();
}

describe.runIf(process.platform === 'linux')('a client that takes its response slowly', () => {
  test('is served for as long as it takes some within each timeouts.send, and the backend is not to blame', async () => {
    const clock = new ManualClock();
    let sent = 0;
    let closed = false;
    await using origin = await rawOrigin((socket) => {
      socket.once('close', () => (closed = true));
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n');
        pour(socket, (bytes) => void (sent += bytes));
      });
    });
    const timeouts = { listener: { send: '4s' }, pool: { idle: '1s' } };
    await using gateway = await testGateway(config(origin.port, timeouts), { clock });
    await using client = await RawClient.to(gateway.port());
    client.socket.pause();
    client.send(GET);
    await full(() => sent);
    for (let i = 0; i < 3; i++) {
      await takes(client.socket);
      await goOn(clock, 3000, client.socket);
      expect(closed).toBe(false);
    }
    await givenUp(clock, client.socket, () => closed);
    client.socket.resume();
    await until(() => client.closed, 'it is told');
    expect(client.error).toBe('ECONNRESET');
  });

  test('in a tunnel too', async () => {
    const clock = new ManualClock();
    let sent = 0;
    let closed = false;
    await using origin = await rawOrigin((socket) => {
      socket.once('close', () => (closed = true));
      socket.once('data', () => {
        socket.write(SWITCHED);
        pour(socket, (bytes) => void (sent += bytes));
      });
    });
    await using gateway = await testGateway(config(origin.port, { pool: { tunnel: '4s' } }), { clock });
    await using client = await RawClient.to(gateway.port());
    client.send(UPGRADE);
    await client.response();
    client.socket.pause();
    await full(() => sent);
    for (let i = 0; i < 3; i++) {
      await takes(client.socket);
      await goOn(clock, 3000, client.socket);
      expect(closed).toBe(false);
    }
    await givenUp(clock, client.socket, () => closed);
  });
});

describe.runIf(process.platform === 'linux')('a backend that takes a request body slowly', () => {
  test('is sent it for as long as it takes some within each idle, and the client is not to blame', async () => {
    const clock = new ManualClock();
    let sent = 0;
    let taker: net.Socket | null = null;
    await using origin = await rawOrigin((socket) => {
      taker = socket;
      socket.once('data', () => socket.pause());
    });
    const timeouts = { listener: { body: '1s' }, pool: { idle: '4s', first_byte: '1s' } };
    await using gateway = await testGateway(config(origin.port, timeouts), { clock });
    await using client = await RawClient.to(gateway.port());
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n');
    pour(client.socket, (bytes) => void (sent += bytes));
    await full(() => sent);
    const socket = taker as unknown as net.Socket;
    for (let i = 0; i < 3; i++) {
      await takes(socket);
      await goOn(clock, 3000, client.socket);
      expect(client.text).toBe('');
    }
    await givenUp(clock, client.socket, () => client.text !== '');
    expect((await client.response()).status).toBe(504);
  });
});

describe('a response that is silent', () => {
  test('is an event stream: it goes on, and its connection with it', async () => {
    const clock = new ManualClock();
    let backend: net.Socket | null = null;
    await using origin = await rawOrigin((socket) => {
      backend = socket;
      socket.once('data', () => socket.write(`${EVENTS}6\r\n: hi\n\n\r\n`));
    });
    await using gateway = await testGateway(config(origin.port, { pool: { idle: '2s' } }), { clock });
    await using client = await RawClient.to(gateway.port());
    client.send(GET);
    await until(() => client.text.includes(': hi'), 'the first event has come');
    clock.advance(7_200_000);
    (backend as unknown as net.Socket).write('7\r\n: now\n\n\r\n');
    await until(() => client.text.includes(': now'), 'the next has come');
  });

  test.each([
    ['text/event-stream; charset=utf-8', true],
    ['Text/Event-Stream', true],
    ['text/event-streams', false],
    ['application/x-ndjson', false],
  ])('%s: an event stream is %s', async (type, stream) => {
    const clock = new ManualClock();
    const head = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n`;
    await using origin = await rawOrigin(answering(head));
    await using gateway = await testGateway(config(origin.port, { pool: { idle: '2s', stream: '9s' } }), { clock });
    await using client = await RawClient.to(gateway.port());
    client.send(GET);
    await until(() => client.text.includes('first'), 'it has begun');
    clock.advance(stream ? 8800 : 1800);
    expect(client.ended || client.closed).toBe(false);
    clock.advance(400);
    await client.end();
  });

  test('ends after the default of idle, which is a minute', async () => {
    const clock = new ManualClock();
    await using origin = await rawOrigin(answering('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345'));
    await using gateway = await testGateway(simpleConfig(origin.port), { clock });
    await using client = await RawClient.to(gateway.port());
    client.send(GET);
    await until(() => client.text.endsWith('12345'), 'half of it has come');
    clock.advance(59_800);
    expect(client.ended || client.closed).toBe(false);
    clock.advance(400);
    await client.end();
  });
});

test('an upgraded connection may be silent for as long as it likes', async () => {
  const clock = new ManualClock();
  await using origin = await rawOrigin((socket) => {
    socket.once('data', () => {
      socket.write(SWITCHED);
      socket.pipe(socket);
    });
  });
  await using gateway = await testGateway(simpleConfig(origin.port), { clock });
  await using client = await RawClient.to(gateway.port());
  client.send(UPGRADE);
  await client.response();
  clock.advance(24 * 3_600_000);
  client.send('still there');
  await until(() => client.text.endsWith('still there'), 'the echo comes');
});

test('a client that pauses within its upload for less than a minute is served', async () => {
  const clock = new ManualClock();
  await using origin = await rawOrigin((socket) => {
    let text = '';
    socket.on('data', (part) => {
      text += part.toString('latin1');
      if (text.endsWith('0123456789')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
  });
  await using gateway = await testGateway(simpleConfig(origin.port), { clock });
  await using client = await RawClient.to(gateway.port());
  client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234');
  await until(() => origin.received[0]?.map(String).join('').endsWith('01234') === true, 'half of it has arrived');
  clock.advance(59_800);
  client.send('56789');
  expect((await client.response()).status).toBe(200);
});

describe('0 is no timeout', () => {
  test('for a client: neither its body, nor its response, nor its next request', async () => {
    const clock = new ManualClock();
    let sent = 0;
    await using origin = await rawOrigin((socket) => {
      socket.on('data', (part) => {
        if (!part.toString('latin1').endsWith('z')) return;
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\n');
        const body = Buffer.alloc(20_000_000, 'y');
        socket.write(body, () => void (sent = body.length));
      });
    });
    const listener = { body: 0, send: '0s', idle: '0' };
    await using gateway = await testGateway(config(origin.port, { listener }), { clock });
    await using client = await RawClient.to(gateway.port());
    for (let i = 0; i < 2; i++) {
      client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na');
      await until(() => String(origin.received.at(-1)?.at(-1)).endsWith('a'), 'half of it has arrived');
      clock.advance(3_600_000);
      client.socket.pause();
      client.send('z');
      await until(() => gateway.running.gateway.timed > 0, 'it is under way');
      clock.advance(3_600_000);
      client.socket.resume();
      expect((await client.response()).body).toHaveLength(20_000_000);
      clock.advance(3_600_000);
    }
    expect(sent).toBe(20_000_000);
  });

  test('for a backend: neither the head nor the rest of its response, nor its idle connection', async () => {
    const clock = new ManualClock();
    const backends: net.Socket[] = [];
    await using origin = await rawOrigin((socket) => void backends.push(socket.on('data', () => {})));
    const pool = {
      endpoints: [`127.0.0.1:${origin.port}`],
      timeouts: { first_byte: 0, idle: '0s' },
      keepalive: { idle: '0s', max_age: '0s' },
    };
    await using gateway = await testGateway(simpleConfig(origin.port, { pools: { origin: pool } }), { clock });
    for (let i = 1; i <= 2; i++) {
      await using client = await RawClient.to(gateway.port());
      client.send(GET);
      await until(() => origin.received[0]?.length === i, 'the request has arrived');
      clock.advance(3_600_000);
      backends[0]!.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345');
      await until(() => client.text.endsWith('12345'), 'half of it has come');
      clock.advance(3_600_000);
      backends[0]!.write('67890');
      expect((await client.response()).body).toBe('1234567890');
      clock.advance(3_600_000);
    }
    expect(backends).toHaveLength(1);
  });
});

test.runIf(process.platform === 'linux')('connections on both sides are probed while they are silent', async () => {
  await using origin = await rawOrigin((socket) => socket.once('data', () => socket.write(EVENTS)));
  await using gateway = await testGateway(simpleConfig(origin.port));
  await using client = await RawClient.to(gateway.port());
  client.send(GET);
  await until(() => client.text.includes('event-stream'), 'the stream has begun');
  // Kernel's documentation, proc_net_tcp.rst: local, remote, state, queues, timer: 02 is the one of keep-alive.
  const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n');
  const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0');
  const timerOf = (local: string, remote: string): string | undefined =>
    lines
      .map((line) => new RegExp(`:${local} 0100007F:${remote} 01 \\S+ (..):`).exec(line)?.[1])
      .find((timer) => timer !== undefined);
  expect(timerOf(hex(gateway.port()), hex(client.socket.localPort!))).toBe('02');
  expect(timerOf('....', hex(origin.port))).toBe('02');
});
