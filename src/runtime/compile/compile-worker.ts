/**
 * The process that compiles large configs, seen from the gateway: started when it is first asked, ended when it has not been
 * asked for a while. Cold; used by compiler.ts, what runs over there is compile-process.ts.
 *
 * A process, not a thread: what an engine does beside its thread (compiling, freeing memory) it does at the priority of the
 * process, whichever thread it is for; this one runs when nothing else wants to (docs/adr/0023).
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Clock, Timer } from '../../kit/clock.ts';
import type { CompileAnswer, CompileRequest } from './compile-process.ts';

/** Milliseconds that it is kept for a further change. */
const KEPT = 300_000;
/**
 * Milliseconds that it may take as what the system does when there is nothing else to do. A machine that always has something
 * else to do would never come to it: then it is done again, as one among others.
 */
const PATIENCE = 10_000;
/**
 * One thread does everything, so that no more than one processor is taken from the traffic. There are many short-lived objects:
 * fewer, larger collections.
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

/** Said to the process when it starts: it is to run when nothing else wants to. */
export const IDLE = 'idle';

export class CompileWorker {
  readonly #clock: Clock;
  readonly #patience: number;
  #child: ChildProcess | null = null;
  /** Was it started to run when nothing else wants to? */
  #idle = true;
  #ending: Timer | null = null;

  constructor(clock: Clock, patience = PATIENCE) {
    this.#clock = clock;
    this.#patience = patience;
  }

  /** Of the process; null: there is none. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** One at a time. Rejects if the process comes to an end over it. */
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

  /** undefined: it took too long for a process that runs when nothing else wants to. */
  async #ask(request: CompileRequest): Promise<CompileAnswer | null | undefined> {
    const child = this.#child ?? this.#start(true);
    // Nothing else may be keeping the gateway alive yet.
    child.channel?.ref();
    child.send(request);
    try {
      return await answerOf(child, this.#idle ? this.#patience : null, this.#clock);
    } finally {
      child.channel?.unref();
    }
  }

  /** As when the gateway is gone. For tests. */
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
 * Rejects if the process ends before it has answered: it may have met a defect, or have had no memory left. `patience`:
 * milliseconds, after which it is undefined; null: as long as it takes.
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
      // It says nothing else.
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
