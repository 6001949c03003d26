/**
 * Records the configs that took effect, and the history fallback: the entry that serves instead of the file. Cold; one
 * per reloader.
 *
 * A fallback exists while a rollback holds, and after a start with a file that could not take effect. It ends when the
 * file takes effect. The reloader applies configs; this class only looks up and records.
 */
import { ConfigReader } from '../../config/config-reader.ts';
import { systemDisk } from '../../kit/disk.ts';
import type { Entry, Hold } from '../../history/entry.ts';
import { HistoryKeeper } from '../../history/keeper.ts';
import { stateDirOf } from '../../history/state-dir.ts';
import { HistoryError, type HistoryStore, type StoredTexts } from '../../history/store.ts';
import type { Compiled, Environment } from '../compile/compile.ts';
import { Compiler } from '../compile/compiler.ts';
import type { Gateway } from '../gateway.ts';
import type { Reload } from './reload.ts';

/** Startup options that override the config. */
export interface HistoryOptions {
  /** The directory of the history, whatever the config says; null: as the config says. */
  readonly stateDir: string | null;
  /** Whether a start may serve the last config that was in effect, if the config allows it. */
  readonly lastGood: boolean;
}

interface Found {
  readonly entry: Entry;
  readonly stored: StoredTexts;
}

export interface HistoryFallback extends Found {
  readonly why: 'held' | 'last_good';
  /** ISO time. */
  readonly since: string;
  /** The content of the file that this fallback overrides; '': none, so any content of the file can take effect. */
  readonly insteadOf: string;
}

export class History {
  readonly #gateway: Gateway;
  readonly #file: string;
  readonly #env: Environment;
  readonly #options: HistoryOptions;
  readonly #keeper: HistoryKeeper;
  #fallback: HistoryFallback | null = null;
  /** The content that was last in effect. */
  #content = '';
  /** Whether a hold may be on disk. */
  #holds = false;
  #persisted = Promise.resolve(true);

  constructor(gateway: Gateway, file: string, env: Environment, options: HistoryOptions) {
    const { clock, log, metrics } = gateway;
    const { stateDir } = options;
    this.#gateway = gateway;
    this.#file = file;
    this.#env = env;
    this.#options = options;
    this.#keeper = new HistoryKeeper({ file, stateDir, clock, log, metrics: metrics.history, disk: systemDisk });
  }

  /** null: no history is kept. */
  get store(): HistoryStore | null {
    return this.#keeper.store;
  }

  /** The problem with writing the history; '' if there is none. */
  get problem(): string {
    return this.#keeper.problem;
  }

  get fallback(): HistoryFallback | null {
    return this.#fallback;
  }

  /** The content in effect. */
  get content(): string {
    return this.#content;
  }

  /** Whether a file with this content is overridden by the fallback. */
  ignores(content: string): boolean {
    const fallback = this.#fallback;
    if (fallback === null || fallback.insteadOf !== content) return false;
    // The fallback may serve for another reason, which no longer applies.
    if (fallback.why !== 'held') {
      this.#fallBackTo({ ...fallback, why: 'held' });
      this.#tellHeld(fallback);
    }
    return true;
  }

