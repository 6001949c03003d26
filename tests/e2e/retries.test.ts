/** Every setting of pool.retries, and timeouts.total, against origins that fail on purpose. */
import { describe, expect, test } from 'vitest';
import { FaultOrigin, WHOLE_ANSWER } from '../support/fault-origin.ts';
import { endpointOf, poolLoad, simpleConfig, testGateway, until } from '../support/gateway.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { answering, httpOrigin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
/** Failures change nothing about who is asked. */
const NO_HEALTH = { passive: { failures: 0 } };

function poolOf(ports: readonly number[], pool: object): Record<string, unknown> {
  const endpoints = ports.map((port) => `127.0.0.1:${port}`);
  return simpleConfig(0, { pools: { origin: { endpoints, health: NO_HEALTH, ...pool } } });
}

describe('attempts', () => {
  test.each([
    [0, 502],
    [1, 502],
    [2, 200],
  ])('%i further ones behind two resets: %i', async (attempts, status) => {
    await using origin = await FaultOrigin.open();
    origin.next.push('reset_at_0', 'reset_at_0');
    await using gateway = await testGateway(poolOf([origin.port], { retries: { attempts } }));
    expect((await get(gateway.port())).status).toBe(status);
    expect(origin.requests).toBe(attempts + 1);
  });

  test('each goes where none has been, as long as there is such an endpoint', async () => {
    const origins = await Promise.all([FaultOrigin.open(), FaultOrigin.open(), FaultOrigin.open()]);
    for (const origin of origins) origin.fault = 'close';
    const ports = origins.map(({ port }) => port);
    await using gateway = await testGateway(poolOf(ports, {}));
    expect((await get(gateway.port())).status).toBe(502);
    expect(origins.map(({ requests }) => requests)).toEqual([1, 1, 1]);
    for (const origin of origins) await origin[Symbol.asyncDispose]();
  });

  test('a connection that is refused is tried elsewhere, for a POST too', async () => {
    await using ill = await FaultOrigin.open();
    await ill.become('refuse');
    await using well = await httpOrigin();
    await using gateway = await testGateway(poolOf([ill.port, well.port], {}));
    expect((await get(gateway.port(), '/', { method: 'POST' })).status).toBe(200);
    expect(well.requests).toHaveLength(1);
  });

  test('a POST that has been sent is not sent again', async () => {
    await using ill = await FaultOrigin.open();
    ill.fault = 'close';
    await using well = await httpOrigin();
    await using gateway = await testGateway(poolOf([ill.port, well.port], {}));
    const options = { method: 'POST', headers: { 'content-length': 0 } };
    expect((await get(gateway.port(), '/', options)).status).toBe(502);
    expect([ill.requests, well.requests.length]).toEqual([1, 0]);
  });
});

describe('on', () => {
  const causes = [
    ['connect', 'refuse'],
    ['reset', 'close'],
    ['timeout', 'black_hole'],
    ['bad_response', 'garbage'],
  ] as const;
  test.each(causes)('%s: there is another attempt if it is listed, and none otherwise', async (cause, fault) => {
    await using ill = await FaultOrigin.open();
    await ill.become(fault);
    await using well = await httpOrigin();
    const others = causes.map(([other]) => other).filter((other) => other !== cause);
    for (const [on, fine] of [
      [[cause], true],
      [others, false],
    ] as const) {
      // Where it is not what is tried, it is longer than a busy machine takes for anything.
      const pool = { retries: { on, per_try_timeout: cause === 'timeout' ? '2s' : '60s' } };
      await using gateway = await testGateway(poolOf([ill.port, well.port], pool));
      expect((await get(gateway.port())).status === 200).toBe(fine);
    }
    expect(well.requests).toHaveLength(1);
  });

  test('tcp: without connect, a client of an endpoint that refuses is let go at once', async () => {
    await using ill = await FaultOrigin.open();
    await ill.become('refuse');
    await using well = await rawOrigin((socket) => void socket.write('hello'));
    for (const [on, text] of [
      [['connect'], 'hello'],
      [['reset'], ''],
    ]) {
      const config = { ...poolOf([ill.port, well.port], { retries: { on } }), routes: [] };
      const listeners = { web: { address: '127.0.0.1:0', protocol: 'tcp', pool: 'origin' } };
      await using gateway = await testGateway({ ...config, listeners });
      await using client = await RawClient.to(gateway.port());
      await until(() => client.text === 'hello' || client.closed, 'the client is served or let go');
      expect(client.text).toBe(text);
    }
  });
});

