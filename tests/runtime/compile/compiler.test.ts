/** Large configs are compiled in a process of their own; what comes over is what has changed. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/kit/clock.ts';
import { CompileWorker } from '../../../src/runtime/compile/compile-worker.ts';
import type { CompileRequest } from '../../../src/runtime/compile/compile-process.ts';
import { Compiler } from '../../../src/runtime/compile/compiler.ts';
import { compileOnce } from '../../../src/runtime/compile/compile.ts';
import { processorsIn } from '../../../src/runtime/compile/process-priority.ts';

const folder = mkdtempSync(join(tmpdir(), 'prozy-compiler-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'gateway.yaml');

function write(routes: number, version = 'v0', limit = 0): string {
  const text = [
    'version: 1',
    'listeners: { web: { address: "127.0.0.1:0" } }',
    `pools: { a: { endpoints: ["127.0.0.1:1"] }, b: { endpoints: ["127.0.0.1:2"], max_requests: ${limit} } }`,
    'routes:',
    `  - { name: version, match: { path: /version }, respond: { body: "${version}" } }`,
    ...Array.from(
      { length: routes },
      (_, i) => `  - { name: r${i}, match: { path: /r${i} }, pool: ${i % 2 ? 'a' : 'b'} }`,
    ),
  ].join('\n');
  writeFileSync(file, text);
  return text;
}

/** Is it there? */
function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const MANY = 2000;

test('what comes over means the same as what is compiled here, and what has not changed is the same object', async () => {
  const compiler = new Compiler(file, {}, systemClock);
  try {
    const text = write(MANY);
    const first = (await compiler.compile(null))!;
    expect(first.plan).toEqual(compileOnce(file, {}).plan);
    expect(first.planDigest).toBe(compileOnce(file, {}).planDigest);
    expect([...first.texts]).toEqual([[file, text]]);
    expect(await compiler.compile(first)).toBeNull();

    write(MANY, 'v1');
    const second = (await compiler.compile(first))!;
    expect(second.plan).toEqual(compileOnce(file, {}).plan);
    expect(second.planDigest).not.toBe(first.planDigest);
    const shared = (): number => second.plan!.routes.filter((route) => first.plan!.routes.includes(route)).length;
    expect([shared(), second.plan!.routes.length]).toEqual([MANY, MANY + 1]);
    expect(second.plan!.pools).toEqual(first.plan!.pools);
    expect(second.plan!.pools.every((pool, i) => pool === first.plan!.pools[i])).toBe(true);

    // Of a pool that is another now, the routes are others too.
    write(MANY, 'v1', 7);
    const third = (await compiler.compile(second))!;
    expect(third.plan).toEqual(compileOnce(file, {}).plan);
    expect(third.plan!.routes.filter((route) => second.plan!.routes.includes(route)).length).toBe(MANY / 2 + 1);

    writeFileSync(file, `${text}\ncolour: red\n`);
    const refused = (await compiler.compile(third))!;
    expect([refused.plan, refused.problems.map(({ message }) => message)]).toEqual([null, ['unknown setting colour']]);
    expect(refused.texts.size).toBe(0);
  } finally {
    await compiler.close();
  }
});

/** Closed at the end of its test. */
class Closing extends CompileWorker {
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

describe('the process', () => {
  const request = (): CompileRequest => ({
    file,
    env: {},
    given: new Map(),
    found: new Map(),
    modules: true,
    known: null,
    base: null,
  });

  test('is kept for the next one, and gone when it is closed', async () => {
    write(600);
    await using background = new Closing(systemClock);
    expect((await background.ask(request()))!.plan).not.toBeNull();
    const pid = background.pid!;
    await background.ask(request());
    expect(background.pid).toBe(pid);
    await background.close();
    expect([background.pid, runs(pid)]).toEqual([null, false]);
  });

  test('runs when nothing else wants to, and on one processor, where there are programs to ask for that', async () => {
    write(600);
    await using background = new Closing(systemClock);
    await background.ask(request());
    const there = (program: string): boolean =>
      (process.env['PATH'] ?? '').split(':').some((directory) => existsSync(join(directory, program)));
    // SCHED_IDLE and SCHED_OTHER: sched(7).
    const policy = there('chrt') ? 5 : 0;
    const processors = there('taskset') ? 1 : processorsIn(readFileSync('/proc/self/status', 'latin1')).length;
    // Those programs may still be at it.
    await vi.waitUntil(() => {
      const threads = readdirSync(`/proc/${background.pid}/task`).map((id) => `/proc/${background.pid}/task/${id}`);
      return threads.every(
        (thread) =>
          Number(readFileSync(`${thread}/stat`, 'latin1').split(') ')[1]!.split(' ')[38]) === policy &&
          processorsIn(readFileSync(`${thread}/status`, 'latin1')).length === processors,
      );
    });
  });

  test('has to answer in time; if the machine has no time for it, it is done again as one among others', async () => {
    write(600);
    await using background = new Closing(systemClock, 1);
    const asked = background.ask(request());
    const first = background.pid!;
    expect((await asked)!.plan).not.toBeNull();
    expect(background.pid).not.toBe(first);
    expect(runs(first)).toBe(false);
    // It goes on with that one.
    const second = background.pid;
    await background.ask(request());
    expect(background.pid).toBe(second);
  });

  test('that is killed fails what it was at, and nothing after that', async () => {
    write(600);
    await using background = new Closing(systemClock);
    const asked = background.ask(request());
    process.kill(background.pid!, 'SIGKILL');
    await expect(asked).rejects.toThrow('the process that compiles ended with SIGKILL before it was done');
    expect((await background.ask(request()))!.plan).not.toBeNull();
    // And one that is killed while no compilation waits for it.
    const pid = background.pid!;
    process.kill(pid, 'SIGKILL');
    while (background.pid !== null) await new Promise((resolve) => setImmediate(resolve));
    expect((await background.ask(request()))!.plan).not.toBeNull();
  });

  test('does not outlive the gateway, and lets its signals be', async () => {
    write(600);
    await using background = new Closing(systemClock);
    await background.ask(request());
    const pid = background.pid!;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const)
      process.kill(pid, signal);
    expect((await background.ask(request()))!.plan).not.toBeNull();
    expect(background.pid).toBe(pid);
    // Also if it is in the midst of something.
    const asked = background.ask(request());
    background.disconnect();
    await expect(asked).rejects.toThrow('ended with 0');
    while (runs(pid)) await new Promise((resolve) => setImmediate(resolve));
  });
});
