/** The gateway as a process of its own, and what the system says that it holds. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import flags from '../../bin/engine-flags.json' with { type: 'json' };
import { get } from '../support/requests.ts';
import type { Holdings } from './bad-clients/inside.ts';
import { settled } from './bad-clients/run.ts';

export interface GatewayProcess extends AsyncDisposable {
  readonly adminPort: number;
  /** Its open descriptors. */
  descriptors(): number;
  rss(): number;
  /** After a garbage collection. */
  holdings(): Promise<Holdings>;
  /** Has it not ended? */
  alive(): boolean;
  /** Ends it; answers its exit code and what it said. */
  stop(): Promise<{ code: number | null; said: string }>;
}

/** Serves by a config whose admin listener is on `adminPort`; what it says goes to a file beside it. */
export async function startProcess(configFile: string, adminPort: number): Promise<GatewayProcess> {
  const saidFile = join(dirname(configFile), 'stderr.log');
  const said = openSync(saidFile, 'w');
  const inside = new URL('./bad-clients/inside.ts', import.meta.url).href;
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const child = fork(main, ['--config', configFile], {
    execArgv: [...flags, '--expose-gc', '--import', inside],
    stdio: ['ignore', said, said, 'ipc'],
  });
  const exited = once(child, 'exit');
  const ready = async (): Promise<boolean> =>
    child.exitCode !== null ||
    (await get(adminPort, '/ready').then(
      ({ status }) => status === 200,
      () => false,
    ));
  if (!(await settled(ready, 120_000)) || child.exitCode !== null) throw new Error(readFileSync(saidFile, 'utf8'));
  return {
    adminPort,
    descriptors: () => readdirSync(`/proc/${child.pid}/fd`).length,
    rss: () => 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]),
    holdings: () => holdings(child),
    alive: () => child.exitCode === null && child.signalCode === null,
    async stop() {
      child.kill('SIGTERM');
      await exited;
      return { code: child.exitCode, said: readFileSync(saidFile, 'utf8') };
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
    },
  };
}

async function holdings(child: ChildProcess): Promise<Holdings> {
  const { promise, resolve } = Promise.withResolvers<Holdings>();
  // The gateway has a message for its launcher, too: a word.
  const listen = (message: unknown): void => {
    if (typeof message === 'object') resolve(message as Holdings);
  };
  child.on('message', listen);
  child.send('holdings');
  const answer = await promise;
  child.off('message', listen);
  return answer;
}
