/** Every deadline, on a clock that the test moves. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { describe, expect, test } from 'vitest';
import { simpleConfig, testGateway, type TestGateway, until } from '../support/gateway.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { answering, httpOrigin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { stillness } from '../support/stillness.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n';

function withTimeouts(originPort: number, listener: object, pool: object = {}): Record<string, unknown> {
  return simpleConfig(originPort, {
    listeners: { web: { address: '127.0.0.1:0', timeouts: listener } },
    pools: { origin: { endpoints: [`127.0.0.1:${originPort}`], timeouts: pool } },
  });
}

/** A port whose queue is full and whose owner is asleep: the kernel answers nobody there. */
async function fullBacklog(): Promise<AsyncDisposable & { port: number }> {
  const script =
    "require('net').createServer().listen({port:0,host:'127.0.0.1',backlog:1},function(){console.log(this.address().port)})";
  const child = spawn(process.execPath, ['-e', script]);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  child.kill('SIGSTOP');
  const fillers = Array.from({ length: 4 }, () => net.connect(port, '127.0.0.1').on('error', () => {}));
  await Promise.all(fillers.slice(0, 2).map((socket) => once(socket, 'connect')));
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of fillers) socket.destroy();
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** Until the gateway has taken the client's connection. */
async function accepted(gateway: TestGateway, count = 1): Promise<void> {
  await until(() => gateway.running.gateway.metrics.listener('web').accepted >= count, 'the connection is accepted');
}

describe('a client', () => {
  test('that never says anything is let go without a word after timeouts.header', async () => {
    const clock = new ManualClock();
    await using gateway = await testGateway(withTimeouts(1, { header: '3s' }), { clock });
    await using client = await RawClient.to(gateway.port());
    await accepted(gateway);
    clock.advance(2800);
    expect(client.ended).toBe(false);
    clock.advance(400);
    await client.end();
    expect(client.text).toBe('');
  });

  test('whose head is not whole by timeouts.header gets 408, however it drips', async () => {
    const clock = new ManualClock();
    await using gateway = await testGateway(withTimeouts(1, { header: '3s' }), { clock });
    await using client = await RawClient.to(gateway.port());
    client.send('GET /');
    await accepted(gateway);
    for (let i = 0; i < 4; i++) {
      client.send('X');
      await new Promise((resolve) => setTimeout(resolve, 5));
      clock.advance(1000);
    }
    expect((await client.response()).status).toBe(408);
    await client.end();
  });

  test('whose body stalls for timeouts.body gets 408; one that goes on does not', async () => {
    const clock = new ManualClock();
    await using origin = await httpOrigin();
    await using gateway = await testGateway(withTimeouts(origin.port, { body: '3s' }), { clock });
    await using client = await RawClient.to(gateway.port());
    client.send(HEAD);
    for (let i = 1; i <= 3; i++) {
      client.send('x');
      await until(
        () => origin.received[0]?.map(String).join('').endsWith('x'.repeat(i)) === true,
        `byte ${i} has arrived`,
      );
      clock.advance(2500);
    }
    expect(client.text).toBe('');
    clock.advance(1000);
    expect((await client.response()).status).toBe(408);
  });

  test('that keeps a connection idle for timeouts.idle loses it', async () => {
    const clock = new ManualClock();
    await using origin = await httpOrigin();
    await using gateway = await testGateway(withTimeouts(origin.port, { idle: '7s', header: '1s' }), { clock });
    await using client = await RawClient.to(gateway.port());
    await client.send(GET).response();
    clock.advance(6800);
    expect((await client.send(GET).response()).status).toBe(200);
    clock.advance(6800);
    expect(client.ended).toBe(false);
    clock.advance(400);
    await client.end();
  });

  test('that does not take its response for timeouts.send is cut off, and the origin with it', async () => {
    const clock = new ManualClock();
    let sent = 0;
    let closed = false;
    await using origin = await rawOrigin((socket) => {
      socket.on('close', () => (closed = true));
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n');
        const block = Buffer.alloc(256 * 1024);
        const more = (): void => {
          while (!socket.destroyed && socket.write(block)) sent += block.length;
        };
        socket.on('drain', more);
        more();
      });
    });
    await using gateway = await testGateway(withTimeouts(origin.port, { send: '3s' }), { clock });
    await using client = await RawClient.to(gateway.port());
    client.socket.pause();
    client.send(GET);
    await stillness(() => sent);
    expect(sent).toBeLessThan(64 * 1024 * 1024);
    clock.advance(2800);
    expect(closed).toBe(false);
    // The kernel is asked meanwhile what the client has taken.
    await until(
      () => closed,
      'the upstream connection is closed',
      async () => clock.advance(200),
    );
  });
});

