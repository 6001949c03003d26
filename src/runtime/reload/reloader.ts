/**
 * Turns hints, pushes and rollbacks into reloads: one at a time, the latest wins. Cold.
 *
 * reload-path.ts composes the stages of a reload. A bad config is refused as a whole and reported once for each content; the old config
 * keeps serving and the watcher goes on. reload.ts records the progress of each reload.
 */
import { dirname } from 'node:path';
import { ConfigError, type Problem } from '../../config/problem.ts';
import { type ConfigSource, NOT_FOLLOWED } from '../../config/config-source.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Compiled, Environment, Known } from '../compile/compile.ts';
import { Compiler } from '../compile/compiler.ts';
import type { Gateway } from '../gateway.ts';
import { History, type HistoryOptions, type HistoryFallback } from './history.ts';
import { OpenError } from '../snapshot/open-error.ts';
import { Outcomes, refusalOf, refusalToOpen } from './outcomes.ts';
import { Push, type WrittenConfig, writtenConfigOf } from './push.ts';
import { RefusedError } from './refused-error.ts';
import type { Reload, Trigger } from './reload.ts';
import { ReloadPath } from './reload-path.ts';
import { Reloads } from './reloads.ts';
import { HistoryFallbackRunner } from './history-fallback.ts';
import { type QueuedReload, ReloadQueue } from './reload-queue.ts';

/** The most concurrent pushes: each holds its text. */
const MOST_PUSHES = 16;

/** The result of a rollback or of a return to the file. */
export interface Returned {
  readonly reload: Reload;
  /** Whether the result survives a restart. */
  readonly persisted: boolean;
}

export class Reloader {
  readonly reloads: Reloads;
  readonly history: History;
  readonly #fallbacks: HistoryFallbackRunner;
  readonly #source: ConfigSource;
  readonly #compiler: Compiler;
  readonly #clock: Clock;
  readonly #gateway: Gateway;
  /** The inputs of the last compilation; null: none yet. */
  #known: Known | null = null;
  /** The content of the file when it was last read. */
  #content = '';
  readonly #outcomes: Outcomes;
  readonly #path: ReloadPath;
  readonly #turns: ReloadQueue;
  /** Ends the pause before the second reading. */
  #wake: (() => void) | null = null;
  /** Pushes that are queued or running. */
  #pushes = 0;
  /** The error of the last turn; '' if there was none. */
  #defect = '';
  #closed = false;

  constructor(gateway: Gateway, source: ConfigSource, env: Environment, clock: Clock, options: HistoryOptions) {
    const { root } = source;
    const compiler = (): Compiler => new Compiler(root, env, clock, () => gateway.current !== null);
    this.#source = source;
    this.#compiler = compiler();
    this.#clock = clock;
    this.reloads = new Reloads(gateway, root, clock);
    this.#gateway = gateway;
    this.history = new History(gateway, root, env, options);
    this.#outcomes = new Outcomes(gateway, this.reloads);
    this.#path = new ReloadPath(gateway, this.#outcomes);
    this.#fallbacks = new HistoryFallbackRunner(this.history, compiler(), this.#path, this.#outcomes);
    this.#turns = new ReloadQueue(this.reloads, (turn) => this.#taken(turn));
    source.listen(clock, (by) => this.hint(by));
  }