describe('statuses', () => {
  test('are tried elsewhere, and the last answer is passed on', async () => {
    const busy = answering('HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy');
    await using first = await rawOrigin(busy);
    await using second = await rawOrigin(busy);
    await using well = await httpOrigin();
    const ports = [first.port, second.port];
    await using gateway = await testGateway(poolOf(ports, { retries: { statuses: [503] } }));
    const answer = await get(gateway.port());
    expect([answer.status, answer.body, first.received.length, second.received.length]).toEqual([503, 'busy', 1, 1]);
    await using other = await testGateway(poolOf([...ports, well.port], { retries: { statuses: [503] } }));
    expect((await get(other.port())).status).toBe(200);
    await using without = await testGateway(poolOf([...ports, well.port], {}));
    expect((await get(without.port())).status).toBe(503);
  });

  test.each([
    [1000, 1],
    [100_000, 3],
  ])('a response of %i bytes that is declined: %i connections for three requests', async (bytes, connections) => {
    await using busy = await httpOrigin((_, response) => response.writeHead(503).end('x'.repeat(bytes)));
    await using well = await httpOrigin();
    await using gateway = await testGateway(poolOf([busy.port, well.port], { retries: { statuses: [503] } }));
    for (let i = 0; i < 3; i++) {
      expect((await get(gateway.port())).status).toBe(200);
      // What is left of the response is read beside the traffic.
      const { connections: of } = endpointOf(gateway, 'origin');
      await until(() => of.open === of.idle, 'it has been read, or the connection is closed');
    }
    expect([busy.requests.length, busy.received.length]).toEqual([3, connections]);
  });

  test('a POST keeps the answer that it got', async () => {
    await using ill = await FaultOrigin.open();
    ill.fault = 'status_503';
    await using well = await httpOrigin();
    await using gateway = await testGateway(poolOf([ill.port, well.port], { retries: { statuses: [503] } }));
    const options = { method: 'POST', headers: { 'content-length': 0 } };
    expect((await get(gateway.port(), '/', options)).status).toBe(503);
    expect(well.requests).toHaveLength(0);
  });

  test('who said 503 with Retry-After is not asked again, even if the other breaks', async () => {
    await using busy = await FaultOrigin.open();
    busy.next.push('status_503_retry_after');
    await using broken = await FaultOrigin.open();
    broken.fault = 'close';
    const retries = { statuses: [503], attempts: 4 };
    await using gateway = await testGateway(poolOf([busy.port, broken.port], { retries }));
    expect((await get(gateway.port())).status).toBe(502);
    expect(busy.requests).toBe(1);
  });
});

describe('non_idempotent', () => {
  const settings = { non_idempotent: true, statuses: [503] };
  test.each([
    ['close', settings, {}, 200],
    ['status_503', settings, {}, 200],
    ['close', { statuses: [503] }, settings, 200],
    ['close', settings, { non_idempotent: false }, 502],
    ['status_503', settings, { non_idempotent: false }, 503],
  ] as const)('a POST that meets %s, pool %o, route %o: %i', async (fault, retries, ofRoute, status) => {
    await using ill = await FaultOrigin.open();
    ill.fault = fault;
    await using well = await httpOrigin((request, response) => void response.end(request.body));
    const config = poolOf([ill.port, well.port], { retries });
    const routes = [{ name: 'all', match: {}, pool: 'origin', retries: ofRoute }];
    await using gateway = await testGateway({ ...config, routes });
    const answer = await get(gateway.port(), '/', { method: 'POST', body: 'hello' });
    expect([answer.status, ill.requests]).toEqual([status, 1]);
    expect(well.requests).toHaveLength(status === 200 ? 1 : 0);
    if (status === 200) expect(answer.body).toBe('hello');
  });

  test('does not hedge them: a second one beside the first is no repair', async () => {
    const clock = new ManualClock();
    await using slow = await FaultOrigin.open();
    slow.fault = 'black_hole';
    await using well = await httpOrigin();
    const pool = { retries: settings, hedge: { delay: '1s' }, timeouts: { first_byte: '9s' } };
    await using gateway = await testGateway(poolOf([slow.port, well.port], pool), { clock });
    const answer = get(gateway.port(), '/', { method: 'POST', headers: { 'content-length': 0 } });
    await until(() => slow.requests === 1, 'the first is asked');
    clock.advance(5000);
    expect(well.requests).toHaveLength(0);
    clock.advance(9000);
    expect((await answer).status).toBe(504);
  });
});

