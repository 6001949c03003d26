/** The ways in which a config changes on a disk: each is seen, and each gives the new config whole. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RunningGateway, startGateway } from '../../src/admin/start.ts';
import { systemClock } from '../../src/kit/clock.ts';
import { Log } from '../../src/observe/log.ts';
import { until } from '../support/gateway.ts';
import { get } from '../support/requests.ts';

let folder = '';
let running: RunningGateway | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prozy-ways-'));
});

afterEach(async () => {
  await running?.close(0);
  running = null;
  rmSync(folder, { recursive: true });
});

function answering(body: string, more = ''): string {
  return `version: 1
listeners: { web: { address: "127.0.0.1:0" } }
${more}
routes:
  - { name: version, match: {}, respond: { body: "${body}" } }
`;
}

async function start(file: string): Promise<void> {
  running = await startGateway(file, { log: new Log(systemClock, () => {}) });
}

async function body(path = '/'): Promise<string> {
  const { status, body: text } = await get(running!.gateway.addressOf('web')!.port, path);
  return status === 404 ? '' : text;
}

async function becomes(wanted: string, path = '/'): Promise<void> {
  let seen = '';
  const look = async (): Promise<void> => {
    seen = await body(path);
  };
  await until(() => seen === wanted, `the answer becomes ${wanted}`, look);
}

describe('a file', () => {
  test('of which a part has been written in place is not read until it is whole, but for who asks', async () => {
    const file = join(folder, 'gateway.yaml');
    const settle = 'reload: { settle: 1h }';
    writeFileSync(file, answering('old', settle));
    await start(file);
    const { reloader } = running!;
    const whole = answering('new', settle);
    const half = whole.slice(0, whole.indexOf('routes:'));
    writeFileSync(file, half);
    // Whatever else may set it off. An order comes after the turn that has begun.
    reloader.hint();
    await reloader.rollback(99, '');
    reloader.hint('poll');
    await reloader.rollback(99, '');
    expect(await body()).toBe('old');
    writeFileSync(file, whole);
    reloader.hint();
    await reloader.rollback(99, '');
    expect(await body()).toBe('old');
    reloader.force('sighup');
    await becomes('new');
  });

  test('is left alone with watch: false, and read when that is asked for', async () => {
    const file = join(folder, 'gateway.yaml');
    writeFileSync(file, answering('old', 'reload: { watch: false }'));
    await start(file);
    writeFileSync(file, answering('new'));
    running!.reloader.force('sighup');
    await becomes('new');
    writeFileSync(file, answering('newer'));
    await becomes('newer');
  });

  test('written in place, many times', async () => {
    const file = join(folder, 'gateway.yaml');
    writeFileSync(file, answering('v0'));
    await start(file);
    for (let i = 1; i <= 5; i++) {
      writeFileSync(file, answering(`v${i}`));
      await becomes(`v${i}`);
    }
  });

  test('replaced by a rename, as Git and careful editors do', async () => {
    const file = join(folder, 'gateway.yaml');
    writeFileSync(file, answering('v0'));
    await start(file);
    for (let i = 1; i <= 5; i++) {
      writeFileSync(`${file}.tmp`, answering(`v${i}`));
      renameSync(`${file}.tmp`, file);
      await becomes(`v${i}`);
    }
  });

  test('moved to a backup and written anew, as vim does', async () => {
    const file = join(folder, 'gateway.yaml');
    writeFileSync(file, answering('v0'));
    await start(file);
    for (let i = 1; i <= 3; i++) {
      renameSync(file, `${file}~`);
      writeFileSync(file, answering(`v${i}`));
      unlinkSync(`${file}~`);
      await becomes(`v${i}`);
    }
  });

  test('gone for a while: the old config serves until it is back', async () => {
    const file = join(folder, 'gateway.yaml');
    writeFileSync(file, answering('v0'));
    await start(file);
    unlinkSync(file);
    await until(() => running!.reloader.reloads.last?.result === 'failed', 'its absence is noticed');
    expect(await body()).toBe('v0');
    writeFileSync(file, answering('v1'));
    await becomes('v1');
  });
});

describe('links', () => {
  test('a `current` link that is pointed at another release, the old one kept', async () => {
    for (let i = 0; i < 4; i++) {
      mkdirSync(join(folder, 'releases', String(i)), { recursive: true });
      writeFileSync(join(folder, 'releases', String(i), 'gateway.yaml'), answering(`v${i}`));
    }
    const point = (release: number): void => {
      symlinkSync(`releases/${release}`, join(folder, 'next'));
      renameSync(join(folder, 'next'), join(folder, 'current'));
    };
    point(0);
    await start(join(folder, 'current', 'gateway.yaml'));
    for (const release of [1, 2, 3, 0]) {
      point(release);
      await becomes(`v${release}`);
    }
  });
});

describe('what a config names', () => {
  test('an included file changes, a new one comes to match, and one goes', async () => {
    const file = join(folder, 'gateway.yaml');
    mkdirSync(join(folder, 'routes.d'));
    const part = (name: string, text: string): void =>
      writeFileSync(
        join(folder, 'routes.d', `${name}.yaml`),
        `routes:\n  - { name: ${name}, match: { path: /${name} }, respond: { body: ${text} } }\n`,
      );
    part('a', 'one');
    writeFileSync(file, 'version: 1\ninclude: ["routes.d/*.yaml"]\nlisteners: { web: { address: "127.0.0.1:0" } }\n');
    await start(file);
    expect(await body('/a')).toBe('one');
    part('a', 'two');
    await becomes('two', '/a');
    part('b', 'new');
    await becomes('new', '/b');
    unlinkSync(join(folder, 'routes.d', 'b.yaml'));
    await becomes('', '/b');
  });

  test('a file behind ${file:…} changes, also one in another directory', async () => {
    const file = join(folder, 'gateway.yaml');
    mkdirSync(join(folder, 'secrets'));
    writeFileSync(join(folder, 'secrets', 'word'), 'first\n');
    writeFileSync(file, answering('${file:secrets/word}'));
    await start(file);
    expect(await body()).toBe('first');
    writeFileSync(join(folder, 'secrets', 'word'), 'second\n');
    await becomes('second');
  });
});
