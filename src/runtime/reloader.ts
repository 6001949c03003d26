/**
 * Hints become reloads: read, compile, apply; one at a time, the latest wins. Cold.
 *
 * The only caller of `Gateway.apply` after the start. A bad config is refused whole and told once for each content; the
 * old one keeps serving and the watching goes on.
 */
import { dirname } from 'node:path';
import { ConfigError } from '../config/problem.ts';
import { SourceWatcher } from '../config/watch.ts';
import type { Clock, Timer } from '../kit/clock.ts';
import type { Compiled, Environment, Known } from './compile.ts';
import { Compiler } from './compiler.ts';
import type { Gateway } from './gateway.ts';
import { OpenError } from './open-error.ts';
import { changesBetween } from './told-changes.ts';

/** A file that does not compile may be half written: it is read again after this time before anybody is told (ms). */
const SECOND_LOOK = 50;

export interface ReloadOutcome {
  readonly result: 'applied' | 'unchanged' | 'failed';
  /** ISO time. */
  readonly at: string;
  readonly digest: string;
  readonly duration_ms: number;
  readonly generation: number;
  /** What was wrong, as text for people; empty if nothing was. */
  readonly problem: string;
}

export class Reloader {
  /** The last load that was not simply "nothing has changed". */
  last: ReloadOutcome | null = null;
  readonly #gateway: Gateway;
  readonly #file: string;
  readonly #compiler: Compiler;
  readonly #clock: Clock;
  readonly #watcher: SourceWatcher;
  /** What was last read; null: nothing yet. */
  #known: Known | null = null;
  #suspect = '';
  /** Of the plan in effect. */
  #plan = '';
  #running: Promise<void> | null = null;
  #again = false;
  #forced = false;
  #secondLook: Timer | null = null;
  #closed = false;

  constructor(gateway: Gateway, file: string, env: Environment, clock: Clock) {
    this.#gateway = gateway;
    this.#file = file;
    this.#compiler = new Compiler(file, env, clock);
    this.#clock = clock;
    this.#watcher = new SourceWatcher(clock, () => this.hint());
  }

  /** Where its file is. */
  get folder(): string {
    return dirname(this.#file);
  }

  /** The first load. Throws a ConfigError or an OpenError. */
  async start(): Promise<void> {
    const started = this.#clock.now();
    const compiled = await this.#compiler.compile(null);
    if (compiled === null) return;
    if (compiled.plan === null) throw new ConfigError(compiled.problems, compiled.report);
    await this.#gateway.apply(compiled.plan);
    this.#noteFiles(compiled);
    this.#plan = compiled.planDigest;
    this.#record('applied', compiled.digest, started, '');
  }

  /** Something may have changed. */
  hint(): void {
    if (this.#closed) return;
    if (this.#running !== null) {
      this.#again = true;
      return;
    }
    const started = this.#clock.now();
    const run = this.#run(started).catch((error: unknown) => this.#defect(error, started));
    this.#running = run.finally(() => {
      this.#running = null;
      if (!this.#again) return;
      this.#again = false;
      this.hint();
    });
  }

  /** Reads and compiles even if no file seems to have changed (SIGHUP). */
  force(): void {
    this.#forced = true;
    this.hint();
  }

  async #run(started: number): Promise<void> {
    const forced = this.#forced;
    this.#forced = false;
    const compiled = await this.#compiler.compile(forced ? null : this.#known);
    if (compiled === null) return;
    if (compiled.plan === null && this.#suspect !== compiled.digest) {
      this.#suspect = compiled.digest;
      this.#secondLook?.cancel();
      this.#secondLook = this.#clock.after(SECOND_LOOK, () => this.hint());
      return;
    }
    this.#noteFiles(compiled);
    await this.#apply(compiled, started);
  }

  async #apply({ plan, planDigest, digest, report }: Compiled, started: number): Promise<void> {
    if (plan === null) {
      this.#refuse(digest, started, report);
      return;
    }
    if (planDigest === this.#plan) {
      this.#record('unchanged', digest, started, '');
      return;
    }
    const previous = this.#gateway.current?.plan ?? null;
    try {
      await this.#gateway.apply(plan);
    } catch (error) {
      if (!(error instanceof OpenError)) throw error;
      // Trying the same again may succeed when the port is free: the digest must not stand in the way of a SIGHUP.
      this.#refuse(digest, started, error.message);
      return;
    }
    this.#plan = planDigest;
    const applied = this.#clock.now();
    const changes = await changesBetween(previous, plan, this.#clock);
    // It is in effect already: the time that telling takes is not its own.
    this.#record('applied', digest, started + this.#clock.now() - applied, '', changes);
  }

  /** A config must not end the gateway, not even by a defect of ours: it is refused like any other. */
  #defect(error: unknown, started: number): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#refuse('', started, `a defect of prozy: ${text}`);
  }

  #refuse(digest: string, started: number, problem: string): void {
    this.#record('failed', digest, started, problem);
  }

  #noteFiles({ files, globs, digest }: Compiled): void {
    this.#known = { files, globs, digest };
    this.#suspect = '';
    this.#watcher.update(files, globs);
  }

  #record(result: ReloadOutcome['result'], digest: string, started: number, problem: string, changes = ''): void {
    const { log, metrics } = this.#gateway;
    const duration = this.#clock.now() - started;
    const now = this.#clock.wall();
    const generation = this.#gateway.current?.generation ?? 0;
    this.last = {
      result,
      at: new Date(now).toISOString(),
      digest,
      duration_ms: Math.round(duration * 100) / 100,
      generation,
      problem,
    };
    this.#gateway.events.emit({ time: this.last.at, type: 'reload', result, digest, generation, problem });
    const { reload } = metrics;
    reload.results[result]++;
    reload.lastSuccessful = result !== 'failed';
    if (result === 'failed') {
      reload.lastFailureAt = now;
      log.error('config refused; the old one keeps serving', { file: this.#file, digest, problem });
      return;
    }
    reload.duration.observe(duration);
    reload.lastSuccessAt = now;
    log.info(result === 'applied' ? 'config in effect' : 'config unchanged in effect', {
      file: this.#file,
      digest,
      generation,
      duration_ms: this.last.duration_ms,
      ...(changes === '' ? {} : { changes }),
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#secondLook?.cancel();
    await this.#watcher.close();
    await this.#running;
    await this.#compiler.close();
  }
}