  /** The folder of the config's root document. */
  get folder(): string {
    return dirname(this.#source.root);
  }

  /** The first load. Throws a ConfigError or an OpenError. */
  async start(): Promise<void> {
    const reload = this.reloads.make('start');
    reload.begin();
    const compiled = await this.#compile(null);
    if (compiled === null) return;
    this.history.open(compiled);
    const held = await this.history.held(compiled.content);
    if (held !== null && (await this.#startBy(held, 'held', compiled))) return;
    try {
      if (compiled.plan === null) throw new ConfigError(compiled.problems, compiled.report);
      this.#outcomes.see(reload, compiled);
      await this.#path.apply(reload, compiled, this.#byFile(compiled));
    } catch (error) {
      if (!(error instanceof ConfigError || error instanceof OpenError)) throw error;
      if (error instanceof OpenError) error.report = refusalToOpen(error, compiled).report;
      if (!(await this.#startByLastGood(reload, compiled, error))) throw error;
      return;
    }
    this.#noteFiles(compiled);
    this.history.recordFile(compiled, reload);
  }

  /** Compiles what the source says now. Returns null if nothing has changed since `known`. */
  async #compile(known: Known | null): Promise<Compiled | null> {
    return this.#compiler.compile(known, await this.#source.read());
  }

  /** The hooks for a config that the file provides. */
  #byFile(compiled: Compiled): { readonly active: () => void } {
    return { active: () => this.history.serve(null, compiled) };
  }

  /** Returns whether the entry serves. */
  async #startBy(fallback: HistoryFallback, trigger: Trigger, file: Compiled): Promise<boolean> {
    if (!(await this.#fallbacks.put(fallback, this.reloads.make(trigger), ''))) return false;
    this.#noteFiles(file);
    return true;
  }

  async #startByLastGood(reload: Reload, file: Compiled, error: ConfigError | OpenError): Promise<boolean> {
    let told = false;
    for await (const fallback of this.history.lastGood()) {
      // This entry would fail as the file does.
      if (fallback.entry.content === file.content) continue;
      if (!told) {
        if (file.plan === null) this.#outcomes.see(reload, file);
        this.#outcomes.refuse(reload, error instanceof OpenError ? refusalToOpen(error, file) : refusalOf(file));
      }
      told = true;
      if (await this.#startBy(fallback, 'last_good', file)) return true;
    }
    return false;
  }

  /** The source may have changed. */
  hint(by: Trigger = 'watch'): void {
    if (this.#closed) return;
    // A reload that is about to read again covers this hint.
    if (this.#wake !== null) this.#wake();
    else this.#turns.ask(by, false);
  }

  /** Reads and compiles even if nothing seems to have changed. Returns null after a close. */
  force(by: Trigger): Reload | null {
    if (this.#closed) return null;
    const { reload } = this.#turns.ask(by, true);
    this.reloads.keep(reload);
    this.#wake?.();
    return reload;
  }

  /** The warnings of the config in effect. */
  get warnings(): readonly Problem[] {
    return this.#outcomes.inEffect.problems;
  }

  /** The config in effect as written, if it is one text that may be shown; otherwise a text that says why not. */
  source(): WrittenConfig | string {
    return writtenConfigOf(this.#source.root, this.#outcomes.inEffect);
  }

  /**
   * Pushes another text for the file; `expected`: checks the tag of the config it is based on. Returns null after a
   * close, or if too many pushes are waiting.
   */
  push(bytes: Uint8Array, expected: (tag: string) => boolean): Reload | null {
    if (this.#closed || this.#pushes >= MOST_PUSHES) return null;
    const reload = this.reloads.make('push');
    this.reloads.keep(reload);
    this.#pushes++;
    const push = new Push(this.#source, bytes, expected, () => this.#outcomes.inEffect);
    this.#turns
      .order(() => this.#takePush(reload, push))
      // Its turn did not come.
      .catch(() => reload.forget())
      .finally(() => this.#pushes--);
    return reload;
  }

  async #takePush(reload: Reload, push: Push): Promise<void> {
    try {
      reload.begin();
      push.admit();
      // The code of a module runs as it is checked, so the config in effect decides.
      const modules = this.#gateway.current?.plan.admin?.push?.modules === true;
      const compiled = await this.#compiler.compile(null, push.texts, new Map(), modules);
      if (compiled === null) return;
      this.#outcomes.see(reload, compiled);
      if (compiled.plan !== null) push.judge(compiled);
      if (!(await this.#path.settle(reload, compiled, { bound: () => push.seal(), ...this.#byFile(compiled) }))) return;
      this.#noteFiles(compiled);
      this.history.recordFile(compiled, reload);
    } catch (error) {
      if (error instanceof RefusedError) this.#outcomes.refuse(reload, error.refusal);
      else this.#outcomes.defect(reload, error);
    }
  }

  /**
   * Returns to a history entry until the file has other content that can take effect. Returns null if there is no such
   * entry, or a text that says why it can't be read. `by`: the client that requested it.
   */
  async rollback(number: number, by: string): Promise<Returned | string | null> {
    const done = await this.#turns.order(async () => {
      const found = await this.history.find(number);
      if (found === null || typeof found === 'string') return found;
      const now = await this.#compile(this.#known);
      if (now !== null) this.#noteFiles(now);
      // The entry equals the file: no hold is needed.
      if (found.entry.content === this.#content) return this.#liftNow();
      const reload = this.reloads.make('rollback');
      const fallback = this.history.rollbackTo(found, this.#content);
      const served = await this.#fallbacks.put(fallback, reload, by).catch((error: unknown) => {
        this.#outcomes.defect(reload, error);
        return false;
      });
      this.#watch();
      return { reload, persisted: served ? this.history.persisted : Promise.resolve(false) };
    });
    // Wait outside the queue: the next turn need not wait for the disk.
    return done === null || typeof done === 'string' ? done : { reload: done.reload, persisted: await done.persisted };
  }

  /** Returns to the file. */
  async lift(): Promise<Returned> {
    const { reload, persisted } = await this.#turns.order(() => this.#liftNow());
    return { reload, persisted: await persisted };
  }

  async #liftNow(): Promise<{ readonly reload: Reload; readonly persisted: Promise<boolean> }> {
    const reload = this.reloads.make('lift');
    await this.#taken({ reload, forced: true }, true);
    return { reload, persisted: this.history.persisted };
  }

  /** `lifting`: ignore a hold. */
  async #taken(turn: QueuedReload, lifting = false): Promise<void> {
    try {
      await this.#take(turn, lifting);
      this.#defect = '';
    } catch (error) {
      // Report an error once if every hint would repeat it: the log itself may be in a watched directory.
      const text = String(error);
      if (!turn.forced && text === this.#defect) turn.reload.forget();
      else this.#outcomes.defect(turn.reload, error);
      this.#defect = text;
    }
  }

  async #take({ reload, forced }: QueuedReload, lifting: boolean): Promise<void> {
    await this.#path.fromSource({
      reload,
      forced,
      compile: () => this.#compile(forced ? null : this.#known),
      pause: async () => {
        await this.#pause(this.#source.secondLook);
        return !this.#closed;
      },
      unsettled: () => this.#source.unsettled,
      note: (compiled) => this.#noteFiles(compiled),
      ignores: ({ content }) => !lifting && this.history.ignores(content),
      followEntry: (make) => this.#fallbacks.follow(make),
      another: () => this.reloads.make(reload.trigger),
      stepsFor: (compiled) => this.#byFile(compiled),
      record: (compiled) => {
        this.history.recordFile(compiled, reload);
        this.#watch();
      },
    });
  }

  /** Pauses for `ms`, or until a file event arrives. */
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

  #noteFiles({ files, globs, digest, content }: Compiled): void {
    this.#known = { files, globs, digest };
    this.#content = content;
    this.#watch();
  }

  /** Watches the file and the files of the fallback: the values of its references may change. */
  #watch(): void {
    if (this.#known === null) return;
    const files = new Set([...this.#known.files, ...this.#fallbacks.files]);
    const { globs } = this.#known;
    this.#source.follow({ files: [...files], globs }, this.#gateway.current?.plan.reload ?? NOT_FOLLOWED);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wake?.();
    await this.#source.close();
    await this.#turns.close();
    await this.#compiler.close();
    await this.#fallbacks.close();
    await this.history.close();
  }
}
