/** The command as it serves: flags, signals, ends. */
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { run, start } from '../support/command.ts';
import { simpleConfig, testGateway, until } from '../support/gateway.ts';
import { httpOrigin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';
import { chat, chatOrigin } from '../support/streams.ts';
import { freePort } from '../support/ports.ts';

const folder = mkdtempSync(join(tmpdir(), 'prozy-run-'));
afterAll(() => rmSync(folder, { recursive: true }));

function configFile(name: string, config: object): string {
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(config));
  return file;
}

const READY = 'config in effect';
const GET = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n';

test('SIGTERM: no new connections, what runs is finished with Connection: close, exit code 0', async () => {
  let release = (): void => {};
  await using origin = await httpOrigin((_, response) => {
    release = () => response.end('late');
  });
  const port = await freePort();
  const file = configFile('term', {
    version: 1,
    listeners: { web: { address: `127.0.0.1:${port}` } },
    pools: { origin: { endpoints: [`127.0.0.1:${origin.port}`] } },
    routes: [{ name: 'all', match: {}, pool: 'origin' }],
  });
  await using command = start(['--config', file]);
  await command.says(READY);
  await using idle = await RawClient.to(port);
  await using busy = await RawClient.to(port);
  busy.send(GET);
  await until(() => origin.requests.length === 1, 'the request is under way');
  command.child.kill('SIGTERM');
  await idle.end();
  await expect(get(port)).rejects.toThrow(/ECONNREFUSED/);
  release();
  const response = await busy.response();
  expect([response.status, response.body, response.headers['connection']]).toEqual([200, 'late', 'close']);
  busy.socket.end();
  expect((await command.end()).code).toBe(0);
});

test('a second signal ends it at once', async () => {
  await using origin = await httpOrigin(() => {});
  const port = await freePort();
  const file = configFile('twice', {
    version: 1,
    listeners: { web: { address: `127.0.0.1:${port}` } },
    pools: { origin: { endpoints: [`127.0.0.1:${origin.port}`] } },
    routes: [{ name: 'all', match: {}, pool: 'origin' }],
  });
  await using command = start(['--config', file]);
  await command.says(READY);
  await using busy = await RawClient.to(port);
  busy.send(GET);
  await until(() => origin.requests.length === 1, 'the request is under way');
  command.child.kill('SIGINT');
  await command.says('running exchanges and tunnels may finish');
  // A terminal tells launcher and gateway: that soon it is the same signal, and ends nothing.
  const again = setInterval(() => command.child.kill('SIGINT'), 50);
  expect((await command.end()).code).toBe(130);
  clearInterval(again);
});

test('the drain time bounds a stop: what still runs is cut, exit code 0', async () => {
  await using origin = await httpOrigin(() => {});
  const port = await freePort();
  const file = configFile('drain', {
    version: 1,
    reload: { drain: '200ms' },
    listeners: { web: { address: `127.0.0.1:${port}` } },
    pools: { origin: { endpoints: [`127.0.0.1:${origin.port}`] } },
    routes: [{ name: 'all', match: {}, pool: 'origin' }],
  });
  await using command = start(['--config', file]);
  await command.says(READY);
  await using busy = await RawClient.to(port);
  busy.send(GET);
  await until(() => origin.requests.length === 1, 'the request is under way');
  command.child.kill('SIGTERM');
  expect((await busy.response()).status).toBe(503);
  expect((await command.end()).code).toBe(0);
});

test('SIGHUP reads the config again, environment references included, and opens the access log anew', async () => {
  const port = await freePort();
  const log = join(folder, 'access.log');
  const file = configFile('hup', {
    version: 1,
    logging: { access: { path: 'access.log' } },
    listeners: { web: { address: `127.0.0.1:${port}` } },
    routes: [{ name: 'all', match: {}, respond: { body: '${env:PROZY_TEST_WORD}' } }],
  });
  await using command = start(['--config', file], { PROZY_TEST_WORD: 'fish' });
  await command.says(READY);
  expect((await get(port)).body).toBe('fish');
  rmSync(log);
  command.child.kill('SIGHUP');
  await command.says('config unchanged in effect');
  expect((await get(port)).body).toBe('fish');
  command.child.kill('SIGTERM');
  expect((await command.end()).code).toBe(0);
  expect(JSON.parse(readFileSync(log, 'utf8'))).toMatchObject({ status: 200, target: '/' });
});

test('SIGUSR1 opens the access log anew and no debugger, in launcher and gateway', async () => {
  const port = await freePort();
  const log = join(folder, 'usr1.log');
  const file = configFile('usr1', {
    version: 1,
    logging: { access: { path: 'usr1.log' } },
    listeners: { web: { address: `127.0.0.1:${port}` } },
    routes: [{ name: 'all', match: {}, respond: { body: 'x' } }],
  });
  await using command = start(['--config', file]);
  await command.says(READY);
  rmSync(log);
  command.child.kill('SIGUSR1');
  await until(() => existsSync(log), 'the log is there again');
  expect((await get(port)).status).toBe(200);
  command.child.kill('SIGTERM');
  expect((await command.end()).code).toBe(0);
  expect(command.err).not.toContain('Debugger');
  expect(JSON.parse(readFileSync(log, 'utf8'))).toMatchObject({ status: 200 });
});

