/**
 * One cache: what is stored, what is being fetched for it, and what is remembered not to be storable. Lasts over reloads.
 *
 * Claimed by its name (runtime/snapshot/state-registry.ts); the policies that use it find it there. It knows no route and no upstream.
 */
import type { Clock } from '../../kit/clock.ts';
import { OpenTable, textHash } from '../../kit/open-table.ts';
import type { Log } from '../../observe/log.ts';
import type { CacheMetrics } from '../../observe/metrics.ts';
import type { CachePlan } from '../../plan/types/cache.ts';
import type { SharedFetch } from '../request/shared-fetch.ts';
import { Disk } from '../disk/disk.ts';
import { HitForMiss } from './hit-for-miss.ts';
import { CacheKey } from './key.ts';
import { RecentReplies } from './recent-replies.ts';
import { Store } from './store.ts';
import type { StoredResponse } from './stored-response.ts';

export class HttpCache {
  readonly name: string;
  readonly key: CacheKey;
  readonly recent = new RecentReplies();
  readonly store: Store;
  readonly metrics: CacheMetrics;
  readonly clock: Clock;
  /** What is behind the store; null: nothing. */
  readonly disk: Disk | null;
  maxEntrySize: number;
  /** Another number when something has been forgotten by order: what was asked for before is not stored. */
  purgeEpoch = 0;
  /** Fetches under way that others may wait for or read along with, by key. No list is changed: it may be gone through. */
  readonly #sharedFetches = new OpenTable<string, readonly SharedFetch[]>(textHash);
  /** Keys and scopes whose responses were not for the store: no request needs to wait for the next one. */
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

  /** It is in effect, with these settings. */
  tune({ maxSize, maxEntrySize, disk }: CachePlan): void {
    this.maxEntrySize = maxEntrySize;
    this.store.resize(maxSize);
    if (disk !== null) this.disk?.start(disk.maxSize);
  }

  /** It is not in effect any more: whoever still runs on it does without its disk, which another may want. */
  rest(): void {
    void this.disk?.rest();
  }

  close(): Promise<void> | undefined {
    this.store.clear();
    this.recent.clear();
    this.#unstorable.clear();
    return this.disk?.rest();
  }

  // === what is stored

  put(key: string, response: StoredResponse): void {
    // Its bytes wait for the disk.
    if (this.disk !== null) response.seen();
    this.store.put(key, response);
    this.disk?.put(key, response);
  }

  drop(key: string, response: StoredResponse): void {
    this.store.drop(key, response);
    this.disk?.drop(key, response);
  }

  // === what is being fetched

  fetchesFor(key: string): readonly SharedFetch[] {
    return this.#sharedFetches.get(key) ?? NONE;
  }

  begin(fetch: SharedFetch): void {
    const under = this.#sharedFetches.get(fetch.key);
    this.#sharedFetches.set(fetch.key, under === undefined ? [fetch] : [...under, fetch]);
  }

  /** Nobody may join it any more. */
  over(fetch: SharedFetch): void {
    const under = this.#sharedFetches.get(fetch.key);
    if (under === undefined) return;
    const rest = under.filter((other) => other !== fetch);
    if (rest.length === 0) this.#sharedFetches.delete(fetch.key);
    else this.#sharedFetches.set(fetch.key, rest);
  }

  /** All of them, as of now. */
  get fetches(): readonly SharedFetch[] {
    return this.#sharedFetches.values().flat();
  }

  // === what is not storable

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

  /** Forgets what is stored under a key; what is being fetched for it is not stored. Answers how many were stored. */
  invalidate(key: string): number {
    this.purgeEpoch++;
    for (const fetch of this.fetchesFor(key)) fetch.outdate();
    // On disk first: whatever is answered after that is true for good.
    const onDisk = this.disk?.invalidate(key) ?? 0;
    const count = Math.max(onDisk, this.store.delete(key));
    this.metrics.invalidations += count;
    return count;
  }
}

const NONE: readonly SharedFetch[] = [];
