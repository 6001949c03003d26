/**
 * Hints become reloads: read, compile, apply; one at a time, the latest wins. Cold.
 *
 * The only caller of `Gateway.apply` after the start. A bad config is refused whole and told once for each content; the
 * old one keeps serving and the watching goes on.
 */
import { renderProblems } from '../config/problem.ts';
import { SourceWatcher } from '../config/watch.ts';
import type { Clock, Timer } from '../kit/clock.ts';
import { canonical } from '../kit/canonical.ts';
import type { Plan } from '../plan/types.ts';
import { compile, type Compiled, digestNow } from './compile.ts';
import type { Gateway } from './gateway.ts';
import { ListenError } from './listen-error.ts';

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
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #clock: Clock;
  readonly #watcher: SourceWatcher;
  #files: readonly string[] = [];
  #digest = '';
  #suspect = '';
  #plan = '';
  #running: Promise<void> | null = null;
  #again = false;
  #forced = false;
  #secondLook: Timer | null = null;
  #closed = false;

  constructor(gateway: Gateway, file: string, env: Readonly<Record<string, string | undefined>>, clock: Clock) {
    this.#gateway = gateway;
    this.#file = file;
    this.#env = env;
    this.#clock = clock;
    this.#watcher = new SourceWatcher(clock, () => this.hint());
  }

  /** The first load. Throws a ConfigError or a ListenError. */
  async start(): Promise<void> {
    const started = this.#clock.now();
    const compiled = compile(this.#file, this.#env);
    if (compiled.plan === null) throw compiled.error!;
    await this.#gateway.apply(compiled.plan);
    this.#noteFiles(compiled);
    this.#plan = canonical(compiled.plan);
    this.#record('applied', compiled.digest, started, '');
  }

  /** Something may have changed. */
  hint(): void {
    if (this.#closed) return;
    if (this.#running !== null) {
      this.#again = true;
      return;
    }
    this.#running = this.#run().finally(() => {
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

  async #run(): Promise<void> {
    const forced = this.#forced;
    this.#forced = false;
    const started = this.#clock.now();
    // Files newly found by an include glob are seen only by compiling: the digest spares that for mere noise nearby.
    if (!forced && digestNow(this.#files) === this.#digest && !this.#globbed()) return;
    const compiled = compile(this.#file, this.#env);
    if (compiled.digest === this.#digest && !forced) return;
    if (compiled.plan === null && this.#suspect !== compiled.digest) {
      this.#suspect = compiled.digest;
      this.#secondLook?.cancel();
      this.#secondLook = this.#clock.after(SECOND_LOOK, () => this.hint());
      return;
    }
    this.#noteFiles(compiled);
    if (compiled.plan === null) this.#refuse(compiled.digest, started, renderProblems(compiled.error!));
    else await this.#apply(compiled.plan, compiled.digest, started);
  }

  /** Whether the config has includes, whose globs a new file could match. */
  #globbed(): boolean {
    return this.#files.length > 1;
  }

  async #apply(plan: Plan, digest: string, started: number): Promise<void> {
    const text = canonical(plan);
    if (text === this.#plan) {
      this.#record('unchanged', digest, started, '');
      return;
    }
    try {
      await this.#gateway.apply(plan);
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      // Trying the same again may succeed when the port is free: the digest must not stand in the way of a SIGHUP.
      this.#refuse(digest, started, error.message);
      return;
    }
    this.#plan = text;
    this.#record('applied', digest, started, '');
  }

  #refuse(digest: string, started: number, problem: string): void {
    this.#record('failed', digest, started, problem);
  }

  #noteFiles(compiled: Compiled): void {
    this.#files = compiled.files;
    this.#digest = compiled.digest;
    this.#suspect = '';
    this.#watcher.update(compiled.files);
  }

  #record(result: ReloadOutcome['result'], digest: string, started: number, problem: string): void {
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
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#secondLook?.cancel();
    await this.#watcher.close();
    await this.#running;
  }
}
