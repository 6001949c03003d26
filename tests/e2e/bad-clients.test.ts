/** Twenty of each kind of bad client; ten thousand of each: `node tests/conformance/bad-clients.ts`. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buffersInUse } from '../../src/net/read-buffers.ts';
import { badClientsConfig } from '../conformance/bad-clients/config.ts';
import { blamed, stillOpen } from '../conformance/bad-clients/gauges.ts';
import { type Kind, KINDS } from '../conformance/bad-clients/kinds.ts';
import { LogReader } from '../conformance/bad-clients/log-reader.ts';
import { badClientsOrigin, type BadClientsOrigin } from '../conformance/bad-clients/origin.ts';
import { type Outcome, runKind } from '../conformance/bad-clients/run.ts';
import { simpleConfig, testGateway, type TestGateway, until } from '../support/gateway.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { httpOrigin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { stillness } from '../support/stillness.ts';

const EACH = 20;

describe('bad clients', () => {
  const folder = mkdtempSync(join(tmpdir(), 'prozy-bad-clients-'));
  let origin: BadClientsOrigin;
  let gateway: TestGateway;
  const outcomes = new Map<string, Outcome>();

  beforeAll(async () => {
    const path = join(folder, 'access.log');
    origin = await badClientsOrigin();
    const ANY = '127.0.0.1:0';
    gateway = await testGateway(badClientsConfig({ listener: () => ANY, admin: ANY, origin: origin.port, log: path }));
    const adminPort = gateway.adminPort();
    const log = new LogReader(path);
    const run = (kind: Kind): Promise<Outcome> =>
      runKind(kind, { scene: { port: gateway.port(kind.name), origin }, adminPort, log }, EACH, EACH);
    // At the same time, since most of them wait for something most of the time; then those that keep everybody busy.
    const quiet = await Promise.all(KINDS.filter(({ atOnce }) => atOnce === undefined).map(run));
    const busy = await Promise.all(KINDS.filter(({ atOnce }) => atOnce !== undefined).map(run));
    for (const outcome of [...quiet, ...busy]) outcomes.set(outcome.kind, outcome);
  }, 180_000);

  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await origin[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  test.each(KINDS)('$name: the right status and log line', ({ name, lines }) => {
    const { problems, seen, logged } = outcomes.get(name)!;
    expect(problems).toEqual([]);
    // In case that nobody came.
    expect([...seen.values()].reduce((sum, n) => sum + n, 0)).toBe(EACH);
    expect([...logged.values()].reduce((sum, n) => sum + n, 0)).toBeGreaterThanOrEqual(lines[0] * EACH);
  });

  test('leave nothing open', async () => {
    let open: string[] = [];
    const look = async (): Promise<void> => void (open = await stillOpen(gateway.adminPort(), null));
    await until(() => open.length === 0, 'everything is closed', look).catch(() => {});
    expect(open).toEqual([]);
    expect(buffersInUse()).toBe(0);
  });

  test('are not blamed on the backend', async () => {
    expect(await blamed(gateway.adminPort())).toEqual([]);
  });
});

test('a request that was reset before its connection was accepted passes no address rule: it is dropped', async () => {
  await using origin = await httpOrigin();
  const config = simpleConfig(origin.port, {
    acls: { nobody: { deny: ['127.0.0.0/8'] } },
    listeners: { web: { address: '127.0.0.1:0', acl: 'nobody' } },
  });
  await using gateway = await testGateway(config);
  const request = 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx';
  // This process can accept nothing while it waits for the other to end.
  const script = `const socket = require('net').connect(${gateway.port()}, '127.0.0.1', () =>
    socket.write(${JSON.stringify(request)}, () => socket.resetAndDestroy()))`;
  expect(spawnSync(process.execPath, ['-e', script]).status).toBe(0);
  // Accepted after it, and so served after it.
  await using next = await RawClient.to(gateway.port());
  expect((await next.send(request).response()).status).toBe(403);
  expect(gateway.running.gateway.metrics.listener('web').accepted).toBe(1);
  expect(origin.received).toEqual([]);
});

test('a client whose body the backend does not take is not the one to blame: 504 when the pool has waited long enough', async () => {
  const clock = new ManualClock();
  await using origin = await rawOrigin((socket) => socket.pause());
  const config = simpleConfig(origin.port, {
    listeners: { web: { address: '127.0.0.1:0', timeouts: { body: '3s' } } },
    pools: { origin: { endpoints: [`127.0.0.1:${origin.port}`], timeouts: { idle: '5s' } } },
  });
  await using gateway = await testGateway(config, { clock });
  await using client = await RawClient.to(gateway.port());
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n');
  const block = 'x'.repeat(1024 * 1024);
  let sent = 0;
  const more = (): void => {
    for (sent++; client.socket.write(block, 'latin1'); sent++);
  };
  client.socket.on('drain', more);
  more();
  await stillness(() => sent);
  clock.advance(4000);
  expect([client.text, client.closed, sent < 200]).toEqual(['', false, true]);
  // The kernel is asked meanwhile what the backend has taken.
  await until(
    () => client.text !== '',
    'an answer comes',
    async () => clock.advance(200),
  );
  expect((await client.response()).status).toBe(504);
});
