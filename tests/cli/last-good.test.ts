/** A start with a file that can't take effect, and after a crash in the middle of an incident: the command as a process. */
import { once } from 'node:events';
import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PATIENCE, run, type Running, start } from '../support/command.ts';
import { until } from '../support/gateway.ts';
import { quietPort } from '../support/quiet-port.ts';
import { get } from '../support/requests.ts';

let folder = '';
let file = '';
let port = 0;
let adminPort = 0;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'prozy-lkg-'));
  file = join(folder, 'gateway.yaml');
  [port, adminPort] = [await quietPort(), await quietPort()];
});
afterEach(() => rmSync(folder, { recursive: true }));

function good(body: string, { reload = 'state_dir: ./state', more = '' } = {}): string {
  return `version: 1
admin: { address: "127.0.0.1:${adminPort}" }
reload: { ${reload} }
listeners:
  web: { address: "127.0.0.1:${port}" }
${more}routes:
  - { name: all, match: {}, respond: { body: "${body}" } }
`;
}

/** Cut off in the middle of its routes. */
const BAD = (): string => good('bad').replace(/body: .*$/s, 'body: "ba');

function write(text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

const body = async (): Promise<string> => (await get(port)).body;

async function untilBody(wanted: string): Promise<void> {
  let seen = '';
  await until(
    () => seen === wanted,
    `${wanted} serves`,
    async () => {
      seen = await body().catch(() => '');
    },
    PATIENCE,
  );
}

/** Waits until so many entries are on the disk. */
async function entries(count: number): Promise<void> {
  const found = (): number => {
    const [part] = readdirSync(join(folder, 'state'));
    return readdirSync(join(folder, 'state', part!, 'entries')).filter((name) => name.endsWith('.json')).length;
  };
  const written = (): boolean => {
    try {
      return found() === count;
    } catch {
      return false;
    }
  };
  await until(written, `${count} entries are written`, undefined, PATIENCE);
}

/** As a crash ends it. */
async function kill(command: Running): Promise<void> {
  command.child.kill('SIGKILL');
  await command.end();
  // The gateway ends with its launcher, a moment later.
  let open = true;
  await until(
    () => !open,
    'its ports are free',
    async () => {
      open = await get(port).then(
        () => true,
        () => false,
      );
    },
    PATIENCE,
  );
}

/** A gateway that has served these, one after the other, and was killed. */
async function served(...texts: readonly string[]): Promise<void> {
  write(good(texts[0]!));
  await using command = start(['--config', file]);
  await command.says('config in effect');
  await entries(1);
  for (const [i, text] of texts.slice(1).entries()) {
    write(good(text));
    await untilBody(text);
    await entries(i + 2);
  }
  await kill(command);
}

const READY = 'the last config that was in effect serves instead';

test('a start with a bad file serves what was last in effect, says so, and follows the file when it is good', async () => {
  await served('one', 'two');
  write(BAD());
  await using command = start(['--config', file]);
  await command.says(READY);
  expect(await body()).toBe('two');
  const ready = await get(adminPort, '/ready');
  expect([ready.status, JSON.parse(ready.body)]).toEqual([200, { ready: true, state: 'degraded' }]);
  expect((await get(adminPort, '/ready?strict')).status).toBe(503);
  const metrics = (await get(adminPort, '/metrics')).body;
  expect(metrics).toContain('prozy_config_history_fallback{why="last_good"} 1');
  expect(metrics).toContain('prozy_config_last_reload_successful 0');
  const refused = command.err.split('\n').find((line) => line.includes('config refused'));
  expect(JSON.parse(refused!)).toMatchObject({
    level: 'error',
    trigger: 'start',
  });
  expect(refused).toContain('gateway.yaml:7');
  expect((await run('history', '--admin', `127.0.0.1:${adminPort}`)).out).toContain('Entry 2 serves since');
  write(good('three'));
  await untilBody('three');
  expect(JSON.parse((await get(adminPort, '/ready?strict')).body)).toEqual({ ready: true, state: 'serving' });
  expect((await get(adminPort, '/metrics')).body).toContain('prozy_config_history_fallback{why="last_good"} 0');
  await kill(command);
});

test.each([
  ['the flag', ['--no-last-good'], {}],
  ['the config that would serve', [], { reload: 'state_dir: ./state, start_from_last_good: false' }],
])('%s forbids it: exit code 1, with the problems', async (_, flags, says) => {
  write(good('one', says));
  await using first = start(['--config', file]);
  await first.says('config in effect');
  await entries(1);
  await kill(first);
  write(BAD());
  await using command = start(['--config', file, ...flags]);
  const { code, err } = await command.end();
  expect(code).toBe(1);
  expect(err).toContain('gateway.yaml:7');
});

test('without a history a bad file ends the start as ever: exit code 1', async () => {
  write(BAD());
  await using command = start(['--config', file]);
  const { code, err } = await command.end();
  expect([code, err]).toEqual([1, expect.stringMatching(/^\S*gateway\.yaml:7:/)]);
});

test('a file that is gone altogether says nothing of a history: --state-dir and PROZY_STATE_DIR do', async () => {
  await served('one');
  rmSync(file);
  await using none = start(['--config', file]);
  expect((await none.end()).code).toBe(1);
  for (const [flags, env] of [
    [['--state-dir', join(folder, 'state')], {}],
    [[], { PROZY_STATE_DIR: join(folder, 'state') }],
  ] as const) {
    await using command = start(['--config', file, ...flags], env);
    await command.says(READY);
    expect(await body()).toBe('one');
    await kill(command);
  }
  await using idle = start(['--backend', '127.0.0.1:1', '--state-dir', folder]);
  expect((await idle.end()).code).toBe(2);
});

test('a file that cannot open what it names: what was last in effect serves, and a signal tries the file again', async () => {
  await served('one');
  const taken = net.createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port: other } = taken.address() as net.AddressInfo;
  write(good('two', { more: `  more: { address: "127.0.0.1:${other}" }\n` }));
  await using command = start(['--config', file]);
  await command.says(READY);
  expect(await body()).toBe('one');
  taken.close();
  await once(taken, 'close');
  command.child.kill('SIGHUP');
  await untilBody('two');
  await kill(command);
});

