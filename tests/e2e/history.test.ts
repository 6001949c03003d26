/** What was in effect: kept, compared, explained, gone back to; in a running gateway and through its commands. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compareHistory } from '../../src/cli/compare-history.ts';
import { findHistory } from '../../src/cli/find-history.ts';
import type { PlanReport } from '../../src/cli/plan-against.ts';
import type { HistoryStore } from '../../src/history/store.ts';
import { run } from '../support/command.ts';
import { type TestGateway, testGateway, until } from '../support/gateway.ts';
import { type Answer, get, getJson } from '../support/requests.ts';

let state = '';
beforeEach(() => (state = mkdtempSync(join(tmpdir(), 'prozy-state-'))));
afterEach(() => rmSync(state, { recursive: true }));

interface Shown {
  readonly path: string | null;
  readonly entries: readonly {
    readonly number: number;
    readonly trigger: string;
    readonly by: string;
    readonly generation: number;
    readonly changes: string;
    readonly serves: boolean;
  }[];
  readonly fallback: { readonly why: string; readonly entry: number } | null;
  readonly problem: string;
}

function config(body: string, more: object = {}): Record<string, unknown> {
  return {
    version: 1,
    admin: { address: '127.0.0.1:0' },
    reload: { state_dir: state, history: 5 },
    listeners: { web: { address: '127.0.0.1:0' } },
    routes: [{ name: 'all', match: {}, respond: { body } }],
    ...more,
  };
}

const POOL = { pools: { a: { endpoints: ['127.0.0.1:1'] } } };

const shown = (gateway: TestGateway): Promise<Shown> => getJson<Shown>(gateway.adminPort(), '/history');
const numbers = async (gateway: TestGateway): Promise<number[]> =>
  (await shown(gateway)).entries.map(({ number }) => number);
const body = async (gateway: TestGateway): Promise<string> => (await get(gateway.port())).body;
const admin = (gateway: TestGateway): string => `127.0.0.1:${gateway.adminPort()}`;

/** Waits until the newest entry is of what serves. */
async function written(gateway: TestGateway): Promise<void> {
  let serves = false;
  await until(
    () => serves,
    'the history is written',
    async () => {
      serves = (await shown(gateway)).entries[0]?.serves === true;
    },
  );
}

async function edited(gateway: TestGateway, next: object | string): Promise<void> {
  await gateway.edit(next);
  await written(gateway);
}

test('each config that takes effect is an entry, and none is what does not', async () => {
  await using gateway = await testGateway(config('one'));
  await written(gateway);
  await edited(gateway, config('two'));
  await gateway.edit('{');
  await edited(gateway, config('three', POOL));
  const { entries, path } = await shown(gateway);
  expect(path).toContain(state);
  expect(
    entries.map(({ number, trigger, generation, changes, serves }) => [number, trigger, generation, changes, serves]),
  ).toEqual([
    [3, expect.stringMatching(/^(watch|poll)$/), 3, expect.stringContaining('pool'), true],
    [2, expect.stringMatching(/^(watch|poll)$/), 2, expect.stringContaining('route'), false],
    [1, 'start', 1, '', false],
  ]);
});

test('reload.history: so many', async () => {
  await using gateway = await testGateway(config('0', { reload: { state_dir: state, history: 2 } }));
  for (const text of ['1', '2', '3']) await edited(gateway, config(text, { reload: { state_dir: state, history: 2 } }));
  let kept: number[] = [];
  // The newest is there before the oldest goes.
  await until(
    () => kept.length === 2,
    'the others are gone',
    async () => {
      kept = await numbers(gateway);
    },
  );
  expect(kept).toEqual([4, 3]);
});

test('without a state_dir nothing is kept, nothing can be gone back to', async () => {
  await using gateway = await testGateway(config('one', { reload: {} }));
  expect(await shown(gateway)).toMatchObject({ path: null, entries: [], fallback: null });
  const { code, out } = await run('history', '--admin', admin(gateway));
  expect([code, out]).toEqual([0, 'No history is kept: the config says no reload.state_dir.\n']);
  const back = await run('rollback', '1', '--admin', admin(gateway));
  expect([back.code, back.err]).toEqual([1, 'there is no such entry in the history\n']);
  expect(readdirSync(state)).toEqual([]);
});

