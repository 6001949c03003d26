/** What a pool lets its backends send, and what they say about their connections: `limits`, `lenient`, Keep-Alive. */
import type net from 'node:net';
import { describe, expect, test } from 'vitest';
import { endpointOf, poolLoad, simpleConfig, testGateway, until } from '../support/gateway.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { answering, type Origin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { readResponses } from '../support/strict-reader.ts';
import { get } from '../support/requests.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

function pooled(origin: Origin, pool: object = {}): Record<string, unknown> {
  return simpleConfig(0, { pools: { origin: { endpoints: [`127.0.0.1:${origin.port}`], ...pool } } });
}

/** With a line of so many bytes, and so many short lines. */
function headOf(bytes: number, lines: number): string {
  return `HTTP/1.1 200 OK\r\nX-Long: ${'a'.repeat(bytes)}\r\n${'X-Many: b\r\n'.repeat(lines)}Content-Length: 2\r\n\r\nok`;
}

describe('limits on response heads', () => {
  test.each([
    ['header_size', headOf(70_000, 0), { header_size: '128KiB' }],
    ['header_count', headOf(1, 300), { header_count: 400 }],
  ])('%s: 502 until it is raised, which resets nothing', async (_, head, limits) => {
    await using origin = await rawOrigin(answering(head));
    await using gateway = await testGateway(pooled(origin, { retries: { attempts: 0 } }));
    const states = (): unknown[] => gateway.running.gateway.current!.plan.pools[0]!.endpoints.map(({ claim }) => claim);
    const before = states();
    expect((await get(gateway.port())).status).toBe(502);
    expect(endpointOf(gateway, 'origin', 0).health.lastError).toBe('response_head_too_large');
    await gateway.edit(pooled(origin, { retries: { attempts: 0 }, limits, health: { backoff: { first: '0s' } } }));
    expect(states()).toEqual(before);
    await using client = await RawClient.to(gateway.port());
    const answer = await client.send(GET).response();
    expect([answer.status, answer.body]).toEqual([200, 'ok']);
  });

  test('header_size may be smaller than the default', async () => {
    await using origin = await rawOrigin(answering(headOf(2000, 0)));
    await using gateway = await testGateway(pooled(origin, { limits: { header_size: '1KiB' } }));
    expect((await get(gateway.port())).status).toBe(502);
  });
});

/** A name of `lenient`, what a backend sends, and what the client gets behind its status line. */
const FAULTS: readonly {
  readonly name: string;
  readonly sent: string;
  readonly status?: number;
  readonly lines?: readonly string[];
  readonly body?: string;
  readonly reused: boolean;
}[] = [
  {
    name: 'bare_lf',
    sent: 'HTTP/1.1 200 OK\nX-A: b\nContent-Length: 2\n\nok',
    lines: ['X-A: b\r\n'],
    reused: false,
  },
  {
    name: 'folded_lines',
    sent: 'HTTP/1.1 200 OK\r\nX-A: b\r\n\t c\r\nContent-Length: 2\r\n\r\nok',
    lines: ['X-A: b c\r\n'],
    reused: false,
  },
  {
    name: 'space_before_colon',
    sent: 'HTTP/1.1 200 OK\r\nX-A : b\r\nContent-Length : 2\r\n\r\nok',
    lines: ['X-A: b\r\n', 'Content-Length: 2\r\n'],
    reused: false,
  },
  {
    name: 'repeated_content_length',
    sent: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2, 2\r\n\r\nok',
    lines: ['Content-Length: 2\r\n'],
    reused: true,
  },
  {
    name: 'space_after_chunk_size',
    sent: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2    \r\nok\r\n0  \r\n\r\n',
    reused: true,
  },
  {
    name: 'status_above_599',
    sent: 'HTTP/1.1 999 Request Denied\r\nContent-Length: 2\r\n\r\nok',
    status: 999,
    reused: true,
  },
];
const NAMES = FAULTS.map(({ name }) => name);

describe.each(FAULTS)('$name', ({ name, sent, status = 200, lines = [], reused }) => {
  const others = NAMES.filter((one) => one !== name);

  test('is refused without its leniency, whatever else is forgiven', async () => {
    await using origin = await rawOrigin(answering(sent));
    await using gateway = await testGateway(pooled(origin, { lenient: others, retries: { attempts: 0 } }));
    await using client = await RawClient.to(gateway.port());
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await client.end();
    // A body that turns out wrong is cut; its head has been sent.
    if (name === 'space_after_chunk_size') expect(readResponses(client.text, ['GET'], false).messages).toEqual([]);
    else expect(client.text).toMatch(/^HTTP\/1\.1 502 /);
  });

  test('goes on in strict form with it', async () => {
    let sockets = 0;
    await using origin = await rawOrigin((socket) => {
      sockets++;
      socket.on('end', () => socket.end());
      answering(sent)(socket);
    });
    await using gateway = await testGateway(pooled(origin, { lenient: [name] }));
    await using client = await RawClient.to(gateway.port());
    client.send(GET + GET);
    // The strict reader takes no status above 599, as it should not.
    const read = () => readResponses(client.text.replaceAll(' 999 ', ' 599 '), ['GET', 'GET'], false);
    await until(() => read().messages.length === 2, 'both answers');
    const { messages, complaint, rest } = read();
    expect(client.text.split(`HTTP/1.1 ${status} `)).toHaveLength(3);
    expect([complaint, rest]).toEqual(['', '']);
    for (const { head, body } of messages) {
      expect(body).toBe('ok');
      for (const line of lines) expect(head.split(line)).toHaveLength(2);
    }
    expect(sockets).toBe(reused ? 1 : 2);
  });
});

