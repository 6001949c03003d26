/**
 * Hints become reloads: read, compile, apply; one at a time, the latest wins. Cold.
 *
 * The only caller of `Gateway.apply`. A bad config is refused whole and told once for each content; the old one keeps
 * serving and the watching goes on. What each reload went through is in reload.ts.
 */
import { dirname } from 'node:path';
import { ConfigError, configError } from '../config/problem.ts';
import { SourceWatcher } from '../config/watch.ts';
import type { Clock } from '../kit/clock.ts';
import type { ReloadReason } from '../observe/metrics.ts';
import type { Compiled, Environment, Known, Stage } from './compile.ts';
import { Compiler } from './compiler.ts';
import type { Gateway } from './gateway.ts';
import { OpenError } from './open-error.ts';
import type { Reload, Trigger } from './reload.ts';
import { Reloads } from './reloads.ts';
import { changesBetween } from './told-changes.ts';

/** A file that does not compile may be half written: it is read again after this time before anybody is told (ms). */
const SECOND_LOOK = 50;

/** A reload that waits for its turn or has it. */
interface Turn {
  readonly reload: Reload;
  /** Read and compile even if no file seems to have changed. */
  forced: boolean;
}

export class Reloader {
  readonly reloads: Reloads;
  readonly #gateway: Gateway;
  readonly #file: string;
  readonly #compiler: Compiler;
  readonly #clock: Clock;
  readonly #watcher: SourceWatcher;
  /** What was last read; null: nothing yet. */
  #known: Known | null = null;
  /** Of the plan in effect. */
  #plan = '';
  #running: Promise<void> | null = null;
  /** The turn that comes next. */
  #next: Turn | null = null;
  /** Ends the pause before a second look. */
  #wake: (() => void) | null = null;
  #closed = false;

  constructor(gateway: Gateway, file: string, env: Environment, clock: Clock) {
    this.#gateway = gateway;
    this.#file = file;
    this.#compiler = new Compiler(file, env, clock);
    this.#clock = clock;
    this.reloads = new Reloads(gateway, file, clock);
    this.#watcher = new SourceWatcher(clock, (by) => this.hint(by));
  }

  /** Where its file is. */
  get folder(): string {
    return dirname(this.#file);
  }

  /** The first load. Throws a ConfigError or an OpenError. */
  async start(): Promise<void> {
    const reload = this.reloads.make('start');
    reload.begin();
    const compiled = await this.#compiler.compile(null);
    if (compiled === null) return;
    if (compiled.plan === null) throw new ConfigError(compiled.problems, compiled.report);
    this.#see(reload, compiled);
    await this.#apply(reload, compiled);
    this.#noteFiles(compiled);
  }

  /** Something may have changed. */
  hint(by: Trigger = 'watch'): void {
    if (this.#closed) return;
    // What is about to be read again need not be read once more after that.
    if (this.#wake !== null) this.#wake();
    else this.#ask(by, false);
  }

  /** Reads and compiles even if no file seems to have changed. Answers null if it does not any more. */
  force(by: Trigger): Reload | null {
    if (this.#closed) return null;
    const { reload } = this.#ask(by, true);
    this.reloads.keep(reload);
    this.#wake?.();
    return reload;
  }

  /** What is asked for before its turn has come is one. */
  #ask(by: Trigger, forced: boolean): Turn {
    const turn = (this.#next ??= { reload: this.reloads.make(by), forced });
    if (forced && !turn.forced) {
      turn.forced = true;
      turn.reload.trigger = by;
    }
    if (this.#running === null)
      this.#running = this.#takeTurns().finally(() => {
        this.#running = null;
      });
    return turn;
  }

  async #takeTurns(): Promise<void> {
    for (let turn = this.#next; turn !== null && !this.#closed; turn = this.#next) {
      this.#next = null;
      try {
        await this.#take(turn);
      } catch (error) {
        this.#defect(turn.reload, error);
      }
    }
  }

  async #take({ reload, forced }: Turn): Promise<void> {
    const compile = (): Promise<Compiled | null> => {
      reload.begin();
      return this.#compiler.compile(forced ? null : this.#known);
    };
    let compiled = await compile();
    for (let suspect = ''; compiled?.plan === null && compiled.digest !== suspect; ) {
      suspect = compiled.digest;
      await this.#pause(SECOND_LOOK);
      if (this.#closed) {
        reload.forget();
        return;
      }
      compiled = await compile();
    }
    if (compiled === null) return;
    this.#noteFiles(compiled);
    this.#see(reload, compiled);
    if (compiled.plan === null) this.#refuse(reload, reasonOf(compiled), compiled);
    else if (compiled.planDigest === this.#plan) this.#leave(reload);
    else await this.#tryApply(reload, compiled);
  }

  /** Or until something happens near the files. */
  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(ms, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#wake = null;
  }

  #see(reload: Reload, { digest, passed }: Compiled): void {
    reload.digest = digest;
    reload.passed(passed);
    this.reloads.keep(reload);
  }

  async #tryApply(reload: Reload, compiled: Compiled): Promise<void> {
    try {
      await this.#apply(reload, compiled);
    } catch (error) {
      if (!(error instanceof OpenError)) throw error;
      // Trying the same again may succeed when the port is free: the digest must not stand in the way of a SIGHUP.
      this.#refuse(reload, 'bind', whatIsNotOpen(error, compiled));
    }
  }

  /** Throws an OpenError. */
  async #apply(reload: Reload, { plan, planDigest }: Compiled): Promise<void> {
    if (plan === null) return;
    const previous = this.#gateway.current?.plan ?? null;
    await this.#gateway.apply(plan, {
      bound: () => reload.reach('bound'),
      active: (generation) => {
        this.#plan = planDigest;
        this.reloads.succeed(reload, 'applied', generation);
      },
    });
    if (previous !== null) reload.changes = await changesBetween(previous, plan, this.#clock);
    this.reloads.close(reload);
  }

  /** What is in effect means the same. */
  #leave(reload: Reload): void {
    this.reloads.succeed(reload, 'unchanged', this.#gateway.current?.generation ?? 0);
    this.reloads.close(reload);
  }

  /** A config must not end the gateway, not even by a defect of ours: it is refused like any other. */
  #defect(reload: Reload, error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.reloads.keep(reload);
    this.#refuse(reload, 'defect', { problems: [], report: `a defect of prozy: ${text}` });
  }

  #refuse(reload: Reload, reason: ReloadReason, { problems, report }: Pick<Compiled, 'problems' | 'report'>): void {
    reload.fail({ reason, problems, report }, this.#gateway.current?.generation ?? 0);
    this.reloads.close(reload);
  }

  #noteFiles({ files, globs, digest }: Compiled): void {
    this.#known = { files, globs, digest };
    this.#watcher.update(files, globs);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#next?.reload.forget();
    this.#wake?.();
    await this.#watcher.close();
    await this.#running;
    await this.#compiler.close();
  }
}

function whatIsNotOpen({ pointer, message }: OpenError, { opened }: Compiled): ConfigError {
  const place = opened.get(pointer);
  // The line itself is not shown: beside the address there may be a secret in it.
  return configError(place === undefined ? [] : [{ ...place, pointer, message }], new Map());
}

/** By what a config is refused that has passed these stages. */
const REASONS: Readonly<Record<Stage, ReloadReason>> = {
  parsed: 'validate',
  validated: 'plan',
  planned: 'tests',
  // Whatever has passed its tests is not refused.
  tested: 'defect',
};

function reasonOf({ passed }: Compiled): ReloadReason {
  const last = passed.at(-1);
  return last === undefined ? 'parse' : REASONS[last.stage];
}