test.each(['SIGQUIT', 'SIGUSR2'] as const)('%s stops gracefully: what runs is finished', async (signal) => {
  let release = (): void => {};
  await using origin = await httpOrigin((_, response) => {
    release = () => response.end('late');
  });
  const port = await freePort();
  const listeners = { web: { address: `127.0.0.1:${port}` } };
  await using command = start(['--config', configFile(signal, simpleConfig(origin.port, { listeners }))]);
  await command.says(READY);
  await using busy = await RawClient.to(port);
  busy.send(GET);
  await until(() => origin.requests.length === 1, 'the request is under way');
  command.child.kill(signal);
  await command.says('running exchanges and tunnels may finish');
  release();
  expect((await busy.response()).body).toBe('late');
  busy.socket.end();
  expect((await command.end()).code).toBe(0);
});

test('a port that is taken: exit code 3, and which one it was', async () => {
  const taken = net.createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as net.AddressInfo;
  const file = configFile('taken', { version: 1, listeners: { web: { address: `127.0.0.1:${port}` } } });
  await using command = start(['--config', file]);
  const { code, err } = await command.end();
  expect(code).toBe(3);
  expect(err).toMatch(/^\S+taken\.json:1:\d+ {2}listeners\.web\.address {2}/);
  expect(err).toContain(`listener web cannot have 127.0.0.1:${port}: EADDRINUSE, something else listens there\n`);
  taken.close();
});

test('flags without a file: a tcp gateway with a connection limit', async () => {
  await using origin = await rawOrigin((socket) => {
    socket.write('hello, ');
    socket.pipe(socket);
  });
  const port = await freePort();
  const flags = ['--listen', '127.0.0.1', '--port', `${port}`, '--backend', `127.0.0.1:${origin.port}`];
  await using command = start([...flags, '--max-conn', '1', '--timeout', '2', '--verbose']);
  await command.says(READY);
  await using client = await RawClient.to(port);
  client.send('you');
  await until(() => client.text === 'hello, you', 'both have spoken');
  const other = net.connect(port, '127.0.0.1');
  let code = '';
  other.on('error', (error: NodeJS.ErrnoException) => (code = error.code ?? ''));
  await until(() => code === 'ECONNRESET', 'one too many is turned away');
  client.socket.end();
  await until(() => client.closed, 'the first is done');
  command.child.kill('SIGTERM');
  const { code: exit, out } = await command.end();
  expect(exit).toBe(0);
  expect(JSON.parse(out.split('\n')[0]!)).toMatchObject({ kind: 'tcp', bytes_in: 3, bytes_out: 10 });
});

test('flags without a file: an HTTP gateway over two backends, on a port that two processes share', async () => {
  await using one = await httpOrigin((_, response) => response.end('one'));
  await using two = await httpOrigin((_, response) => response.end('two'));
  const port = await freePort();
  const flags = [
    '--http',
    '--reuse-addr',
    '--port',
    `${port}`,
    '--backend',
    `localhost:${one.port}`,
    `localhost:${two.port}`,
  ];
  await using command = start(flags);
  await command.says(READY);
  const bodies = [await get(port), await get(port)].map(({ body }) => body);
  expect(bodies.toSorted()).toEqual(['one', 'two']);
  await using second = start(flags);
  await second.says(READY);
  expect(second.child.exitCode).toBeNull();
  second.child.kill('SIGKILL');
  // Nobody would find the gateway itself any more: it ends with its launcher.
  expect((await second.end()).code).toBeNull();
});

test('a flag that makes no sense is wrong usage, told by its name', async () => {
  await using command = start(['--backend', 'nowhere', '--port', '99999']);
  const { code, err } = await command.end();
  expect(code).toBe(2);
  expect(err).toMatch(/^prozy: --(?:backend nowhere|port 99999): must be/);
});

test('generations: what runs on which config, and why, for people and as JSON', async () => {
  await using origin = await chatOrigin();
  const config = simpleConfig(origin.port, { admin: { address: '127.0.0.1:0' }, reload: { drain: '90s' } });
  await using gateway = await testGateway(config);
  await using old = await chat(gateway.port());
  await gateway.edit({ ...config, pools: { origin: { endpoints: [`localhost:${origin.port}`] } } });
  await using young = await chat(gateway.port());
  const admin = `127.0.0.1:${gateway.adminPort()}`;
  const { code, out } = await run('generations', '--admin', admin);
  expect(code).toBe(0);
  const lines = out.split('\n').map((line) => line.split(/ {2,}/));
  expect(lines[0]!.slice(0, 4)).toEqual(['GENERATION', 'STATE', 'AGE', 'LEASES']);
  expect(lines[1]!.slice(0, 2)).toEqual(['2', 'active']);
  expect(lines[2]!.slice(0, 2)).toEqual(['1', 'draining']);
  expect(lines[2]!.at(-1)).toBe('endpoint_gone 1');
  expect(out).toContain(
    `generation 1\n  listeners  web 1\n  routes     all 1\n  endpoints  127.0.0.1:${origin.port} 1\n  oldest     tunnel of 127.0.0.1 by route all`,
  );
  const json = await run('generations', '--admin', admin, '--format', 'json');
  expect(JSON.parse(json.out)).toMatchObject({
    generations: [
      { generation: 2, leases: 1, pinned_by: {}, oldest: { pinned_by: '' } },
      { generation: 1, leases: 1, pinned_by: { endpoint_gone: 1 }, oldest: { endpoint: `127.0.0.1:${origin.port}` } },
    ],
  });
  expect((await run('generations', '--admin', '127.0.0.1:1')).code).toBe(1);
  for (const client of [old, young]) client.socket.destroy();
});
