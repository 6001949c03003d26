/**
 * One cache: stored responses, fetches in progress, and the hit-for-miss keys. It outlives reloads.
 *
 * Claimed by its name (runtime/snapshot/state-registry.ts), where its policies find it. It knows no route and no
 * upstream.
 */
import type { Clock } from '../../kit/clock.ts';
import { OpenTable, textHash } from '../../kit/open-table.ts';
import type { Log } from '../../observe/log.ts';
import type { CacheMetrics } from '../../observe/metrics.ts';
import type { CachePlan } from '../../plan/types/cache.ts';
import { Disk } from '../disk/disk.ts';
import { HitForMiss } from './hit-for-miss.ts';
import { CacheKey } from './key.ts';
import { RecentReplies } from './recent-replies.ts';
import { Store } from './store.ts';
import type { StoredResponse } from './stored-response.ts';

/** What the store knows of a fetch in progress: what it is for, and how to keep its response from being stored. */
export interface FetchInProgress {
  readonly key: string;
  /** `oldGone`: the stored response is not served either. */
  outdate(oldGone?: boolean): void;
  /** The same if the response has one of these tags. Returns whether a tag is known to match. */
  outdateTagged(tags: ReadonlySet<string>, oldGone: boolean): boolean;
}

/** `F`: the fetches that requests may join. */
export class HttpCache<F extends FetchInProgress = FetchInProgress> {
  readonly name: string;
  readonly key: CacheKey;
  readonly recent = new RecentReplies();
  readonly store: Store;
  readonly metrics: CacheMetrics;
  readonly clock: Clock;
  /** The disk behind the store; null: none. */
  readonly disk: Disk | null;
  maxEntrySize: number;
  /** Changes with each purge or invalidation: a response requested before that is not stored. */
  purgeEpoch = 0;
  /** Fetches in progress that requests may join, by key. Lists are immutable, so iteration is safe. */
  readonly #sharedFetches = new OpenTable<string, readonly F[]>(textHash);
  /** Keys and scopes whose responses were not shareable: no request waits for the next one. */
  readonly #unstorable = new HitForMiss();

  constructor(plan: CachePlan, clock: Clock, metrics: CacheMetrics, log: Log) {
    this.name = plan.name;
    this.key = new CacheKey(plan.key);
    this.clock = clock;
    this.metrics = metrics;
    this.maxEntrySize = plan.maxEntrySize;
    this.store = new Store(plan.maxSize, metrics);
    const found = (key: string, stored: StoredResponse): void => this.store.put(key, stored);
    const { name, disk, key } = plan;
    this.disk = disk === null ? null : new Disk({ name, plan: disk, key, clock, metrics: metrics.disk, log, found });
  }

  /** The current snapshot uses it, with these settings. */
  tune({ maxSize, maxEntrySize, disk }: CachePlan): void {
    this.maxEntrySize = maxEntrySize;
    this.store.resize(maxSize);
    if (disk !== null) this.disk?.start(disk.maxSize);
  }

  /** The current snapshot does not use it: older ones go on without its disk, which another cache may need. */
  rest(): void {
    void this.disk?.rest();
  }

  close(): Promise<void> | undefined {
    this.store.clear();
    this.recent.clear();
    this.#unstorable.clear();
    return this.disk?.rest();
  }

  // === stored responses

  put(key: string, response: StoredResponse): void {
    // The disk's write queue references its bytes.
    if (this.disk !== null) response.seen();
    this.store.put(key, response);
    this.disk?.put(key, response);
  }

  drop(key: string, response: StoredResponse): void {
    this.store.drop(key, response);
    this.disk?.drop(key, response);
  }

  // === fetches in progress

  fetchesFor(key: string): readonly F[] {
    return this.#sharedFetches.get(key) ?? NONE;
  }

  begin(fetch: F): void {
    const under = this.#sharedFetches.get(fetch.key);
    this.#sharedFetches.set(fetch.key, under === undefined ? [fetch] : [...under, fetch]);
  }

  /** No request may join it any more. */
  over(fetch: F): void {
    const under = this.#sharedFetches.get(fetch.key);
    if (under === undefined) return;
    const rest = under.filter((other) => other !== fetch);
    if (rest.length === 0) this.#sharedFetches.delete(fetch.key);
    else this.#sharedFetches.set(fetch.key, rest);
  }

  /** A copy of the list of all fetches. */
  get fetches(): readonly F[] {
    return this.#sharedFetches.values().flat();
  }

  // === hit-for-miss

  remember(key: string, scope: string): void {
    this.#unstorable.add(`${key}\n${scope}`, this.clock.now());
  }

  forget(key: string, scope: string): void {
    if (!this.#unstorable.isEmpty) this.#unstorable.delete(`${key}\n${scope}`);
  }

  knownUnstorable(key: string, scope: string, now: number): boolean {
    return !this.#unstorable.isEmpty && this.#unstorable.has(`${key}\n${scope}`, now);
  }

  // === invalidation (RFC 9111 §4.4)

  /**
   * Removes the stored responses for a key, and keeps fetches in progress for it from being stored. Returns how many
   * responses were stored.
   */
  invalidate(key: string): number {
    this.purgeEpoch++;
    for (const fetch of this.fetchesFor(key)) fetch.outdate();
    // On disk first: an answer sent after that stays true after a crash.
    const onDisk = this.disk?.invalidate(key) ?? 0;
    const count = Math.max(onDisk, this.store.delete(key));
    this.metrics.invalidations += count;
    return count;
  }
}

const NONE: readonly never[] = [];
