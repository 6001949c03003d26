/** Body filters of modules that stop making progress: their exchange ends, and nothing of it stays. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { encoderMemory } from '../../src/http/coding/memory.ts';
import { poolLoad, simpleConfig, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { httpOrigin, type HttpOrigin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';

const folder = mkdtempSync(join(tmpdir(), 'prozy-stalled-'));
afterAll(() => rmSync(folder, { recursive: true }));
const access = join(folder, 'access.log');

/** `on`: the body that it filters; `how`: it keeps everything (`data`), the end (`end`), or ends the body early (`cut`). */
const MODULE = join(folder, 'stall.ts');
writeFileSync(
  MODULE,
  `import { BodyFilter } from 'prozy';
   class Stall extends BodyFilter {
     constructor(how) { super(); this.how = how; }
     data(bytes, start, end) {
       if (this.how === 'data') return false;
       const ready = this.next.data(bytes, start, end);
       if (this.how === 'cut') this.next.end(null);
       return ready;
     }
     end() {}
   }
   export const schema = { type: 'object' };
   export default { bind: ({ on, how, timeout }) => ({
     ...(timeout === undefined ? {} : { timeout }),
     forward: (x) => {
       if (on !== 'request' || x.bodyLength === 0) return undefined;
       x.fields.remove('content-length');
       x.bodyLength = -1;
       return new Stall(how);
     },
     response: (x) => {
       if (on === 'nothing') throw new Error('no');
       if (on !== 'response') return undefined;
       x.response.length = -1;
       return new Stall(how);
     },
   }) };`,
);

const stall = (on: string, how: string, timeout?: number): object => ({
  type: 'module',
  module: MODULE,
  config: { on, how, ...(timeout === undefined ? {} : { timeout }) },
});

function gatewayWith(port: number, policies: readonly object[], clock: ManualClock): Promise<TestGateway> {
  writeFileSync(access, '');
  const routes = [
    { name: 'own', match: { path: '/own' }, respond: { body: 'own' }, policies },
    { name: 'all', match: {}, pool: 'origin', policies },
  ];
  const more = { routes, caches: { pages: {} }, logging: { access: { path: access } } };
  return testGateway(simpleConfig(port, more), { clock });
}

/** A response that arrives in several reads. */
function largeOrigin(): Promise<HttpOrigin> {
  return httpOrigin((_, response) => void response.setHeader('Content-Type', 'text/plain').end('x'.repeat(100_000)));
}

const over = (gateway: TestGateway) => (): boolean => gateway.running.gateway.current!.leases === 0;

/** The access log is written now and then. */
async function logged(clock: ManualClock): Promise<Record<string, unknown>> {
  const written = (): boolean => readFileSync(access, 'utf8').endsWith('\n');
  await until(written, 'the exchange is logged', () => Promise.resolve(clock.advance(100)));
  return JSON.parse(readFileSync(access, 'utf8')) as Record<string, unknown>;
}

const GET = 'GET /page HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n';
const POST = 'POST /page HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello';

