import { describe, expect, test } from 'vitest';
import { simpleConfig, testGateway, until } from '../support/gateway.ts';
import { answering, httpOrigin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';

const GET = 'GET /a?b HTTP/1.1\r\nHost: example.com\r\n\r\n';

describe('requests and responses', () => {
  test('a request goes through with its identity, and the connection stays', async () => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway(simpleConfig(origin.port));
    await using client = await RawClient.to(gateway.port());
    for (let i = 0; i < 3; i++) {
      const response = await client.send(GET).response();
      expect([response.status, response.body]).toEqual([200, 'ok /a?b']);
      expect(response.headers['via']).toBe('1.1 prozy');
      expect(response.headers['connection']).toBeUndefined();
    }
    expect(origin.received).toHaveLength(1);
    const { headers } = origin.requests[0]!;
    expect(headers).toMatchObject({
      host: 'example.com',
      forwarded: 'for=127.0.0.1;host=example.com;proto=http',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'example.com',
      'x-forwarded-proto': 'http',
    });
    expect(headers['via']).toBeUndefined();
  });

  test('pipelined requests are answered in order, also behind a fixed answer', async () => {
    await using origin = await httpOrigin();
    const fixed = { name: 'fixed', match: { path: { exact: '/fixed' } }, respond: { body: 'here' } };
    const config = simpleConfig(origin.port);
    await using gateway = await testGateway({ ...config, routes: [fixed, ...(config['routes'] as object[])] });
    await using client = await RawClient.to(gateway.port());
    const of = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
    client.send(of('/1') + of('/fixed') + of('/2') + of('/fixed').repeat(500) + of('/3'));
    const bodies: string[] = [];
    for (let i = 0; i < 504; i++) bodies.push((await client.response()).body);
    expect(bodies.slice(0, 4)).toEqual(['ok /1', 'here', 'ok /2', 'here']);
    expect(bodies.at(-1)).toBe('ok /3');
  });

  test('bodies of both framings arrive whole, at every split', async () => {
    await using origin = await httpOrigin(({ body }, response) => response.end(body));
    await using gateway = await testGateway(simpleConfig(origin.port));
    const sized = 'POST /s HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world';
    const chunked =
      'POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-T: 1\r\n\r\n';
    await using client = await RawClient.to(gateway.port());
    for (const text of [sized, chunked]) {
      for (let i = 1; i < text.length; i += 3) {
        await client.sendParts([text.slice(0, i), text.slice(i)]);
        const response = await client.response();
        expect([response.status, response.body]).toEqual([200, 'hello world']);
      }
    }
    expect(origin.requests.at(-1)!.trailers).toEqual({ 'x-t': '1' });
    expect(origin.requests.at(-1)!.headers['transfer-encoding']).toBe('chunked');
  });

  test('a large body goes both ways unchanged, to a client that reads slowly', async () => {
    const large = Buffer.alloc(8 * 1024 * 1024, 'abcdefghijklmnop').toString('latin1');
    await using origin = await httpOrigin(({ body }, response) => response.end(body));
    await using gateway = await testGateway(simpleConfig(origin.port));
    await using client = await RawClient.to(gateway.port());
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${large.length}\r\n\r\n${large}`);
    client.socket.pause();
    await until(() => origin.requests.length === 1, 'the origin has the body');
    client.socket.resume();
    const { body } = await client.response();
    expect(body.length).toBe(large.length);
    expect(body === large).toBe(true);
    expect((await client.send(GET).response()).status).toBe(200);
  });

  test('HEAD, 204 and 304 have no body, whatever the origin says of its length', async () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n';
    await using origin = await rawOrigin(
      answering(
        head,
        'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n',
        'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
        `${head}hello`,
      ),
    );
    await using gateway = await testGateway(simpleConfig(origin.port));
    await using client = await RawClient.to(gateway.port());
    const first = await client.send(GET.replace('GET', 'HEAD')).response('HEAD');
    expect(first.headers['content-length']).toBe('5');
    const second = await client.send(GET).response();
    expect([second.status, second.headers['content-length']]).toEqual([204, undefined]);
    expect((await client.send(GET).response()).status).toBe(304);
    expect((await client.send(GET).response()).body).toBe('hello');
  });

  test('a response that ends with its connection is chunked for HTTP/1.1 and ends the connection for HTTP/1.0', async () => {
    const closing = (socket: import('node:net').Socket): void => void socket.end('HTTP/1.1 200 OK\r\n\r\nhello');
    await using origin = await rawOrigin(answering(closing));
    await using gateway = await testGateway(simpleConfig(origin.port));
    await using client = await RawClient.to(gateway.port());
    const response = await client.send(GET).response();
    expect([response.headers['transfer-encoding'], response.body]).toEqual(['chunked', 'hello']);
    expect((await client.send(GET).response()).body).toBe('hello');
    await using old = await RawClient.to(gateway.port());
    const last = await old.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n').response();
    expect([last.headers['transfer-encoding'], last.headers['connection'], last.body]).toEqual([
      undefined,
      'close',
      'hello',
    ]);
    await old.end();
  });

  test('interim responses are relayed, also 100 Continue; an HTTP/1.0 client gets none', async () => {
    const answer =
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
    await using origin = await rawOrigin(answering(answer));
    await using gateway = await testGateway(simpleConfig(origin.port));
    await using client = await RawClient.to(gateway.port());
    client.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
    expect((await client.response()).headers['link']).toBe('</a>');
    expect((await client.response()).status).toBe(100);
    expect((await client.response()).status).toBe(200);
    await using old = await RawClient.to(gateway.port());
    expect((await old.send('GET / HTTP/1.0\r\n\r\n').response()).status).toBe(200);
  });

  test('hop-by-hop fields stay on their hop, both ways', async () => {
    await using origin = await rawOrigin(
      answering(
        'HTTP/1.1 200 OK\r\nConnection: x-mine, keep-alive\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\nX-Kept: 1\r\nContent-Length: 0\r\n\r\n',
      ),
    );
    await using gateway = await testGateway(simpleConfig(origin.port));
    await using client = await RawClient.to(gateway.port());
    client.send(
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: x-own, host, te\r\nX-Own: 1\r\nTE: trailers\r\nProxy-Connection: keep-alive\r\nX-Kept: 1\r\n\r\n',
    );
    const response = await client.response();
    expect(Object.keys(response.headers).toSorted()).toEqual(['content-length', 'date', 'via', 'x-kept']);
    const sent = Buffer.concat(origin.received[0]!).toString('latin1').toLowerCase();
    expect(sent).toContain('x-kept: 1\r\n');
    expect(sent).toContain('host: a\r\n');
    for (const name of ['x-own', 'keep-alive', 'proxy-connection']) expect(sent).not.toContain(`\r\n${name}:`);
    // RFC 9110 §10.1.4: trailers pass, so that it is said of this hop anew.
    expect(sent).toContain('te: trailers\r\nconnection: te\r\n');
  });
});

describe('upgrades', () => {
  test('after a 101 bytes flow both ways, early ones too', async () => {
    const greet = (socket: import('node:net').Socket): void => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nwelcome');
      socket.on('data', (part: Buffer) => socket.write(part));
    };
    await using origin = await rawOrigin(answering(greet));
    await using gateway = await testGateway(simpleConfig(origin.port));
    await using client = await RawClient.to(gateway.port());
    client.send('GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    const response = await client.response();
    expect([response.status, response.headers['upgrade'], response.headers['connection']]).toEqual([
      101,
      'echo',
      'Upgrade',
    ]);
    client.send('hello');
    await until(() => client.text.endsWith('welcomehello'), 'the bytes have come back');
    expect(gateway.running.gateway.current!.leases).toBe(1);
  });

  test('no 101 is an ordinary answer, and h2c is never offered on', async () => {
    await using origin = await httpOrigin();
    await using gateway = await testGateway(simpleConfig(origin.port));
    await using client = await RawClient.to(gateway.port());
    client.send(
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n\r\n',
    );
    expect((await client.response()).status).toBe(200);
    const { headers } = origin.requests[0]!;
    expect([headers.upgrade, headers['http2-settings']]).toEqual([undefined, undefined]);
    expect((await client.send(GET).response()).status).toBe(200);
  });
});

describe('what upstreams do wrong', () => {
  test.each([
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
    ['a length beside chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello'],
    ['a folded line', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n'],
    ['no HTTP', 'hello\r\n\r\n'],
    ['too many interim responses', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(40)],
    ['a 101 nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['an endless head', `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(70_000)}`],
  ])('%s is a 502', async (_, answer) => {
    await using origin = await rawOrigin(answering(answer));
    await using gateway = await testGateway(simpleConfig(origin.port));
    await using client = await RawClient.to(gateway.port());
    client.send(GET);
    let response = await client.response();
    while (response.status < 200) response = await client.response();
    expect([response.status, response.headers['content-type']]).toEqual([502, 'application/problem+json']);
    expect(JSON.parse(response.body)).toEqual({ type: 'about:blank', title: 'Bad Gateway', status: 502 });
  });

  test('bytes behind a response end the connection and reach nobody', async () => {
    await using origin = await rawOrigin(
      answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'),
    );
    await using gateway = await testGateway(simpleConfig(origin.port));
    await using client = await RawClient.to(gateway.port());
    expect((await client.send(GET).response()).body).toBe('ok');
    expect((await client.send(GET).response()).body).toBe('ok');
    expect(origin.received).toHaveLength(2);
  });

  test('a response cut short is cut short for the client', async () => {
    const cut = (socket: import('node:net').Socket): void =>
      void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
    await using origin = await rawOrigin(answering(cut));
    await using gateway = await testGateway(simpleConfig(origin.port));
    await using client = await RawClient.to(gateway.port());
    await client.send(GET).end();
    expect(client.text).toMatch(/\r\n\r\nhello$/);
  });

  test('a pooled connection that proves dead costs a GET nothing and is no second chance for a POST', async () => {
    let served = 0;
    const once = (socket: import('node:net').Socket): void => {
      served++;
      if (served % 2 === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      else socket.destroy();
    };
    await using origin = await rawOrigin(answering(once));
    await using gateway = await testGateway(simpleConfig(origin.port));
    await using client = await RawClient.to(gateway.port());
    expect((await client.send(GET).response()).status).toBe(200);
    expect((await client.send(GET).response()).status).toBe(200);
    expect(origin.received).toHaveLength(2);
    expect((await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi').response()).status).toBe(
      502,
    );
  });

  test('an endpoint that refuses is passed over; if all do each request tries and gets a 502', async () => {
    await using origin = await httpOrigin();
    const pools = {
      origin: { endpoints: ['127.0.0.1:1', `127.0.0.1:${origin.port}`] },
      none: { endpoints: ['127.0.0.1:1'] },
    };
    const routes = [
      { name: 'none', match: { path: '/none' }, pool: 'none' },
      { name: 'all', match: {}, pool: 'origin' },
    ];
    await using gateway = await testGateway(simpleConfig(0, { pools, routes }));
    await using client = await RawClient.to(gateway.port());
    for (let i = 0; i < 4; i++) expect((await client.send(GET).response()).status).toBe(200);
    for (let i = 0; i < 2; i++) expect((await client.send(GET.replace('/a', '/none')).response()).status).toBe(502);
    expect(gateway.running.gateway.metrics.endpoint('none', '127.0.0.1:1').connectErrors).toBe(2);
  });
});
