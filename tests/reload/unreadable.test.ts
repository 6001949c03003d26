/** Files that can't be read, on the way of a start or a reload: a problem that is told once, whatever happens nearby. */
import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { Compiler } from '../../src/runtime/compile/compiler.ts';
import { simpleConfig, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { get } from '../support/requests.ts';

function failures(gateway: TestGateway): Record<string, unknown>[] {
  return gateway.logged.filter(({ level }) => level === 'error');
}

/** As a log file beside the config is written: whatever it sets off comes to its end before the answer. */
async function write(gateway: TestGateway, times: number): Promise<void> {
  const { reloader } = gateway.running;
  for (let i = 0; i < times; i++) {
    appendFileSync(join(dirname(gateway.file), 'prozy.log'), 'a line\n');
    reloader.hint();
    // An order takes its turn behind what the hint has asked for.
    await reloader.rollback(1, '');
  }
}

test('a path that leads round in a circle is said so, once, though something writes beside it', async () => {
  await using gateway = await testGateway(simpleConfig(1));
  const { reloader } = gateway.running;
  const { last } = reloader.reloads;
  rmSync(gateway.file);
  symlinkSync('gateway.json', gateway.file);
  await until(() => reloader.reloads.last !== last, 'it is told');
  const message = 'cannot read this file: ELOOP, too many symbolic links encountered';
  expect(reloader.reloads.last).toMatchObject({ result: 'failed', reason: 'parse', problems: [{ message }] });
  expect(reloader.reloads.last!.problem).toBe(`${gateway.file}:1:1  ${message}`);
  await write(gateway, 5);
  expect(failures(gateway)).toHaveLength(1);
  expect((await get(gateway.port(), '/')).status).toBe(502);
});

test.each([
  ['a directory in its place', (file: string): void => mkdirSync(file), 'is a directory, not a file'],
  ['nothing', (): void => {}, 'cannot read this file: ENOENT, no such file or directory'],
])('%s', async (_, replace, message) => {
  await using gateway = await testGateway(simpleConfig(1));
  const { reloader } = gateway.running;
  const { last } = reloader.reloads;
  rmSync(gateway.file);
  replace(gateway.file);
  await until(() => reloader.reloads.last !== last, 'it is told');
  expect(reloader.reloads.last).toMatchObject({ result: 'failed', problems: [{ message }] });
  await write(gateway, 3);
  expect(failures(gateway)).toHaveLength(1);
});

test.each([
  ['include', (path: string): object => ({ include: [path] }), 'round.yaml:1:1  cannot read this file: ELOOP'],
  [
    'reference',
    (path: string): object => ({ routes: [{ name: 'a', match: {}, respond: { body: `\${file:${path}}` } }] }),
    'routes[0].respond.body  cannot read the file of ${file:round.yaml}: ELOOP',
  ],
])('an %s that leads round in a circle', async (_, more, message) => {
  await using gateway = await testGateway(simpleConfig(1));
  symlinkSync('round.yaml', join(dirname(gateway.file), 'round.yaml'));
  await gateway.edit({ ...simpleConfig(1), ...more('round.yaml') });
  expect(gateway.running.reloader.reloads.last).toMatchObject({ result: 'failed' });
  expect(gateway.running.reloader.reloads.last!.problem).toContain(message);
  await write(gateway, 3);
  expect(failures(gateway)).toHaveLength(1);
});

test('an access log whose path leads nowhere is told once', async () => {
  await using gateway = await testGateway(simpleConfig(1));
  await gateway.edit({ ...simpleConfig(1), logging: { access: { path: 'absent/access.log' } } });
  expect(gateway.running.reloader.reloads.last).toMatchObject({ result: 'failed', reason: 'bind' });
  expect(gateway.running.reloader.reloads.last!.problem).toMatch(/logging\.access\.path .*absent\/access\.log: ENOENT/);
  await write(gateway, 3);
  expect(failures(gateway)).toHaveLength(1);
});

test('a start says it too', async () => {
  await using gateway = await testGateway(simpleConfig(1));
  const file = join(dirname(gateway.file), 'other.yaml');
  writeFileSync(`${file}.new`, 'x');
  renameSync(`${file}.new`, file);
  rmSync(file);
  symlinkSync('other.yaml', file);
  const { startGateway } = await import('../../src/admin/start.ts');
  await expect(startGateway(file, {})).rejects.toThrow(/^.*other\.yaml:1:1 {2}cannot read this file: ELOOP/);
});

test('a defect is told once, until it is another or is over; a reload that is asked for tells it again', async () => {
  await using gateway = await testGateway(simpleConfig(1));
  const { reloader } = gateway.running;
  const compile = vi.spyOn(Compiler.prototype, 'compile').mockRejectedValue(new Error('one'));
  try {
    for (let i = 0; i < 3; i++) {
      reloader.hint();
      await reloader.rollback(1, '');
    }
    expect(failures(gateway).map(({ problem }) => String(problem).split('\n')[0])).toEqual([
      'a defect of prozy: Error: one',
    ]);
    compile.mockRejectedValue(new Error('two'));
    reloader.hint();
    await reloader.rollback(1, '');
    expect(failures(gateway)).toHaveLength(2);
    reloader.force('sighup');
    await reloader.rollback(1, '');
    expect(failures(gateway)).toHaveLength(3);
  } finally {
    compile.mockRestore();
  }
});
