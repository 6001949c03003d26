/** health.active on real sockets: what is asked, what counts as well, and that reloads neither restart nor double it. */
import type http from 'node:http';
import net from 'node:net';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { endpointViews } from '../../src/runtime/views/runtime-views.ts';
import { simpleConfig, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { httpOrigin, rawOrigin } from '../support/origin.ts';
import { get } from '../support/requests.ts';

const QUICK = { interval: '20ms', jitter: 0, timeout: '20s', healthy: 1, unhealthy: 1 };

const config = (active: object | null, ...ports: number[]): Record<string, unknown> =>
  simpleConfig(0, {
    pools: {
      origin: {
        endpoints: ports.map((port) => `127.0.0.1:${port}`),
        ...(active === null ? {} : { health: { active: { ...QUICK, ...active } } }),
      },
    },
  });

const view = ({ running }: TestGateway, index = 0) => endpointViews(running.gateway)[index]!;

const becomes = (gateway: TestGateway, state: string, index = 0): Promise<void> =>
  until(() => view(gateway, index).state === state, `it is ${state}`);

describe('http', () => {
  test('asks with the method, path and Host that it is told; the endpoint is out, and in again, as the answers say', async () => {
    let status = 200;
    await using origin = await httpOrigin((_, response) => response.writeHead(status).end());
    await using gateway = await testGateway(
      config({ path: '/up?x=1', host: 'check.test', method: 'HEAD' }, origin.port),
    );
    await until(() => origin.requests.length > 0, 'it has been asked');
    const [{ method, url, headers }] = origin.requests as [(typeof origin.requests)[0]];
    expect([method, url, headers.host]).toEqual(['HEAD', '/up?x=1', 'check.test']);
    status = 503;
    await becomes(gateway, 'check_failed');
    expect(view(gateway)).toMatchObject({ healthy: false, last_error: 'check_status_503' });
    expect((await get(gateway.port())).status).toBe(503);
    status = 204;
    await becomes(gateway, 'healthy');
    expect(view(gateway).check).toMatchObject({ result: '' });
    const { checksPassed, checksFailed } = gateway.running.gateway.metrics.endpoint(
      'origin',
      `127.0.0.1:${origin.port}`,
    );
    expect(checksPassed).toBeGreaterThan(1);
    expect(checksFailed).toBeGreaterThan(0);
  });

  test.each([
    [{ status: [200, '204-206'] }, 205, 'healthy'],
    [{ status: ['200', '204-206'] }, 203, 'check_failed'],
    [{ status: 404 }, 404, 'healthy'],
  ])('%j: a %i is %s', async (active, status, state) => {
    await using origin = await httpOrigin((_, response) => response.writeHead(status).end());
    await using gateway = await testGateway(config(active, origin.port));
    await until(() => view(gateway).check !== null, 'it has been asked');
    expect(view(gateway).state).toBe(state);
  });

  test.each([
    ['all is well here', 'healthy'],
    ['all is lost', 'check_failed'],
  ])('body: "%s" is %s', async (text, state) => {
    await using origin = await httpOrigin((_, response) => response.end(text));
    await using gateway = await testGateway(config({ body: 'is well' }, origin.port));
    await until(() => view(gateway).check !== null, 'it has been asked');
    expect(view(gateway).state).toBe(state);
  });

  test('the response is read to its end, and no backend sees a client that hangs up', async () => {
    const held: http.ServerResponse[] = [];
    const ends: boolean[] = [];
    await using origin = await httpOrigin(({ url }, response) => {
      if (url !== '/up') return void response.end('ok');
      response.on('close', () => ends.push(response.writableFinished));
      response.write('first');
      held.push(response);
    });
    await using gateway = await testGateway(config({ path: '/up', interval: '1h' }, origin.port));
    await until(() => held.length === 1, 'it has been asked');
    // Long enough for a client that goes by the head alone.
    for (let i = 0; i < 3; i++) expect((await get(gateway.port())).status).toBe(200);
    expect([ends, view(gateway).check?.result]).toEqual([[], undefined]);
    held[0]!.end('last');
    await until(() => ends.length === 1, 'the connection is over');
    expect(ends).toEqual([true]);
    await until(() => view(gateway).check !== null, 'the answer counts');
    expect(view(gateway).state).toBe('healthy');
  });

  test('of a response without end no more than a mebibyte is read, and its status decides', async () => {
    let sent = 0;
    await using origin = await rawOrigin((socket) => {
      const part = Buffer.alloc(64 * 1024, 'x');
      const more = (): void => {
        while (!socket.destroyed && socket.write(part)) sent += part.length;
      };
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.on('drain', more);
        more();
      });
    });
    await using gateway = await testGateway(config({ interval: '1h', timeout: '60s' }, origin.port));
    await until(() => view(gateway).check !== null, 'it has been judged');
    expect([view(gateway).state, sent > 1024 * 1024]).toEqual(['healthy', true]);
  });

  test.each([
    ['without end, in time', {}, 'HTTP/1.1 200 OK\r\n\r\nall is', false, ''],
    ['without the text that it should have', { body: 'well' }, 'HTTP/1.1 200 OK\r\n\r\nall is', false, 'check_body'],
    ['of a wrong status, without end', {}, 'HTTP/1.1 500 No\r\n\r\nall is', false, 'check_status_500'],
    ['that breaks off', {}, 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall is', true, 'check_body'],
  ])('a response %s', async (_, active, text, ends, result) => {
    await using origin = await rawOrigin((socket) =>
      socket.once('data', () => (ends ? socket.end(text) : void socket.write(text))),
    );
    await using gateway = await testGateway(config({ ...active, interval: '1h', timeout: '100ms' }, origin.port));
    await until(() => view(gateway).check !== null, 'it has been judged');
    expect(view(gateway).check?.result).toBe(result);
  });

  test('one that does not answer in time is out', async () => {
    await using origin = await rawOrigin(() => {});
    await using gateway = await testGateway(config({ timeout: '30ms' }, origin.port));
    await becomes(gateway, 'check_failed');
    expect(view(gateway).last_error).toBe('check_timeout');
  });
});