describe('a client that waits for a 100 before it sends its body', () => {
  const EXPECTING = 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n';
  const waiting = async (answer: string) => {
    const clock = new ManualClock();
    const origin = await rawOrigin(answering(answer));
    const gateway = await testGateway(withTimeouts(origin.port, { body: '3s' }, { first_byte: '9s' }), { clock });
    const client = await RawClient.to(gateway.port());
    client.send(EXPECTING);
    await until(() => origin.received[0]?.length === 1, 'the request has arrived');
    return { clock, client, [Symbol.asyncDispose]: () => disposed(client, gateway, origin) };
  };
  const disposed = async (...all: readonly AsyncDisposable[]): Promise<void> => {
    for (const one of all) await one[Symbol.asyncDispose]();
  };

  test('owes nothing until the backend has sent it: the backend that is silent is to blame', async () => {
    await using it = await waiting('');
    it.clock.advance(8000);
    expect(it.client.text).toBe('');
    it.clock.advance(1500);
    expect((await it.client.response()).status).toBe(504);
  });

  test('owes its body from then on', async () => {
    await using it = await waiting('HTTP/1.1 100 Continue\r\n\r\n');
    await until(() => it.client.text !== '', 'the 100 has come');
    it.clock.advance(2800);
    expect(it.client.text).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    it.clock.advance(400);
    await until(() => it.client.text.includes('HTTP/1.1 408 '), 'its time is over');
  });
});

describe('a backend', () => {
  test('that does not answer for first_byte: 504, and its connection is closed', async () => {
    const clock = new ManualClock();
    let closed = false;
    await using origin = await rawOrigin((socket) => socket.on('end', () => (closed = true)));
    await using gateway = await testGateway(withTimeouts(origin.port, {}, { first_byte: '4s' }), { clock });
    await using client = await RawClient.to(gateway.port());
    client.send(GET);
    await until(() => origin.received[0]?.length === 1, 'the request has arrived');
    clock.advance(3800);
    expect(client.text).toBe('');
    clock.advance(400);
    const response = await client.response();
    expect([response.status, response.body]).toEqual([
      504,
      '{"type":"about:blank","title":"Gateway Timeout","status":504}\n',
    ]);
    await until(() => closed, 'the upstream connection is closed');
  });

  test('that stops within its response for idle: the client notices that it is not whole', async () => {
    const clock = new ManualClock();
    await using origin = await rawOrigin(answering('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345'));
    await using gateway = await testGateway(withTimeouts(origin.port, {}, { idle: '4s' }), { clock });
    await using client = await RawClient.to(gateway.port());
    client.send(GET);
    await until(() => client.text.endsWith('12345'), 'half of it has come');
    clock.advance(4500);
    await client.end();
    expect(client.text).toMatch(/12345$/);
  });

  test('that accepts nobody for connect: 504', async () => {
    const clock = new ManualClock();
    await using silent = await fullBacklog();
    await using gateway = await testGateway(withTimeouts(silent.port, {}, { connect: '2s' }), { clock });
    await using client = await RawClient.to(gateway.port());
    client.send(GET);
    await until(() => gateway.running.gateway.timed === 2, 'the connection is being made');
    clock.advance(1900);
    expect(client.text).toBe('');
    clock.advance(300);
    expect((await client.response()).status).toBe(504);
  });

  test('that refuses connections: 502', async () => {
    await using gateway = await testGateway(simpleConfig(1));
    await using client = await RawClient.to(gateway.port());
    expect((await client.send(GET).response()).status).toBe(502);
    // There is no other to ask, so it is tried again.
    expect((await client.send(GET).response()).status).toBe(502);
  });

  test('whose idle connection is older than keepalive.idle is not used again', async () => {
    const clock = new ManualClock();
    await using origin = await httpOrigin();
    const pools = { origin: { endpoints: [`127.0.0.1:${origin.port}`], keepalive: { idle: '5s' } } };
    await using gateway = await testGateway(simpleConfig(origin.port, { pools }), { clock });
    await using client = await RawClient.to(gateway.port());
    await client.send(GET).response();
    clock.advance(4000);
    await client.send(GET).response();
    expect(origin.received).toHaveLength(1);
    clock.advance(6000);
    await client.send(GET).response();
    expect(origin.received).toHaveLength(2);
  });
});

test('a tunnel without a byte for timeouts.tunnel is reset', async () => {
  const clock = new ManualClock();
  await using origin = await rawOrigin((socket) => socket.pipe(socket));
  await using gateway = await testGateway(
    {
      version: 1,
      listeners: { web: { address: '127.0.0.1:0', protocol: 'tcp', pool: 'origin' } },
      pools: { origin: { endpoints: [`127.0.0.1:${origin.port}`], timeouts: { tunnel: '5m' } } },
    },
    { clock },
  );
  await using client = await RawClient.to(gateway.port());
  client.send('one');
  await until(() => client.text === 'one', 'the echo comes');
  clock.advance(299_000);
  client.send('two');
  await until(() => client.text === 'onetwo', 'the echo comes');
  clock.advance(299_000);
  expect(client.closed).toBe(false);
  clock.advance(2000);
  await until(() => client.closed, 'it is reset');
  expect(client.error).toBe('ECONNRESET');
});