test('an older one serves if the newest is damaged', async () => {
  await served('one', 'two');
  const [part] = readdirSync(join(folder, 'state'));
  writeFileSync(join(folder, 'state', part!, 'entries', '00000002.json'), '{"version":1,');
  write(BAD());
  await using command = start(['--config', file]);
  await command.says(READY);
  expect(await body()).toBe('one');
  await kill(command);
});

test('a hold outlives a crash: the config that was rolled back does not come back', async () => {
  await served('one', 'two');
  await using first = start(['--config', file]);
  await first.says('config in effect');
  expect(await body()).toBe('two');
  expect((await run('rollback', '1', '--admin', `127.0.0.1:${adminPort}`)).code).toBe(0);
  expect(await body()).toBe('one');
  await kill(first);
  await using second = start(['--config', file]);
  await second.says('a history entry serves instead of the file');
  expect(await body()).toBe('one');
  expect(JSON.parse((await get(adminPort, '/ready')).body)).toEqual({ ready: true, state: 'serving' });
  await kill(second);
  // A file that is bad by then changes nothing about it, also if it comes to say the same again.
  write(BAD());
  await using third = start(['--config', file]);
  await third.says(READY);
  expect(await body()).toBe('one');
  write(good('two'));
  await until(
    () => third.err.includes('serves instead of the file'),
    'it is held',
    async () => void (await body()),
  );
  expect(await body()).toBe('one');
  write(good('three'));
  await untilBody('three');
  // Of one, two, the rollback to one, and three.
  await entries(4);
  await kill(third);
  write(good('two'));
  await using fourth = start(['--config', file]);
  await fourth.says('config in effect');
  expect(await body()).toBe('two');
  await kill(fourth);
});