test('a rollback holds until the file says something else that can take effect', async () => {
  await using gateway = await testGateway(config('one'));
  await written(gateway);
  await edited(gateway, config('two'));
  const { code, out, err } = await run('rollback', '1', '--admin', admin(gateway));
  expect([code, err]).toEqual([0, '']);
  expect(out).toBe('entry 1 is in effect, and held until the file changes; generation 3\n');
  expect(await body(gateway)).toBe('one');
  await written(gateway);
  const held = await shown(gateway);
  expect(held.fallback).toMatchObject({ why: 'held', entry: 1 });
  expect(held.entries[0]).toMatchObject({ number: 3, trigger: 'rollback to 1', by: '127.0.0.1', generation: 3 });
  expect((await get(gateway.adminPort(), '/metrics')).body).toContain('prozy_config_history_fallback{why="held"} 1');
  // Not by a signal, not by being touched, not by being written again, and not by what can't be.
  gateway.running.reloader.force('sighup');
  const { reloads } = gateway.running.reloader;
  await until(() => reloads.last?.trigger === 'sighup', 'the signal is dealt with');
  expect(await body(gateway)).toBe('one');
  await gateway.edit('{');
  expect(await body(gateway)).toBe('one');
  writeFileSync(gateway.file, JSON.stringify(config('two')));
  gateway.running.reloader.force('cli');
  await until(() => reloads.last?.trigger === 'cli', 'it is looked at');
  expect(await body(gateway)).toBe('one');
  expect((await run('history', '--admin', admin(gateway))).out).toContain('Entry 1 is held since 20');
  await edited(gateway, config('three'));
  expect(await body(gateway)).toBe('three');
  expect((await shown(gateway)).fallback).toBeNull();
  // Then what it was held against is a config like any other.
  await edited(gateway, config('two'));
  expect(await body(gateway)).toBe('two');
  expect((await get(gateway.adminPort(), '/metrics')).body).toContain('prozy_config_history_fallback{why="held"} 0');
});

test('what serves and whether it stands in for the file change in one turn', async () => {
  await using gateway = await testGateway(config('one'));
  await written(gateway);
  await edited(gateway, config('two'));
  const { running } = gateway;
  const seen: unknown[] = [];
  const stop = running.gateway.events.listen(({ phase, generation }) => {
    if (phase === 'active') seen.push([generation, running.reloader.history.fallback?.why ?? 'the file']);
  });
  await running.reloader.rollback(1, '');
  await edited(gateway, config('three'));
  stop();
  expect(seen).toEqual([
    [3, 'held'],
    [4, 'the file'],
  ]);
});

test('a hold is lifted by hand, or by going back to what the file says', async () => {
  await using gateway = await testGateway(config('one'));
  await written(gateway);
  await edited(gateway, config('two'));
  for (const [lift, told] of [
    [['--lift'], 'the gateway follows the file again; generation'],
    [['2'], 'entry 2 is in effect, as in the file; generation'],
  ] as const) {
    expect((await run('rollback', '1', '--admin', admin(gateway))).code).toBe(0);
    expect(await body(gateway)).toBe('one');
    await written(gateway);
    const { code, out } = await run('rollback', ...lift, '--admin', admin(gateway));
    expect([code, await body(gateway), (await shown(gateway)).fallback]).toEqual([0, 'two', null]);
    expect(out).toContain(told);
    await written(gateway);
  }
  const [part] = readdirSync(state);
  expect(readdirSync(join(state, part!))).not.toContain('hold.json');
});

test('a hold over a file with problems cannot be lifted, and says why', async () => {
  await using gateway = await testGateway(config('one'));
  await written(gateway);
  await edited(gateway, config('two'));
  await gateway.edit({ ...config('three'), colour: 'red' });
  expect((await run('rollback', '1', '--admin', admin(gateway))).code).toBe(0);
  const { code, err } = await run('rollback', '--lift', '--admin', admin(gateway));
  expect(code).toBe(1);
  expect(err).toContain('unknown setting colour');
  expect(await body(gateway)).toBe('one');
  expect((await shown(gateway)).fallback).toMatchObject({ why: 'held' });
});