test('per_try_timeout bounds each attempt, and the next follows', async () => {
  const clock = new ManualClock();
  await using ill = await FaultOrigin.open();
  ill.fault = 'black_hole';
  await using well = await httpOrigin();
  const pool = { retries: { per_try_timeout: '2s' }, timeouts: { first_byte: '9s' } };
  await using gateway = await testGateway(poolOf([ill.port, well.port], pool), { clock });
  const answer = get(gateway.port());
  await until(() => ill.requests === 1, 'the first is asked');
  clock.advance(1800);
  expect(well.requests).toHaveLength(0);
  clock.advance(400);
  expect((await answer).status).toBe(200);
});

describe('first_byte', () => {
  test('is not followed by another attempt: the backend may still be at work on the request', async () => {
    const clock = new ManualClock();
    await using slow = await FaultOrigin.open();
    slow.fault = 'black_hole';
    await using other = await httpOrigin();
    const pool = { timeouts: { first_byte: '9s' } };
    await using gateway = await testGateway(poolOf([slow.port, other.port], pool), { clock });
    const answer = get(gateway.port());
    await until(() => slow.requests === 1, 'the first is asked');
    clock.advance(8800);
    expect(other.requests).toHaveLength(0);
    clock.advance(400);
    expect((await answer).status).toBe(504);
    expect([slow.requests, other.requests.length]).toEqual([1, 0]);
  });

  test('is followed by one where `on` has timeout', async () => {
    const clock = new ManualClock();
    await using slow = await FaultOrigin.open();
    slow.fault = 'black_hole';
    await using other = await httpOrigin();
    const pool = { timeouts: { first_byte: '9s' }, retries: { on: ['timeout'] } };
    await using gateway = await testGateway(poolOf([slow.port, other.port], pool), { clock });
    const answer = get(gateway.port());
    await until(() => slow.requests === 1, 'the first is asked');
    clock.advance(9200);
    expect((await answer).status).toBe(200);
  });

  test('is not followed by one beyond total, whatever `on` has', async () => {
    const clock = new ManualClock();
    const slow = await Promise.all([FaultOrigin.open(), FaultOrigin.open(), FaultOrigin.open()]);
    const asked = (): number => slow.filter(({ requests }) => requests > 0).length;
    for (const origin of slow) origin.fault = 'black_hole';
    const pool = { timeouts: { first_byte: '4s', total: '6s' }, retries: { on: ['timeout'], attempts: 5 } };
    const ports = slow.map(({ port }) => port);
    await using gateway = await testGateway(poolOf(ports, pool), { clock });
    const answer = get(gateway.port());
    await until(() => asked() === 1, 'the first is asked');
    clock.advance(4200);
    await until(() => asked() === 2, 'the second is asked');
    clock.advance(2000);
    expect((await answer).status).toBe(504);
    clock.advance(60_000);
    expect(asked()).toBe(2);
    for (const origin of slow) await origin[Symbol.asyncDispose]();
  });
});

