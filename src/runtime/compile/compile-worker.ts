/**
 * The gateway's side of the process that compiles large configs. The first request starts the process; it ends after a
 * time without requests. Cold; used by compiler.ts. The process itself runs compile-process.ts.
 *
 * It is a process, not a thread: the engine's helper threads (compilation, freeing memory) run at the priority of the
 * process, whichever thread they work for. This process runs only when the processor is idle (docs/adr/0023).
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Clock, Timer } from '../../kit/clock.ts';
import type { CompileAnswer, CompileRequest } from './compile-process.ts';

/** Milliseconds that an idle process is kept for a further change. */
const KEPT = 300_000;
/**
 * Milliseconds that a compilation may take at idle priority. On a machine that is never idle it would not finish: after
 * this time it is run again at normal priority.
 */
const PATIENCE = 10_000;
/**
 * One thread does all the work, so that it takes at most one processor from the traffic. Compilation makes many
 * short-lived objects: use fewer, larger collections.
 */
const FLAGS = [
  '--disable-warning=ExperimentalWarning',
  // SIGUSR1 would open a debugger.
  '--disable-sigusr1',
  '--single-threaded',
  '--no-parallel-scavenge',
  '--max-semi-space-size=32',
  '--expose-gc',
];

/** The argument that tells the process to run at idle priority. */
export const IDLE = 'idle';

export class CompileWorker {
  readonly #clock: Clock;
  readonly #patience: number;
  #child: ChildProcess | null = null;
  /** Whether the process was started at idle priority. */
  #idle = true;
  #ending: Timer | null = null;

  constructor(clock: Clock, patience = PATIENCE) {
    this.#clock = clock;
    this.#patience = patience;
  }

  /** The process id; null: there is no process. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Handles one request at a time. Rejects if the process ends before it answers. */
  async ask(request: CompileRequest): Promise<CompileAnswer | null> {
    this.#ending?.cancel();
    try {
      let answer = await this.#ask(request);
      if (answer === undefined) {
        await this.close();
        this.#start(false);
        answer = await this.#ask(request);
      }
      return answer ?? null;
    } finally {
      this.#ending = this.#clock.after(KEPT, () => void this.close());
    }
  }

  #start(idle: boolean): ChildProcess {
    const child = start(idle ? [IDLE] : []);
    this.#idle = idle;
    this.#child = child;
    child.on('exit', () => {
      if (this.#child === child) this.#child = null;
    });
    return child;
  }

  /** Returns undefined if a process at idle priority took too long. */
  async #ask(request: CompileRequest): Promise<CompileAnswer | null | undefined> {
    const child = this.#child ?? this.#start(true);
    // The channel may be the only thing that keeps the gateway alive.
    child.channel?.ref();
    child.send(request);
    try {
      return await answerOf(child, this.#idle ? this.#patience : null, this.#clock);
    } finally {
      child.channel?.unref();
    }
  }

  /** Disconnects as if the gateway had exited. For tests. */
  disconnect(): void {
    this.#child?.disconnect();
  }

  async close(): Promise<void> {
    this.#ending?.cancel();
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

function start(args: readonly string[]): ChildProcess {
  const entry = import.meta.url.endsWith('.ts') ? './compile-process.ts' : './compile-process.js';
  const child = fork(fileURLToPath(new URL(entry, import.meta.url)), args, {
    execArgv: FLAGS,
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  child.unref();
  return child;
}

/**
 * Rejects if the process ends before it answers, because of a defect or for lack of memory. Resolves to undefined after
 * `patience` milliseconds; null: no limit.
 */
function answerOf(
  child: ChildProcess,
  patience: number | null,
  clock: Clock,
): Promise<CompileAnswer | null | undefined> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      child.off('message', answered).off('exit', ended).off('error', failed);
      limit?.cancel();
    };
    const answered = (answer: unknown): void => {
      stop();
      // The process sends no other messages.
      resolve(answer as CompileAnswer | null);
    };
    const ended = (code: number | null, signal: string | null): void => {
      stop();
      reject(new Error(`the process that compiles ended with ${signal ?? code} before it was done`));
    };
    const failed = (error: Error): void => {
      stop();
      reject(error);
    };
    const tooLong = (): void => {
      stop();
      resolve(undefined);
    };
    const limit = patience === null ? null : clock.after(patience, tooLong);
    child.on('message', answered).on('exit', ended).on('error', failed);
  });
}