test('tcp: a connection that is accepted will do; port: somewhere else than the traffic', async () => {
  await using origin = await httpOrigin();
  await using side = await rawOrigin(() => {});
  await using gateway = await testGateway(config({ type: 'tcp', port: side.port }, origin.port));
  await until(() => side.received.length > 1, 'it has been asked twice');
  expect(view(gateway).state).toBe('healthy');
  expect(origin.received).toHaveLength(0);
  await gateway.edit(config({ type: 'tcp', port: 1 }, origin.port));
  await becomes(gateway, 'check_failed');
  expect(view(gateway).last_error).toBe('check_econnrefused');
});

test('healthy and unhealthy: as many in a row', async () => {
  const answers = [500, 200, 500, 500, 200, 500, 200, 200];
  const seen: string[] = [];
  await using origin = await httpOrigin((_, response) => {
    seen.push(view(gateway).state);
    response.writeHead(answers[seen.length - 1] ?? 200).end();
  });
  await using gateway = await testGateway(config({ healthy: 2, unhealthy: 2 }, origin.port));
  await until(() => seen.length > 8, 'all have been asked');
  expect(seen.slice(0, 9)).toEqual([
    'healthy',
    'healthy',
    'healthy',
    'healthy',
    'check_failed',
    'check_failed',
    'check_failed',
    'check_failed',
    'healthy',
  ]);
});

test('an endpoint that could not be reached is found well by a check, long before its pause is over', async () => {
  await using spare = await httpOrigin();
  const server = net.createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  await using gateway = await testGateway(config({ type: 'tcp', unhealthy: 1000 }, port, spare.port));
  await get(gateway.port());
  await becomes(gateway, 'failing');
  server.listen(port, '127.0.0.1');
  await becomes(gateway, 'healthy');
  server.close();
});

test('a reload of other lines neither restarts nor doubles it; without the setting nobody is held out any more', async () => {
  let status = 500;
  await using origin = await httpOrigin((_, response) => response.writeHead(status).end());
  const active = { interval: '1h', jitter: 0 };
  await using gateway = await testGateway(config(active, origin.port));
  await becomes(gateway, 'check_failed');
  for (let i = 0; i < 5; i++) {
    await gateway.edit({ ...config(active, origin.port), reload: { drain: `${i + 1}s` } });
  }
  expect([view(gateway).state, origin.requests.length]).toEqual(['check_failed', 1]);
  status = 200;
  await gateway.edit(config(null, origin.port));
  expect(view(gateway)).toMatchObject({ state: 'healthy', check: null });
  expect((await get(gateway.port())).status).toBe(200);
});

test('what is asked is another question: it is asked anew, and the old one no more', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(config({ path: '/old' }, origin.port));
  await until(() => origin.requests.some(({ url }) => url === '/old'), 'the old one has been asked');
  await gateway.edit(config({ path: '/new' }, origin.port));
  await until(() => origin.requests.some(({ url }) => url === '/new'), 'the new one has been asked');
  const before = origin.requests.filter(({ url }) => url === '/old').length;
  const asked = origin.requests.length;
  await until(() => origin.requests.length > asked + 3, 'it goes on');
  expect(origin.requests.filter(({ url }) => url === '/old')).toHaveLength(before);
});