describe('body_size', () => {
  const sized = 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n';
  const bytes = Array.from({ length: 1000 }, (_, i) => String.fromCharCode(i % 256)).join('');

  test.each(['status_503', 'close', 'reset_at_0', 'garbage'] as const)(
    'a PUT is sent again byte for byte after %s',
    async (fault) => {
      await using ill = await FaultOrigin.open();
      ill.fault = fault;
      await using well = await httpOrigin();
      await using gateway = await testGateway(poolOf([ill.port, well.port], { retries: { statuses: [503] } }));
      await using client = await RawClient.to(gateway.port());
      await client.sendParts([sized, bytes.slice(0, 400)]);
      await until(() => well.received.length === 1, 'it is being sent again');
      await client.sendParts([bytes.slice(400, 401), bytes.slice(401)]);
      expect((await client.response()).status).toBe(200);
      expect(well.requests[0]!.body === bytes).toBe(true);
      expect(ill.requests).toBe(1);
    },
  );

  test('a chunked PUT is sent again whole, with its trailers', async () => {
    await using ill = await rawOrigin((socket) => {
      let text = '';
      socket.on('data', (part: Buffer) => {
        text += part.toString('latin1');
        if (text.endsWith('X-Sum: 7\r\n\r\n')) socket.destroy();
      });
    });
    await using well = await httpOrigin();
    await using gateway = await testGateway(poolOf([ill.port, well.port], {}));
    await using client = await RawClient.to(gateway.port());
    client.send('PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n');
    await until(() => ill.received.length === 1, 'the first is asked');
    await client.sendParts([bytes, '\r\n1\r\n!\r\n', '0\r\nX-Sum: 7\r\n\r\n']);
    expect((await client.response()).status).toBe(200);
    expect(well.requests[0]!.body === `${bytes}!`).toBe(true);
    expect(well.requests[0]!.trailers).toEqual({ 'x-sum': '7' });
  });

  test.each([
    ['1000', 200],
    ['999', 502],
    ['0', 502],
  ])('of %s, for a body of 1000: %i', async (size, status) => {
    await using ill = await rawOrigin((socket) => {
      let got = 0;
      socket.on('data', (part: Buffer) => {
        got += part.length;
        if (got > 1000) socket.destroy();
      });
    });
    await using well = await httpOrigin();
    const retries = { body_size: Number(size) };
    await using gateway = await testGateway(poolOf([ill.port, well.port], { retries }));
    await using client = await RawClient.to(gateway.port());
    expect((await client.send(sized + bytes).response()).status).toBe(status);
    await using chunked = await RawClient.to(gateway.port());
    const text = `PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n${bytes}\r\n0\r\n\r\n`;
    const statuses = [(await chunked.send(text).response()).status];
    await using third = await RawClient.to(gateway.port());
    statuses.push((await third.send(text).response()).status);
    // One of the two comes to the one that is ill, wherever the turn is; a small one is served all the same.
    expect(statuses.includes(502)).toBe(status === 502);
  });

  test('a client that leaves while its body is kept leaves nothing behind', async () => {
    await using ill = await FaultOrigin.open();
    ill.fault = 'black_hole';
    await using gateway = await testGateway(poolOf([ill.port], {}));
    const client = await RawClient.to(gateway.port());
    client.send(sized + bytes.slice(0, 500));
    await until(() => poolLoad(gateway, 'origin').active === 1, 'it is under way');
    client.socket.resetAndDestroy();
    await until(() => poolLoad(gateway, 'origin').active === 0, 'it is over');
    expect(poolLoad(gateway, 'origin').connections).toBe(0);
  });
});

test('backoff: the second further attempt waits, the first does not, and a client that leaves ends the wait', async () => {
  const clock = new ManualClock();
  await using origin = await FaultOrigin.open();
  origin.next.push('close', 'close', null, 'close', 'close');
  const retries = { backoff: { first: '10s', max: '10s' } };
  await using gateway = await testGateway(poolOf([origin.port], { retries }), { clock, random: () => 0.5 });
  const load = poolLoad(gateway, 'origin');
  const answer = get(gateway.port());
  await until(() => origin.requests === 2 && load.active === 0, 'two attempts have failed');
  clock.advance(4900);
  expect(origin.requests).toBe(2);
  clock.advance(200);
  expect((await answer).status).toBe(200);
  const leaving = await RawClient.to(gateway.port());
  leaving.send(GET);
  await until(() => origin.requests === 5 && load.active === 0, 'two more have failed');
  leaving.socket.resetAndDestroy();
  await until(() => gateway.running.gateway.snapshots[0]!.leases === 0, 'the exchange is over');
  clock.advance(6000);
  expect(origin.requests).toBe(5);
});

