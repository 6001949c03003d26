/** The reloader with a source that is no file: every way of a reload works the same. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type RunningGateway, startGateway } from '../../src/admin/start.ts';
import { systemClock } from '../../src/kit/clock.ts';
import { Log } from '../../src/observe/log.ts';
import { MemorySource } from '../support/memory-source.ts';

const configOf = (body: string): object => ({
  version: 1,
  listeners: { web: { address: '127.0.0.1:0' } },
  routes: [{ name: 'all', match: { path: '/' }, respond: { status: 200, body } }],
});

let stateDir: string;
let source: MemorySource;
let running: RunningGateway | null;

const start = async (): Promise<RunningGateway> => {
  running = await startGateway(source, { stateDir, log: new Log(systemClock, () => {}) });
  return running;
};

const served = async (): Promise<string> => {
  const response = await fetch(`http://127.0.0.1:${running!.gateway.addressOf('web')!.port}/`);
  return response.text();
};

/** Waits until the reload that `act` causes has ended; returns its result. */
const after = async (act: () => void): Promise<string> => {
  const { reloads } = running!.reloader;
  const before = reloads.last;
  act();
  while (reloads.last === before) await new Promise((resolve) => setImmediate(resolve));
  return reloads.last!.result;
};

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'prozy-source-'));
  source = new MemorySource(configOf('one'));
  running = null;
});

afterEach(async () => {
  await running?.close(0);
  rmSync(stateDir, { recursive: true, force: true });
});

test('a hint of the source is a reload, and a bad document is refused whole', async () => {
  await start();
  expect(existsSync(source.root)).toBe(false);
  expect(await served()).toBe('one');
  expect(await after(() => source.send(configOf('two')))).toBe('applied');
  expect(await served()).toBe('two');
  expect(await after(() => source.send('{ "listeners": 1 }'))).toBe('failed');
  const { problems, reason } = running!.reloader.reloads.last!;
  expect(reason).toBe('validate');
  expect(problems[0]).toMatchObject({ file: source.root, line: 1 });
  expect(await served()).toBe('two');
});

test('what is pushed is written to the source', async () => {
  const { reloader } = await start();
  const next = JSON.stringify(configOf('pushed'));
  expect(await after(() => void reloader.push(Buffer.from(next), () => true))).toBe('applied');
  expect(source.text).toBe(next);
  expect(await served()).toBe('pushed');
});

test('a rollback holds until the source says something else', async () => {
  const { reloader } = await start();
  await after(() => source.send(configOf('two')));
  // The history is written in the background.
  while ((await reloader.history.find(1)) === null) await new Promise((resolve) => setImmediate(resolve));
  expect(await reloader.rollback(1, 'test')).toMatchObject({ persisted: true });
  expect(await served()).toBe('one');
  expect(await after(() => source.send(configOf('three')))).toBe('applied');
  expect(await served()).toBe('three');
});

test('a start with a bad document serves the last config that was in effect', async () => {
  const first = await start();
  await first.close(0);
  expect(source.closed).toBe(true);
  source.text = '{';
  await start();
  expect(await served()).toBe('one');
});
