/** `prozy reload` against a running gateway: what it says and how it ends. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { expect, test } from 'vitest';
import { run } from '../support/command.ts';
import { simpleConfig, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { get } from '../support/requests.ts';
import { chat, chatOrigin } from '../support/streams.ts';

const ADMIN = { admin: { address: '127.0.0.1:0' } };
const reload = (gateway: TestGateway, ...args: string[]) =>
  run('reload', '--admin', `127.0.0.1:${gateway.adminPort()}`, ...args);

test('in effect: 0, with each phase; unchanged: 0, or 7 if it is asked for', async () => {
  await using origin = await httpOrigin();
  const config = simpleConfig(origin.port, ADMIN);
  await using gateway = await testGateway(config);
  const first = await reload(gateway, '--detailed-exit-code');
  expect(first.code).toBe(7);
  expect(first.out).toMatch(/^reload [\da-f]{6}-2: nothing has changed: generation 1, after [\d.]+ ms\n/);
  expect((await reload(gateway)).code).toBe(0);
  const told = await reload(gateway, '--json', '--wait', 'drained');
  expect([told.code, told.err]).toEqual([0, '']);
  expect(JSON.parse(told.out)).toMatchObject({ result: 'unchanged', trigger: 'cli', generation: 1 });
});

test('an edit that the command finds first is in effect when it ends', async () => {
  await using origin = await httpOrigin();
  const config = simpleConfig(origin.port, ADMIN);
  let word = 'old';
  const env = {
    get WORD() {
      return word;
    },
  };
  const routes = [{ name: 'all', match: {}, respond: { body: '${env:WORD}' } }];
  await using gateway = await testGateway({ ...config, routes }, { env });
  // What no watcher sees.
  word = 'new';
  const { code, out, err } = await reload(gateway);
  expect([code, err]).toEqual([0, '']);
  expect(out).toMatch(/^reload [\da-f]{6}-2: in effect: generation 2, after [\d.]+ ms\n {4}~1 route\n/);
  for (const phase of ['seen', 'parsed', 'validated', 'planned', 'tested', 'bound', 'active'])
    expect(out).toMatch(new RegExp(`^ {5}${phase} +[\\d.]+ ms$`, 'm'));
  expect((await get(gateway.port())).body).toBe('new');
});

test('refused: 1, with every problem at its place; the old one serves', async () => {
  await using origin = await httpOrigin();
  const config = simpleConfig(origin.port, ADMIN);
  await using gateway = await testGateway(config);
  writeFileSync(gateway.file, JSON.stringify({ ...config, colour: 'red' }));
  const { code, out, err } = await reload(gateway);
  expect(code).toBe(1);
  expect(out).toMatch(/refused, by validate; generation 1 goes on/);
  expect(err).toMatch(/gateway\.json:1:\d+ {2}colour {2}unknown setting colour/);
  const json = await reload(gateway, '--format', 'json');
  expect([json.code, json.err]).toEqual([1, '']);
  expect(JSON.parse(json.out)).toMatchObject({ reason: 'validate', problems: [{ pointer: '/colour' }] });
  expect((await get(gateway.port(), '/x')).body).toBe('ok /x');
});

test('not drained in time: 6; drained: 0', async () => {
  await using origin = await chatOrigin();
  const config = simpleConfig(origin.port, ADMIN);
  await using gateway = await testGateway(config);
  await using stream = await chat(gateway.port());
  await gateway.edit({ ...config, pools: { origin: { endpoints: [`localhost:${origin.port}`] } } });
  const late = await reload(gateway, '--wait', 'drained', '--timeout', '1s');
  expect([late.code, late.err]).toEqual([6, 'not drained after 1s; prozy generations shows what is left\n']);
  const { reloads } = gateway.running.reloader;
  const ended = reload(gateway, '--wait', 'drained');
  await until(() => (reloads.find('last')?.listeners ?? 0) > 1, 'the command waits');
  stream.socket.destroy();
  const { code, out } = await ended;
  expect([code, out.split('\n').at(-2)]).toEqual([0, expect.stringMatching(/drained/) as string]);
});

test('not in effect in time: 5', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(simpleConfig(origin.port, ADMIN));
  // What is refused is read a second time a little later.
  writeFileSync(gateway.file, '{');
  const { code, err } = await reload(gateway, '--timeout', '0');
  expect([code, err]).toEqual([5, 'not in effect after 0\n']);
});

test('nobody answers: 4, whether nobody listens or somebody says nothing or something else; wrong usage: 2', async () => {
  const silent = net.createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  await using origin = await httpOrigin();
  const port = (silent.address() as net.AddressInfo).port;
  expect((await run('reload', '--admin', '127.0.0.1:1')).code).toBe(4);
  expect((await run('reload', '--admin', `127.0.0.1:${origin.port}`)).code).toBe(4);
  const { code, err } = await run('reload', '--admin', `127.0.0.1:${port}`);
  expect([code, err]).toEqual([4, expect.stringContaining('does not answer') as string]);
  silent.close();
  expect((await run('reload', '--admin', '127.0.0.1:1', '--timeout', 'soon')).code).toBe(2);
  expect((await run('reload', '--admin', '127.0.0.1:1', '--wait', 'forever')).code).toBe(2);
});
