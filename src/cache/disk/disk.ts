/**
 * The disk behind a cache's memory: opened when the config takes effect, and given up while it is unavailable; serving
 * never depends on it. Cold, except for calls that it passes on.
 */
import { digestOf } from '../../kit/canonical.ts';
import type { Clock, Timer } from '../../kit/clock.ts';
import type { Log } from '../../observe/log.ts';
import type { DiskMetrics } from '../../observe/metrics.ts';
import type { CacheKeyPlan, DiskPlan } from '../../plan/types/cache.ts';
import type { StoredResponse } from '../store/stored-response.ts';
import type { Refusal } from './directory.ts';
import type { Lookup, Seeker, Sought } from './lookups.ts';
import { OpenDisk } from './open-disk.ts';
import type { PurgeKind } from './purges.ts';

/** Pause before the next try to open an unavailable directory (ms). */
const RETRY = 10_000;
/** The same while another process holds the lock, since that process may be ending. */
const RETRY_LOCKED = 500;
/** Repeated failures are logged once in this time (ms). */
const TOLD = 60_000;
const MOST_MISSED = 1000;
/** Time for pending writes on close (ms). */
const LAST_WRITES = 2000;

export interface DiskParts {
  /** The cache's name. */
  readonly name: string;
  readonly plan: DiskPlan;
  readonly key: CacheKeyPlan;
  readonly clock: Clock;
  readonly metrics: DiskMetrics;
  readonly log: Log;
  readonly found: (key: string, stored: StoredResponse) => void;
}

export interface DiskNumbers {
  readonly open: boolean;
  readonly entries: number;
  /** Bytes in use, and bytes in the write queue. */
  readonly bytes: number;
  readonly waiting: number;
}

export class Disk {
  readonly #parts: DiskParts;
  readonly #shape: string;
  #maxSize: number;
  #open: OpenDisk | null = null;
  #wanted = false;
  /** Opening and closing run one after the other. */
  #turn: Promise<void> = Promise.resolve();
  #retry: Timer | null = null;
  /** Invalidations and purges made while the disk was unavailable; above a limit, everything is doubtful instead. */
  #missed: ((disk: OpenDisk) => void)[] = [];
  #doubted = false;
  #refused = '';
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(parts: DiskParts) {
    this.#parts = parts;
    this.#maxSize = parts.plan.maxSize;
    // Differently built keys have a different meaning.
    this.#shape = digestOf(parts.key);
  }

  // === lifecycle

  /** The disk is in use from now on. */
  start(maxSize: number): void {
    this.#maxSize = maxSize;
    this.#open?.resize(maxSize);
    if (this.#wanted) return;
    this.#wanted = true;
    this.#next();
  }

  /** From now on another cache may use the directory. */
  rest(): Promise<void> {
    this.#wanted = false;
    this.#missed = [];
    this.#retry?.cancel();
    this.#retry = null;
    this.#next();
    return this.#turn;
  }

  /** Opens or closes it, according to `#wanted` at that time. */
  #next(): void {
    this.#then(() => {
      if (!this.#wanted) return this.#close();
      return this.#open === null ? this.#tryToOpen() : undefined;
    });
  }

  #then(step: () => Promise<void> | undefined): void {
    this.#turn = this.#turn.then(step).catch((error: unknown) => this.#failed(error));
  }

  async #tryToOpen(): Promise<void> {
    const { name, plan, clock, metrics, log, found } = this.#parts;
    const started = clock.now();
    const disk = await OpenDisk.open(plan.path, this.#shape, this.#doubted, {
      maxSize: this.#maxSize,
      failed: (error) => this.#failed(error),
      lost: (error) => this.#lost(disk, error),
      clock,
      metrics,
      found,
    });
    if (!(disk instanceof OpenDisk)) {
      this.#isRefused(disk);
      return;
    }
    this.#refused = '';
    this.#doubted = false;
    this.#open = disk;
    for (const takeBack of this.#missed.splice(0)) takeBack(disk);
    const { thrownAway } = disk.directory;
    if (thrownAway !== '')
      log.warn('the disk of a cache starts empty', { cache: name, path: plan.path, reason: thrownAway });
    void disk.loaded.then(() => {
      if (this.#open !== disk) return;
      const { size: entries } = disk.entries;
      log.info('the disk of a cache is ready', {
        cache: name,
        entries,
        bytes: disk.bytes,
        ms: Math.round(clock.now() - started),
      });
    });
  }

  #isRefused({ code, message }: Refusal): void {
    const { name, plan, clock, log } = this.#parts;
    if (code !== this.#refused)
      log.error('the disk of a cache cannot be used', { cache: name, path: plan.path, code, error: message });
    this.#refused = code;
    this.#retry?.cancel();
    this.#retry = clock.after(code === 'LOCKED' ? RETRY_LOCKED : RETRY, () => {
      this.#retry = null;
      if (this.#wanted) this.#next();
    });
  }

  #failed(error: unknown): void {
    const { name, plan, clock, log } = this.#parts;
    if (clock.now() - this.#toldAt < TOLD) return;
    this.#toldAt = clock.now();
    const { code = 'ERROR', message } = error as NodeJS.ErrnoException;
    log.error('the disk of a cache fails', { cache: name, path: plan.path, code, error: message });
  }

  #lost(disk: OpenDisk | Refusal, error: unknown): void {
    if (this.#open !== disk) return;
    this.#failed(error);
    this.#open = null;
    // An invalidation or purge could not be recorded.
    this.#doubted = true;
    this.#then(() => (disk instanceof OpenDisk ? disk.close(0) : undefined));
    this.#isRefused({ code: 'LOST', message: 'it is given up for now' });
  }

  async #close(): Promise<void> {
    const disk = this.#open;
    this.#open = null;
    await disk?.close(LAST_WRITES);
  }

  get numbers(): DiskNumbers {
    const disk = this.#open;
    if (disk === null) return { open: false, entries: 0, bytes: 0, waiting: 0 };
    return { open: true, entries: disk.entries.size, bytes: disk.bytes, waiting: disk.waiting };
  }

  // === use

  /** null: not found. */
  look(sought: Sought, seeker: Seeker): Lookup | null {
    return this.#open === null ? null : this.#open.look(sought, seeker);
  }

  put(key: string, response: StoredResponse): void {
    this.#open?.put(key, response);
  }

  drop(key: string, response: StoredResponse): void {
    if (this.#open !== null) this.#open.drop(key, response);
    else this.#miss((disk) => disk.drop(key, response));
  }

  /** Returns the number of responses invalidated. */
  invalidate(key: string): number {
    if (this.#open !== null) return this.#open.invalidate(key);
    this.#miss((disk) => disk.invalidate(key));
    return 0;
  }

  /** `value`: for a key purge, the key. */
  purge(kind: PurgeKind, value: string, soft: boolean): void {
    if (this.#open !== null) this.#open.purge(kind, value, soft);
    else this.#miss((disk) => disk.purge(kind, value, soft));
  }

  #miss(takeBack: (disk: OpenDisk) => void): void {
    if (!this.#wanted || this.#doubted) return;
    this.#missed.push(takeBack);
    if (this.#missed.length <= MOST_MISSED) return;
    this.#missed = [];
    this.#doubted = true;
  }
}
