/**
 * Writes the history beside the traffic: after a commit, one thing at a time, again and again if it fails. Cold.
 *
 * Nobody waits for it but who has asked for a rollback. What can't be written is told once, shows in the metrics, and is tried
 * again with growing pauses; what waits meanwhile is bounded by what would be kept.
 */
import type { Clock, Timer } from '../kit/clock.ts';
import type { Log } from '../observe/log.ts';
import type { HistoryMetrics } from '../observe/metrics.ts';
import type { Disk } from './disk.ts';
import type { Hold } from './entry.ts';
import { type EntryDraft, HistoryStore } from './store.ts';

export interface KeeperContext {
  /** The config file, absolute. */
  readonly file: string;
  /** Counts before what configs say; null: they say it. */
  readonly stateDir: string | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: HistoryMetrics;
  readonly disk: Disk;
}

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 60_000;
/** A disk that does not answer keeps neither the process from ending nor anybody waiting (ms). */
const LONGEST_WAIT = 2000;

export class HistoryKeeper {
  readonly #context: KeeperContext;
  #stateDir: string | null = null;
  #store: HistoryStore | null = null;
  #keep = 1;
  /** What is not on the disk yet, oldest first. */
  #drafts: EntryDraft[] = [];
  /** What the disk is to say; null: what it says. */
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

  /** What was wrong with the last attempt to write; '': nothing. */
  get problem(): string {
    return this.#problem;
  }

  /** Goes by what the config in effect says. */
  follow(stateDir: string | null, keep: number): void {
    this.#keep = keep;
    const wanted = this.#context.stateDir ?? stateDir;
    if (wanted === this.#stateDir) return;
    this.#stateDir = wanted;
    this.#store = wanted === null ? null : this.storeIn(wanted);
    // What could not be written where it was to be is not written elsewhere: what is in effect comes next, and is.
    this.#drafts = [];
    this.#hold = null;
    this.#well();
  }

  storeIn(stateDir: string): HistoryStore {
    return new HistoryStore(stateDir, this.#context.file, this.#context.disk);
  }

  /** What has taken effect. */
  add(draft: EntryDraft): void {
    if (this.#store === null || this.#closed) return;
    this.#drafts.push(draft);
    if (this.#drafts.length > this.#keep) this.#drafts.shift();
    void this.#work();
  }

  /** Resolves when it is on the disk, with true, or cannot be put there for now. null: nothing is held any more. */
  async hold(value: Hold | null): Promise<boolean> {
    if (this.#store === null || this.#closed) return false;
    const wanted = { value };
    this.#hold = wanted;
    await this.#withinLimit(async () => {
      await this.#work();
      // What began before may have been under way.
      if (this.#hold === wanted) await this.#work();
    });
    return this.#hold !== wanted;
  }

  /** A disk that does not answer is not waited for. */
  async #withinLimit(writing: () => Promise<void>): Promise<void> {
    const { clock } = this.#context;
    let limit: Timer | undefined;
    const tooLong = new Promise<void>((resolve) => (limit = clock.after(LONGEST_WAIT, resolve)));
    await Promise.race([writing(), tooLong]);
    limit?.cancel();
  }

  /** One at a time. Resolves when nothing is left to be written, or nothing can be. */
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

  /** A hold first: of two things lost in a crash it is the one that matters. Answers false if there is nothing to write. */
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
      log.warn('the history has damaged entries, which are passed over', { path: store.path, damaged });
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
    // Each attempt leaves another name behind.
    const told = withoutNames(problem);
    if (told !== this.#problem)
      log.error('the history cannot be written; traffic goes on', { path: store.path, problem });
    this.#problem = told;
    if (this.#closed) return;
    this.#retry = clock.after(this.#pause, () => void this.#work());
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }

  /** Writes what is left, if it can be. */
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
