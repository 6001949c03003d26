/** Where connections end, break or say more than they should: what is sent twice, what is not, and who gets what. */
import type net from 'node:net';
import { describe, expect, test } from 'vitest';
import { simpleConfig, testGateway, until } from '../support/gateway.ts';
import { answering, httpOrigin, type Origin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Request heads that came, over all connections. */
function headsOf({ received }: Origin): string[] {
  return received.flatMap(
    (parts) =>
      Buffer.concat(parts)
        .toString('latin1')
        .match(/^[A-Z]+ \/\S* HTTP\/1\.1/gm) ?? [],
  );
}

/** Answers the first request of each connection, and resets it when there is another. */
function onceEach(): Promise<Origin> {
  return rawOrigin((socket) => {
    let served = 0;
    socket.on('data', () => {
      if (served++ === 0) socket.write(OK);
      else socket.resetAndDestroy();
    });
  });
}

describe('an idle upstream connection', () => {
  // RFC 9112 §9.2: what comes while no request is outstanding is no response to any.
  test.each([
    ['an answer to nothing', OK.replace('ok', 'no')],
    ['a 408, as some servers say goodbye', 'HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n'],
    ['a single byte', '\n'],
  ])('that says %s is closed, and nobody gets it', async (_, unasked) => {
    const sockets: net.Socket[] = [];
    let ended = 0;
    await using origin = await rawOrigin((socket) => {
      sockets.push(socket);
      socket.on('close', () => ended++);
      socket.on('end', () => socket.end());
      answering(OK)(socket);
    });
    await using gateway = await testGateway(simpleConfig(origin.port));
    await using client = await RawClient.to(gateway.port());
    expect((await client.send(GET).response()).body).toBe('ok');
    sockets[0]!.write(unasked);
    await until(() => ended === 1, 'the gateway has closed it');
    expect((await client.send(GET).response()).body).toBe('ok');
    expect(sockets).toHaveLength(2);
    expect(client.text.match(/HTTP\/1\.1 /g)).toHaveLength(2);
  });

  test('that its server ends is forgotten at once', async () => {
    const sockets: net.Socket[] = [];
    let ended = 0;
    await using origin = await rawOrigin((socket) => {
      sockets.push(socket);
      socket.on('close', () => ended++);
      answering(OK)(socket);
    });
    await using gateway = await testGateway(simpleConfig(origin.port));
    await using client = await RawClient.to(gateway.port());
    await client.send(GET).response();
    sockets[0]!.end();
    await until(() => ended === 1, 'the gateway has closed it too');
    const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi';
    // It could not be sent a second time, and need not be.
    expect((await client.send(post).response()).status).toBe(200);
    expect(headsOf(origin)).toEqual(['GET / HTTP/1.1', 'POST / HTTP/1.1']);
  });
});

describe('a pooled connection that breaks under a request', () => {
  test('costs a GET nothing, even where no retries are wanted: it is sent once more, on a fresh connection', async () => {
    await using origin = await onceEach();
    const pools = { origin: { endpoints: [`127.0.0.1:${origin.port}`], retries: { attempts: 0 } } };
    await using gateway = await testGateway(simpleConfig(0, { pools }));
    await using client = await RawClient.to(gateway.port());
    for (let i = 0; i < 3; i++) expect((await client.send(GET).response()).status).toBe(200);
    // The second and the third were each sent twice; every connection but the last has broken.
    expect(headsOf(origin)).toHaveLength(5);
    expect(origin.received).toHaveLength(3);
  });

  test('is no second chance if the fresh one breaks as well', async () => {
    let served = 0;
    await using origin = await rawOrigin((socket) => {
      socket.on('data', () => {
        if (served++ === 0) socket.write(OK);
        else socket.resetAndDestroy();
      });
    });
    const pools = { origin: { endpoints: [`127.0.0.1:${origin.port}`], retries: { attempts: 0 } } };
    await using gateway = await testGateway(simpleConfig(0, { pools }));
    await using client = await RawClient.to(gateway.port());
    expect((await client.send(GET).response()).status).toBe(200);
    expect((await client.send(GET).response()).status).toBe(502);
    expect(headsOf(origin)).toHaveLength(3);
  });

  test.each([
    ['with a body', 'Content-Length: 2\r\n\r\nhi'],
    ['without one', 'Content-Length: 0\r\n\r\n'],
  ])('is the end of a POST %s: it may have been acted upon', async (_, rest) => {
    await using origin = await onceEach();
    await using gateway = await testGateway(simpleConfig(origin.port));
    await using client = await RawClient.to(gateway.port());
    await client.send(GET).response();
    expect((await client.send(`POST /pay HTTP/1.1\r\nHost: a\r\n${rest}`).response()).status).toBe(502);
    expect(headsOf(origin)).toEqual(['GET / HTTP/1.1', 'POST /pay HTTP/1.1']);
  });
});

test('a POST that a fresh connection broke under is not sent to another endpoint either; a DELETE is', async () => {
  const breaking = (socket: net.Socket): void => void socket.once('data', () => socket.resetAndDestroy());
  await using one = await rawOrigin(breaking);
  await using two = await rawOrigin(breaking);
  const endpoints = [one, two].map(({ port }) => `127.0.0.1:${port}`);
  await using gateway = await testGateway(simpleConfig(0, { pools: { origin: { endpoints } } }));
  const ask = async (method: string): Promise<number> => {
    await using client = await RawClient.to(gateway.port());
    return (await client.send(`${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`).response()).status;
  };
  expect(await ask('POST')).toBe(502);
  expect([...headsOf(one), ...headsOf(two)]).toEqual(['POST / HTTP/1.1']);
  expect(await ask('DELETE')).toBe(502);
  expect([...headsOf(one), ...headsOf(two)].filter((head) => head.startsWith('DELETE')).length).toBeGreaterThan(1);
});

test('trailers go both ways, but for fields that must not be there', async () => {
  await using origin = await rawOrigin((socket) => {
    let text = '';
    socket.on('data', (part: Buffer) => {
      text += part.toString('latin1');
      if (!text.endsWith('\r\n\r\n') || !text.includes('\r\n0\r\n')) return;
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n');
      socket.write('0\r\nX-Sum: 2\r\nContent-Length: 99\r\n\r\n');
    });
  });
  await using gateway = await testGateway(simpleConfig(origin.port));
  await using client = await RawClient.to(gateway.port());
  client.send('POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n');
  client.send('0\r\nX-Sum: 1\r\nHost: evil\r\n\r\n');
  const answer = await client.response();
  expect(answer.status).toBe(200);
  expect(client.text).toMatch(/\r\n2\r\nok\r\n0\r\nX-Sum: 2\r\n\r\n$/);
  expect(Buffer.concat(origin.received[0]!).toString('latin1')).toMatch(/\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n$/);
});

describe('an HTTP/1.0 client', () => {
  test('has its connection ended after the answer, unless it asked to keep it', async () => {
    await using origin = await httpOrigin((_, response) => response.setHeader('content-length', 2).end('ok'));
    await using gateway = await testGateway(simpleConfig(origin.port));
    await using plain = await RawClient.to(gateway.port());
    const answer = await plain.send('GET / HTTP/1.0\r\n\r\n').response();
    expect([answer.status, answer.headers['connection'], answer.body]).toEqual([200, 'close', 'ok']);
    await plain.end();
    await using kept = await RawClient.to(gateway.port());
    for (let i = 0; i < 2; i++) {
      const again = await kept.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n').response();
      expect([again.status, again.headers['connection'], again.body]).toEqual([200, 'keep-alive', 'ok']);
    }
    expect(origin.requests).toHaveLength(3);
  });

  test('gets no chunks and no trailers', async () => {
    await using origin = await rawOrigin(
      answering('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3\r\n!!!\r\n0\r\nX-Sum: 5\r\n\r\n'),
    );
    await using gateway = await testGateway(simpleConfig(origin.port));
    await using client = await RawClient.to(gateway.port());
    const answer = await client.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n').response();
    expect([answer.headers['transfer-encoding'], answer.headers['connection'], answer.body]).toEqual([
      undefined,
      'close',
      'ok!!!',
    ]);
    await client.end();
  });
});

test('a response that ends with its connection and is reset instead is not passed off as whole', async () => {
  let upstream: net.Socket | null = null;
  await using origin = await rawOrigin((socket) => {
    upstream = socket;
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\nhalf'));
  });
  await using gateway = await testGateway(simpleConfig(origin.port));
  await using modern = await RawClient.to(gateway.port());
  modern.send(GET);
  await until(() => modern.text.includes('half'), 'half of it has come');
  upstream!.resetAndDestroy();
  await modern.end();
  // No last chunk.
  expect(modern.text).toMatch(/half\r\n$/);
  await using old = await RawClient.to(gateway.port());
  old.send('GET / HTTP/1.0\r\n\r\n');
  await until(() => old.text.includes('half'), 'half of it has come');
  upstream!.resetAndDestroy();
  await until(() => old.closed, 'its connection is closed');
  // To a client that takes the end for the end of the body, only a reset says that it is not.
  expect(old.error).toBe('ECONNRESET');
});

test('a connection that has a request under way when the gateway stops is told that it is the last', async () => {
  const releases: (() => void)[] = [];
  await using origin = await httpOrigin((_, response) => releases.push(() => response.end('late')));
  await using gateway = await testGateway(simpleConfig(origin.port));
  await using busy = await RawClient.to(gateway.port());
  await using idle = await RawClient.to(gateway.port());
  busy.send(GET);
  await until(() => releases.length === 1, 'the request is under way');
  const stopped = gateway.running.gateway.close(5000);
  await idle.end();
  expect(idle.text).toBe('');
  releases[0]!();
  const answer = await busy.response();
  expect([answer.status, answer.body, answer.headers['connection']]).toEqual([200, 'late', 'close']);
  await busy.end();
  busy.socket.end();
  await stopped;
});