  #fallBackTo(fallback: HistoryFallback | null): void {
    this.#fallback = fallback;
    this.#gateway.metrics.history.fallback = fallback?.why ?? null;
  }

  /** Opens the history of a file that may have problems. */
  open({ plan, texts }: Compiled): void {
    const said = plan === null ? stateDirOf(this.#file, this.#env, new ConfigReader(texts)) : plan.reload.stateDir;
    this.#keeper.follow(said, plan?.reload.history ?? 1);
  }

  /** The entry that a rollback in an earlier process still holds; null: there is none. */
  async held(content: string): Promise<HistoryFallback | null> {
    return this.#looked(async (store) => {
      const hold = await store.hold();
      this.#holds = hold !== null;
      if (hold === null || hold.instead_of !== content) return null;
      const entry = await store.find(hold.serves);
      if (entry === null) throw new HistoryError(`entry ${hold.entry}, which a rollback holds, no longer exists`);
      return { why: 'held', since: hold.since, entry, stored: await store.read(entry), insteadOf: content };
    });
  }

  /** The entries that may serve instead of a file that can't, newest first. */
  async *lastGood(): AsyncGenerator<HistoryFallback> {
    if (!this.#options.lastGood) return;
    const entries = (await this.#looked(async (store) => (await store.list()).entries)) ?? [];
    // The content that a rollback overrode stays overridden if the file returns to it.
    const hold = entries.length === 0 ? null : await this.#looked((store) => store.hold());
    for (const entry of entries) {
      const stored = await this.#looked((store) => store.read(entry));
      const insteadOf = hold?.serves === entry.content ? hold.instead_of : '';
      if (stored !== null) yield { why: 'last_good', since: this.#now(), entry, stored, insteadOf };
    }
  }

  /** The fallback for a rollback, regardless of the file's content. */
  rollbackTo(found: Found, insteadOf: string): HistoryFallback {
    return { why: 'held', since: this.#now(), ...found, insteadOf };
  }

  #now(): string {
    return new Date(this.#gateway.clock.wall()).toISOString();
  }

  /** Compiles an entry with the current values of its references. */
  async compile({ stored: { texts, found } }: Found): Promise<Compiled | null> {
    // A separate compiler: the reloader may need its own at any time.
    const compiler = new Compiler(this.#file, this.#env, this.#gateway.clock);
    try {
      return await compiler.compile(null, texts, found);
    } finally {
      await compiler.close();
    }
  }

  /** Returns null if there is no such entry, or a text that says why it can't be read. */
  async find(number: number): Promise<Found | string | null> {
    const { store } = this;
    try {
      const entry = store === null ? null : await store.find(number);
      return store === null || entry === null ? null : { entry, stored: await store.read(entry) };
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** Records that this config is in effect, from this entry; null: from the file. */
  serve(fallback: HistoryFallback | null, { plan, content }: Compiled): void {
    const { log } = this.#gateway;
    if (fallback === null && this.#fallback !== null)
      log.info('the gateway follows the file again', { entry: this.#fallback.entry.number });
    this.#fallBackTo(fallback);
    this.#content = content;
    if (plan !== null) this.#keeper.follow(plan.reload.stateDir, plan.reload.history);
  }

  /** Records that the file serves. The caller does not wait for the write. */
  recordFile(compiled: Compiled, reload: Reload): void {
    // Remove the hold before adding the entry: once the entry is on disk, the hold is not.
    if (this.#holds) this.#persisted = this.#keeper.hold(null);
    this.#holds = false;
    this.#add(compiled, reload, reload.trigger, '');
  }

  /** Resolves to true when a restart would know the hold, or that there is none; to false if the write failed. */
  get persisted(): Promise<boolean> {
    return this.#persisted;
  }

  /** Records that an entry serves. */
  recordFallback(fallback: HistoryFallback, compiled: Compiled, reload: Reload, by: string): void {
    const { number } = fallback.entry;
    const { log, metrics } = this.#gateway;
    if (fallback.why === 'last_good') {
      // The newest config is not in effect.
      metrics.reload.lastSuccessful = false;
      log.error('the file cannot take effect: the last config that was in effect serves instead', {
        file: this.#file,
        entry: number,
      });
    } else this.#tellHeld(fallback);
    const rolledBack = reload.trigger === 'rollback';
    if (rolledBack) this.#persisted = this.#hold(fallback);
    this.#add(compiled, reload, rolledBack ? `rollback to ${number}` : reload.trigger, by);
  }

  #tellHeld({ entry: { number } }: HistoryFallback): void {
    const about = { file: this.#file, entry: number };
    this.#gateway.log.warn('a history entry serves instead of the file', about);
  }

  #hold({ since, entry, insteadOf }: HistoryFallback): Promise<boolean> {
    const hold: Hold = { since, entry: entry.number, serves: entry.content, instead_of: insteadOf };
    this.#holds = true;
    return this.#keeper.hold(hold);
  }

  #add(compiled: Compiled, reload: Reload, trigger: string, by: string): void {
    // Check first: reading the texts may unpack them.
    if (this.store === null) return;
    const { texts, found } = compiled;
    const { generation, changes } = reload;
    this.#keeper.add({ at: this.#now(), trigger, by, generation, pid: process.pid, changes, texts: { texts, found } });
  }

  /** Reports any error of the store and goes on. */
  async #looked<T>(look: (store: HistoryStore) => Promise<T | null>): Promise<T | null> {
    const { store } = this;
    if (store === null) return null;
    try {
      return await look(store);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      this.#gateway.log.error('the history cannot be read', { path: store.path, problem });
      return null;
    }
  }

  async close(): Promise<void> {
    await this.#keeper.close();
  }
}