describe('a filter that stalls', () => {
  test.each([
    ['the response', GET, [stall('response', 'data')]],
    ['the end of the response', GET, [stall('response', 'end')]],
    ['a response behind a cache', GET, [{ type: 'cache', cache: 'pages' }, stall('response', 'data')]],
    ['a local reply', GET.replace('/page', '/own'), [stall('response', 'data')]],
    [
      'a response that is compressed in front of it',
      GET,
      [{ type: 'compress', minimum_size: 0 }, stall('response', 'data')],
    ],
  ])('%s: the response breaks off after 30 s', async (_, request, policies) => {
    const clock = new ManualClock();
    await using origin = await largeOrigin();
    await using gateway = await gatewayWith(origin.port, policies, clock);
    await using client = await RawClient.to(gateway.port());
    client.send(request);
    // The gateway sends the head of its own response together with the body.
    const begun = (): boolean => client.text.includes('\r\n\r\n') || (request.includes('/own') && !over(gateway)());
    await until(begun, 'the response has begun');
    await until(() => {
      clock.advance(1000);
      return client.closed || client.ended;
    }, 'the connection ends');
    await until(over(gateway), 'nothing is left');
    expect(client.text).not.toMatch(/0\r\n\r\n$/);
    expect(gateway.logged.filter(({ event }) => event === 'a policy failed')).toMatchObject([
      { level: 'error', module: MODULE, hook: 'response', problem: 'a body filter has made no progress for 30000 ms' },
    ]);
    expect(await logged(clock)).toMatchObject({ error: 'policy_timeout' });
    expect([poolLoad(gateway, 'origin').active, encoderMemory.coders]).toEqual([0, 0]);
  });

  test.each([
    ['', []],
    [', in front of a cache', [{ type: 'cache', cache: 'pages' }]],
  ])('the error in place of a failed hook%s: there is one response, which breaks off', async (_, cache) => {
    const clock = new ManualClock();
    await using origin = await largeOrigin();
    const policies = [stall('response', 'end'), stall('nothing', ''), ...cache];
    await using gateway = await gatewayWith(origin.port, policies, clock);
    for (const request of [GET, GET.replace('/page', '/own')]) {
      await using client = await RawClient.to(gateway.port());
      client.send(request);
      await until(() => gateway.logged.some(({ hook }) => hook === 'response'), 'the hook has failed');
      await until(() => {
        clock.advance(1000);
        return client.ended || client.closed;
      }, 'the connection ends');
      await until(over(gateway), 'nothing is left');
      expect(client.text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 500']);
      expect(client.text).not.toContain('xx');
      gateway.logged.length = 0;
    }
  });

  test.each(['data', 'end'])('a request (%s): 504', async (how) => {
    const clock = new ManualClock();
    await using origin = await httpOrigin();
    await using gateway = await gatewayWith(origin.port, [stall('request', how, 10_000)], clock);
    await using client = await RawClient.to(gateway.port());
    client.send(POST);
    await until(() => poolLoad(gateway, 'origin').active === 1, 'it is forwarded');
    await until(() => {
      clock.advance(1000);
      return client.text.includes('\r\n\r\n');
    }, 'an answer comes');
    expect((await client.response()).status).toBe(504);
    await until(over(gateway), 'nothing is left');
    expect(await logged(clock)).toMatchObject({ error: 'policy_timeout', status: 504 });
    expect(gateway.logged.filter(({ event }) => event === 'a policy failed')).toMatchObject([
      { hook: 'forward', problem: 'a body filter has made no progress for 10000 ms' },
    ]);
    expect([poolLoad(gateway, 'origin').active, origin.requests.length]).toEqual([0, 0]);
  });
});

describe('a client that leaves while a filter stalls', () => {
  test.each(['FIN', 'RST'])('by a %s ends the exchange at once', async (how) => {
    const clock = new ManualClock();
    await using origin = await largeOrigin();
    const policies = [{ type: 'compress', minimum_size: 0 }, stall('response', 'data')];
    await using gateway = await gatewayWith(origin.port, policies, clock);
    await using client = await RawClient.to(gateway.port());
    client.send(GET);
    await until(() => client.text.includes('\r\n\r\n'), 'the head arrives');
    if (how === 'FIN') client.socket.end();
    else client.socket.resetAndDestroy();
    // The clock stands still: no deadline is due.
    await until(over(gateway), 'nothing is left');
    await until(() => client.closed, 'the connection ends');
    expect(await logged(clock)).toMatchObject({ error: 'client_gone' });
    expect([poolLoad(gateway, 'origin').active, encoderMemory.coders]).toEqual([0, 0]);
  });

  test('gets the response if it closes only its own side before, and the filter goes on', async () => {
    const clock = new ManualClock();
    let answer = (): void => {};
    await using origin = await httpOrigin((_, response) => (answer = () => void response.end('page')));
    await using gateway = await gatewayWith(origin.port, [stall('none', '')], clock);
    await using client = await RawClient.to(gateway.port());
    client.send(GET);
    client.socket.end();
    await until(() => origin.requests.length === 1, 'the origin has the request');
    answer();
    expect((await client.response()).body).toBe('page');
  });
});

test('a filter that ends the body early frees the source, and what is in front of it', async () => {
  const clock = new ManualClock();
  let closed = false;
  await using origin = await rawOrigin((socket) => {
    for (const event of ['end', 'close']) socket.on(event, () => (closed = true));
    socket.once('data', () => {
      const part = 'x'.repeat(100_000);
      socket.write(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n`);
      socket.write(`${part.length.toString(16)}\r\n${part}\r\n`);
    });
  });
  const policies = [stall('response', 'cut'), { type: 'compress', minimum_size: 0 }];
  await using gateway = await gatewayWith(origin.port, policies, clock);
  await using client = await RawClient.to(gateway.port());
  for (let i = 0; i < 2; i++) {
    closed = false;
    expect((await client.send(GET).response()).status).toBe(200);
    await until(() => closed && over(gateway)(), 'the backend is left');
    expect([poolLoad(gateway, 'origin').active, encoderMemory.coders, encoderMemory.used]).toEqual([0, 0, 0]);
  }
});