test('budget: attempts beyond it are denied, and counted', async () => {
  await using ill = await FaultOrigin.open();
  ill.fault = 'close';
  await using hung = await rawOrigin(() => {});
  const retries = { budget: { share: 0, min: 1 } };
  const config = poolOf([ill.port, hung.port], { retries });
  await using gateway = await testGateway(config);
  const load = poolLoad(gateway, 'origin');
  await using first = await RawClient.to(gateway.port());
  first.send(GET);
  await until(() => load.retries === 1 && hung.received.length === 1, 'the budget is used up');
  await using second = await RawClient.to(gateway.port());
  await using third = await RawClient.to(gateway.port());
  second.send(GET);
  third.send(GET);
  await until(() => load.metrics.retriesDenied === 1, 'one is denied');
  expect(load.retries).toBe(1);
  await until(() => second.text + third.text !== '', 'it is told so');
  expect(second.text + third.text).toMatch(/^HTTP\/1.1 502 /);
});

describe('timeouts.total', () => {
  test('ends a request with all its attempts with a 504', async () => {
    const clock = new ManualClock();
    await using origin = await FaultOrigin.open();
    origin.fault = 'black_hole';
    const pool = { timeouts: { total: '5s' }, retries: { per_try_timeout: '2s', on: ['timeout'] } };
    await using second = await FaultOrigin.open();
    second.fault = 'black_hole';
    await using third = await FaultOrigin.open();
    third.fault = 'black_hole';
    await using gateway = await testGateway(poolOf([origin.port, second.port, third.port], pool), {
      clock,
      random: () => 0,
    });
    const answer = get(gateway.port());
    await until(() => origin.requests === 1, 'the first');
    clock.advance(2200);
    await until(() => second.requests === 1, 'the second');
    clock.advance(2200);
    await until(() => third.requests === 1, 'the third');
    clock.advance(800);
    expect((await answer).status).toBe(504);
    expect(poolLoad(gateway, 'origin').connections).toBe(0);
  });

  test('cuts an answer that has begun, and ends a wait', async () => {
    const clock = new ManualClock();
    await using origin = await rawOrigin(answering('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart'));
    const pool = { timeouts: { total: '5s', idle: '60s' }, max_requests: 1, queue: { wait: '60s' } };
    await using gateway = await testGateway(poolOf([origin.port], pool), { clock });
    await using client = await RawClient.to(gateway.port());
    client.send(GET);
    await until(() => client.text.endsWith('part'), 'a part has come');
    await using waiting = await RawClient.to(gateway.port());
    waiting.send(GET);
    await until(() => poolLoad(gateway, 'origin').queue.length === 1, 'another waits');
    clock.advance(5200);
    await client.end();
    expect((await waiting.response()).status).toBe(504);
  });

  test('0 is no limit', async () => {
    const clock = new ManualClock();
    await using origin = await httpOrigin((_, response) => void (answer = () => response.end('late')));
    let answer: (() => void) | null = null;
    const pool = { timeouts: { total: '0s', first_byte: '2h' } };
    await using gateway = await testGateway(poolOf([origin.port], pool), { clock });
    const body = get(gateway.port());
    await until(() => answer !== null, 'the origin has it');
    clock.advance(3_600_000);
    (answer as unknown as () => void)();
    expect((await body).body).toBe('late');
  });
});

describe('the keep-alive race', () => {
  test('costs no client a failure, over 2,000 rounds', async () => {
    await using origin = await FaultOrigin.open();
    origin.fault = 'idle_race';
    await using gateway = await testGateway(poolOf([origin.port], { retries: { attempts: 0 }, health: {} }));
    await using client = await RawClient.to(gateway.port());
    for (let i = 0; i < 2000; i++) {
      const { status, body } = await client.send(GET).response();
      expect([i, status, body]).toEqual([i, 200, WHOLE_ANSWER]);
    }
    expect(origin.faults).toBeGreaterThan(300);
    expect(endpointOf(gateway, 'origin').health.well).toBe(true);
  });

  test('an answer that breaks on a pooled connection is no such race', async () => {
    const cut = (socket: import('node:net').Socket): void =>
      // The end comes behind the bytes, whenever they are read.
      void socket.end('HTTP/1.1 200 OK\r\nContent-Le');
    await using origin = await rawOrigin(answering(OK, cut, OK, cut, OK));
    await using gateway = await testGateway(poolOf([origin.port], { retries: { attempts: 0 } }));
    await using client = await RawClient.to(gateway.port());
    expect((await client.send(GET).response()).status).toBe(200);
    expect((await client.send(GET).response()).status).toBe(502);
    expect(endpointOf(gateway, 'origin').metrics.failures).toBe(1);
  });
});