test('a status above 599 counts as one of the 5xx, and is not stored', async () => {
  await using origin = await rawOrigin(
    answering('HTTP/1.1 777 Lucky\r\nCache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nok'),
  );
  const config = {
    ...pooled(origin, { lenient: ['status_above_599'] }),
    caches: { pages: {} },
    routes: [{ name: 'all', match: {}, policies: [{ type: 'cache', cache: 'pages' }], pool: 'origin' }],
  };
  await using gateway = await testGateway(config);
  for (let i = 0; i < 2; i++) expect((await get(gateway.port())).status).toBe(777);
  expect(origin.received.flat().map(String).join('').split('GET /')).toHaveLength(3);
  const { metrics } = gateway.running.gateway;
  expect(metrics.endpoint('origin', `127.0.0.1:${origin.port}`).responses[5]).toBe(2);
  expect(metrics.route('all').responses[5]).toBe(2);
});

describe('what could be read as a second message is never forgiven', () => {
  test.each([
    [
      'Transfer-Encoding beside Content-Length',
      'Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    ],
    ['Content-Lengths that differ', 'Content-Length: 2\r\nContent-Length: 3\r\n\r\nok'],
    ['an unknown transfer coding', 'Transfer-Encoding: foo\r\n\r\nok'],
    ['a bare CR', 'X-A: b\rContent-Length: 2\r\n\r\nok'],
    ['a NUL', 'X-A: \0\r\nContent-Length: 2\r\n\r\nok'],
  ])('%s', async (_, rest) => {
    await using origin = await rawOrigin(answering(`HTTP/1.1 200 OK\r\n${rest}`));
    await using gateway = await testGateway(pooled(origin, { lenient: NAMES }));
    expect((await get(gateway.port())).status).toBe(502);
  });

  test('nor a second head behind LFs: what follows a forgiven response reaches nobody', async () => {
    const smuggling = 'HTTP/1.1 200 OK\nX-A: b\nContent-Length: 2\n\nokHTTP/1.1 200 OK\nContent-Length: 8\n\nsmuggled';
    await using origin = await rawOrigin((socket) => {
      socket.on('end', () => socket.end());
      answering(smuggling)(socket);
    });
    await using gateway = await testGateway(pooled(origin, { lenient: NAMES }));
    for (let i = 0; i < 3; i++) expect((await get(gateway.port())).body).toBe('ok');
    expect(origin.received).toHaveLength(3);
  });
});

describe('Keep-Alive of a backend', () => {
  /** Answers with each of these in turn, and says how many connections were made. */
  const saying = async (...heads: readonly string[]): Promise<Origin & { readonly open: Set<net.Socket> }> => {
    const open = new Set<net.Socket>();
    const answer = answering(...heads.map((line) => OK.replace('Content', `${line}Content`)));
    const origin = await rawOrigin((socket) => {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      socket.on('end', () => socket.end());
      answer(socket);
    });
    return Object.assign(origin, { open });
  };

  test('timeout=N: the connection is given up a second before, so that no POST meets its end', async () => {
    const clock = new ManualClock();
    await using origin = await saying('Keep-Alive: timeout=5\r\n');
    await using gateway = await testGateway(pooled(origin), { clock });
    await using client = await RawClient.to(gateway.port());
    const ask = async (): Promise<number> => (await client.send(POST).response()).status;
    expect(await ask()).toBe(200);
    clock.advance(3800);
    expect(await ask()).toBe(200);
    expect(origin.received).toHaveLength(1);
    clock.advance(4100);
    expect(poolLoad(gateway, 'origin').connections).toBe(0);
    await until(() => origin.open.size === 0, 'it is closed, not only set aside');
    expect(await ask()).toBe(200);
    expect(origin.received).toHaveLength(2);
  });

  test("timeout=N does not make the pool's own idle time longer", async () => {
    const clock = new ManualClock();
    await using origin = await saying('Keep-Alive: timeout=30\r\n');
    await using gateway = await testGateway(pooled(origin, { keepalive: { idle: '2s' } }), { clock });
    await using client = await RawClient.to(gateway.port());
    await client.send(GET).response();
    clock.advance(2100);
    expect(poolLoad(gateway, 'origin').connections).toBe(0);
  });

  test('timeout=N said once holds for the responses after it that say nothing', async () => {
    const clock = new ManualClock();
    await using origin = await saying('Keep-Alive: timeout=3\r\n', '');
    await using gateway = await testGateway(pooled(origin), { clock });
    await using client = await RawClient.to(gateway.port());
    for (let i = 0; i < 2; i++) await client.send(GET).response();
    clock.advance(2100);
    expect(poolLoad(gateway, 'origin').connections).toBe(0);
    expect(origin.received).toHaveLength(1);
  });

  test.each(['timeout=0', 'max=0', 'timeout=5, max=0'])('%s: it carries no further request', async (value) => {
    await using origin = await saying(`Keep-Alive: ${value}\r\n`);
    await using gateway = await testGateway(pooled(origin));
    await using client = await RawClient.to(gateway.port());
    for (let i = 0; i < 3; i++) expect((await client.send(POST).response()).status).toBe(200);
    expect(origin.received).toHaveLength(3);
  });
});
