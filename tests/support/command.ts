/** The command itself, as a process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { until } from './gateway.ts';

/** For what another process does (ms). */
export const PATIENCE = 40_000;

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Running extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly out: string;
  readonly err: string;
  /** Waits until standard error has this. */
  says(text: string): Promise<void>;
  end(): Promise<Finished>;
}

export function start(args: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, ['bin/prozy.cjs', ...args], { cwd: root, env: { ...process.env, ...env } });
  let out = '';
  let err = '';
  child.stdout.on('data', (part: Buffer) => (out += part.toString()));
  child.stderr.on('data', (part: Buffer) => (err += part.toString()));
  const exited = once(child, 'close');
  return {
    child,
    get out() {
      return out;
    },
    get err() {
      return err;
    },
    says: (text) =>
      until(
        () => err.includes(text) || child.exitCode !== null,
        `the command says ${text}, after ${err}`,
        undefined,
        PATIENCE,
      ),
    async end() {
      await exited;
      return { code: child.exitCode, out, err };
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Runs it to its end. */
export async function run(...args: readonly string[]): Promise<Finished> {
  await using running = start(args);
  return await running.end();
}