test('what references stand for is not kept, and is followed also while an entry is held', async () => {
  const secret = join(state, 'secret');
  writeFileSync(secret, 'sesame');
  const more = (text: string): object => ({
    routes: [{ name: 'all', match: {}, respond: { body: `${text} \${file:${secret}} \${env:WORD}` } }],
  });
  await using gateway = await testGateway(config('', more('one')), { env: { WORD: 'abracadabra' } });
  await written(gateway);
  await edited(gateway, config('', more('two')));
  expect((await run('rollback', '1', '--admin', admin(gateway))).code).toBe(0);
  expect(await body(gateway)).toBe('one sesame abracadabra');
  await written(gateway);
  writeFileSync(secret, 'open');
  await until(() => gateway.running.gateway.current?.generation === 4, 'the secret is followed');
  expect(await body(gateway)).toBe('one open abracadabra');
  expect((await shown(gateway)).fallback).toMatchObject({ why: 'held' });
  const part = join(state, readdirSync(state).find((name) => name.startsWith('gateway'))!);
  const all = readdirSync(part, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  expect(all.length).toBeGreaterThan(4);
  for (const file of all) {
    const text = readFileSync(join(file.parentPath, file.name), 'utf8');
    for (const word of ['sesame', 'abracadabra']) expect(text).not.toContain(word);
  }
});

test('an entry that cannot take effect any more is refused, and says why', async () => {
  const secret = join(state, 'secret');
  writeFileSync(secret, 'sesame');
  const respond = { routes: [{ name: 'all', match: {}, respond: { body: `\${file:${secret}}` } }] };
  await using gateway = await testGateway(config('', respond));
  await written(gateway);
  await edited(gateway, config('two'));
  rmSync(secret);
  const { code, err } = await run('rollback', '1', '--admin', admin(gateway));
  expect(code).toBe(1);
  expect(err).toContain('cannot read the file of');
  expect(await body(gateway)).toBe('two');
  const told = await get(gateway.adminPort(), '/history/1/plan');
  expect(told.status).toBe(409);
  // What the entry has lost is told as well.
  const part = join(state, readdirSync(state)[0]!, 'blobs');
  for (const name of readdirSync(part)) rmSync(join(part, name));
  const lost = await run('rollback', '1', '--admin', admin(gateway));
  expect([lost.code, lost.err]).toEqual([1, expect.stringContaining('entry 1 has lost the text of')]);
});

test('diff: between entries, by the gateway and from the disk', async () => {
  await using gateway = await testGateway(config('one'));
  await written(gateway);
  await edited(gateway, config('two', POOL));
  const { code, out } = await run('diff', '1', '2', '--admin', admin(gateway));
  expect(code).toBe(2);
  expect(out).toContain('entry 2, against entry 1\n');
  expect(out).toContain('+ pool a is added');
  expect(out).toContain('~ route all is changed');
  // A body may be a secret.
  expect(out).toContain('respond.body  … → …');
  const stored = await run('diff', '1', '2', '--state-dir', state, '--format', 'json');
  expect(stored.code).toBe(2);
  // The command's own form.
  const report = JSON.parse(stored.out) as PlanReport;
  expect(report).toMatchObject({ file: 'entry 2', against: 'entry 1' });
  expect(report.changes.map(({ kind, name, action }) => `${action} ${kind} ${name}`)).toEqual(
    expect.arrayContaining(['added pool a', 'changed route all']),
  );
  const none = await run('diff', '1', '9', '--admin', admin(gateway));
  expect([none.code, none.err]).toEqual([1, expect.stringContaining('there is no such entry')]);
  expect((await run('diff', '1', '2')).code).toBe(64);
});

test('diff: what runs and files in place of entries', async () => {
  await using gateway = await testGateway(config('one'));
  await written(gateway);
  await edited(gateway, config('two', POOL));
  const compare = async (from: string, to: string, at: string | HistoryStore): Promise<string> => {
    const told = await compareHistory(from, to, at, {});
    return typeof told === 'string' ? `problem: ${told}` : told.summary;
  };
  const byGateway = (from: string, to: string): Promise<string> => compare(from, to, admin(gateway));
  expect(await byGateway('2', 'running')).toBe('');
  expect(await byGateway('running', '1')).toBe('-1 pool, ~1 route');
  expect(await byGateway('2', gateway.file)).toBe('');
  expect(await byGateway(gateway.file, '1')).toBe('-1 pool, ~1 route');
  for (const place of [{ stateDir: state }, { config: gateway.file }]) {
    const store = await findHistory(place, {});
    if (typeof store === 'string') throw new Error(store);
    expect(await compare('2', gateway.file, store)).toBe('');
    expect(await compare('2', '1', store)).toBe('-1 pool, ~1 route');
    expect(await compare('1', 'running', store)).toContain('problem: the gateway knows the running config');
    expect(await compare('1', '9', store)).toContain('problem: there is no entry 9');
    expect(await compare('1', join(state, 'none.yaml'), store)).toContain('cannot read this file');
  }
  expect(await findHistory({}, {})).toContain('--state-dir');
  expect(await findHistory({}, { PROZY_STATE_DIR: state })).toMatchObject({ file: gateway.file });
  expect(await findHistory({ stateDir: join(state, 'none') }, {})).toContain('there is no history in');
});

test('explain: a request against a past config, by the gateway and from the disk', async () => {
  const routes = (name: string): object => ({ routes: [{ name, match: { path: '/x' }, respond: { status: 204 } }] });
  await using gateway = await testGateway(config('', routes('old')));
  await written(gateway);
  await edited(gateway, config('', routes('new')));
  const request = ['GET', 'http://a/x', '--format', 'json', '--entry'];
  for (const where of [admin(gateway), gateway.file]) {
    const { code, out } = await run('explain', where, ...request, '1');
    expect([code, JSON.parse(out)]).toMatchObject([0, { route: 'old' }]);
  }
  expect((await run('explain', gateway.file, ...request, '7')).code).toBe(2);
  const asked = (more: string): Promise<Answer> => get(gateway.adminPort(), `/explain?url=http%3A%2F%2Fa%2Fx${more}`);
  expect(JSON.parse((await asked('')).body)).toMatchObject({ route: 'new' });
  expect((await asked('&entry=7')).status).toBe(404);
  expect((await asked('&entry=x')).status).toBe(400);
  expect((await asked('&entry=1&generation=1')).status).toBe(400);
});

test('history: for people and as JSON, by the gateway and from the disk', async () => {
  await using gateway = await testGateway(config('one'));
  await written(gateway);
  await edited(gateway, config('two'));
  const lines = (out: string): string[][] => out.split('\n').map((line) => line.split(/ {2,}/));
  const { code, out } = await run('history', '--admin', admin(gateway));
  expect(code).toBe(0);
  expect(lines(out)[0]!.slice(1, 5)).toEqual(['ENTRY', 'SINCE', 'TRIGGER', 'GENERATION']);
  expect(lines(out)[1]!.slice(0, 2)).toEqual(['*', '2']);
  expect(lines(out)[2]!.slice(1, 2)).toEqual(['1']);
  const disk = await run('history', '--config', gateway.file, '--format', 'json');
  // The command's own form, which is the page's.
  const [read, asked] = [JSON.parse(disk.out) as Shown, await shown(gateway)];
  expect(read.path).toBe(asked.path);
  expect(read.entries.map(({ number, changes }) => [number, changes])).toEqual(
    asked.entries.map(({ number, changes }) => [number, changes]),
  );
  expect((await run('history')).code).toBe(2);
});

test('a state_dir that is a file: a line in the log and a metric; traffic, reloads and rollbacks are as ever', async () => {
  writeFileSync(join(state, 'file'), '');
  const reload = { reload: { state_dir: join(state, 'file') } };
  await using gateway = await testGateway(config('one', reload));
  await gateway.edit(config('two', reload));
  expect(await body(gateway)).toBe('two');
  await until(
    () => gateway.logged.some(({ event }) => event === 'the history cannot be written; traffic goes on'),
    'it is told',
  );
  const metrics = (await get(gateway.adminPort(), '/metrics')).body;
  expect(metrics).toContain('prozy_history_last_write_successful 0');
  expect((await shown(gateway)).problem).toContain('ENOTDIR');
  await edited(gateway, config('three'));
  expect((await get(gateway.adminPort(), '/metrics')).body).toContain('prozy_history_last_write_successful 1');
  expect(await numbers(gateway)).toEqual([1]);
});

test('two gateways on one directory and file: both serve, and the history is of both', async () => {
  await using gateway = await testGateway(config('one'));
  await written(gateway);
  const { startGateway } = await import('../../src/admin/start.ts');
  const other = await startGateway(gateway.file, { log: gateway.running.gateway.log });
  await edited(gateway, config('two'));
  await until(() => other.gateway.current?.generation === 2, 'the other has it as well');
  expect(await body(gateway)).toBe('two');
  const told = (await shown(gateway)).entries.length;
  expect(told).toBeGreaterThanOrEqual(2);
  expect(told).toBeLessThanOrEqual(3);
  await other.close(0);
});
