/**
 * Writes the history in the background: after a commit, one item at a time, with retries on failure. Cold.
 *
 * Only a rollback waits for it. A failed write is reported once, shows in the metrics, and is retried with growing
 * pauses; the queue of pending entries is limited to the number of entries kept.
 */
import type { Clock, Timer } from '../kit/clock.ts';
import type { Log } from '../observe/log.ts';
import type { HistoryMetrics } from '../observe/metrics.ts';
import type { Disk } from '../kit/disk.ts';
import type { Hold } from './entry.ts';
import { type EntryDraft, HistoryStore } from './store.ts';

export interface KeeperContext {
  /** The config file, absolute. */
  readonly file: string;
  /** Takes precedence over the config's setting; null: the config decides. */
  readonly stateDir: string | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: HistoryMetrics;
  readonly disk: Disk;
}

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 60_000;
/** The longest time that an unresponsive disk can delay a caller or the end of the process (ms). */
const LONGEST_WAIT = 2000;

export class HistoryKeeper {
  readonly #context: KeeperContext;
  #stateDir: string | null = null;
  #store: HistoryStore | null = null;
  #keep = 1;
  /** The entries that are not on disk yet, oldest first. */
  #drafts: EntryDraft[] = [];
  /** The hold to write; null: the disk is up to date. */
  #hold: { readonly value: Hold | null } | null = null;
  #working: Promise<void> | null = null;
  #retry: Timer | null = null;
  #pause = FIRST_PAUSE;
  #problem = '';
  #closed = false;

  constructor(context: KeeperContext) {
    this.#context = context;
    this.follow(null, 1);
  }

  /** null: no history is kept. */
  get store(): HistoryStore | null {
    return this.#store;
  }

  /** The problem of the last attempt to write; '': none. */
  get problem(): string {
    return this.#problem;
  }

  /** Applies the settings of the config in effect. */
  follow(stateDir: string | null, keep: number): void {
    this.#keep = keep;
    const wanted = this.#context.stateDir ?? stateDir;
    if (wanted === this.#stateDir) return;
    this.#stateDir = wanted;
    this.#store = wanted === null ? null : this.storeIn(wanted);
    // Pending items are dropped, not written to the new place: the config in effect is added next, and is written
    // there.
    this.#drafts = [];
    this.#hold = null;
    this.#well();
  }

  storeIn(stateDir: string): HistoryStore {
    return new HistoryStore(stateDir, this.#context.file, this.#context.disk);
  }

  /** Adds a config that has taken effect. */
  add(draft: EntryDraft): void {
    if (this.#store === null || this.#closed) return;
    this.#drafts.push(draft);
    if (this.#drafts.length > this.#keep) this.#drafts.shift();
    void this.#work();
  }

  /** Resolves to true when the hold is on disk, and to false if it can't be written for now. null: removes the hold. */
  async hold(value: Hold | null): Promise<boolean> {
    if (this.#store === null || this.#closed) return false;
    const wanted = { value };
    this.#hold = wanted;
    await this.#withinLimit(async () => {
      await this.#work();
      // The first run may have begun before this call.
      if (this.#hold === wanted) await this.#work();
    });
    return this.#hold !== wanted;
  }

  /** Does not wait longer for an unresponsive disk. */
  async #withinLimit(writing: () => Promise<void>): Promise<void> {
    const { clock } = this.#context;
    let limit: Timer | undefined;
    const tooLong = new Promise<void>((resolve) => (limit = clock.after(LONGEST_WAIT, resolve)));
    await Promise.race([writing(), tooLong]);
    limit?.cancel();
  }

  /** Runs one at a time. Resolves when everything is written or a write failed. */
  #work(): Promise<void> {
    this.#working ??= this.#writeAll().finally(() => (this.#working = null));
    return this.#working;
  }

  async #writeAll(): Promise<void> {
    this.#retry?.cancel();
    this.#retry = null;
    for (;;) {
      const store = this.#store;
      if (store === null) return;
      try {
        if (!(await this.#writeOne(store))) return;
        if (store === this.#store) this.#well();
      } catch (error) {
        if (store !== this.#store) continue;
        this.#failed(store, error);
        return;
      }
    }
  }

  /**
   * The hold comes first: if a crash loses one of the two, the hold matters more. Returns false if there is nothing to
   * write.
   */
  async #writeOne(store: HistoryStore): Promise<boolean> {
    const hold = this.#hold;
    if (hold !== null) {
      await store.setHold(hold.value);
      if (this.#hold === hold) this.#hold = null;
      return true;
    }
    const [draft] = this.#drafts;
    if (draft === undefined) return false;
    const { damaged } = await store.add(draft, this.#keep);
    this.#context.metrics.written++;
    this.#tellDamaged(store, damaged);
    if (this.#drafts[0] === draft) this.#drafts.shift();
    return true;
  }

  #tellDamaged(store: HistoryStore, damaged: readonly string[]): void {
    const { log, metrics } = this.#context;
    if (damaged.length > metrics.damaged)
      log.warn('the history has damaged entries, which the gateway skips', { path: store.path, damaged });
    metrics.damaged = damaged.length;
  }

  #well(): void {
    if (this.#problem !== '') this.#context.log.info('the history is written again', { path: this.#store?.path ?? '' });
    this.#problem = '';
    this.#pause = FIRST_PAUSE;
    this.#context.metrics.lastSuccessful = true;
  }

  #failed(store: HistoryStore, error: unknown): void {
    const { log, metrics, clock } = this.#context;
    const problem = error instanceof Error ? error.message : String(error);
    metrics.failed++;
    metrics.lastSuccessful = false;
    // The message of each attempt contains another file name.
    const told = withoutNames(problem);
    if (told !== this.#problem)
      log.error('the history cannot be written; traffic goes on', { path: store.path, problem });
    this.#problem = told;
    if (this.#closed) return;
    this.#retry = clock.after(this.#pause, () => void this.#work());
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }

  /** Writes the remaining items if possible. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    this.#retry = null;
    await this.#withinLimit(() => this.#work());
  }
}

function withoutNames(problem: string): string {
  return problem.replaceAll(/\.unfinished-[0-9a-f]+/g, '…');
}
