/**
 * Purges: removes stored responses by URL, by path prefix, by host, by tag, or all. Cold.
 *
 * A hard purge removes them. A soft purge makes them stale: they are revalidated, or served stale where that is
 * permitted. Fetches that started before the purge are not stored, so that no purged response returns to the store.
 */
import { TimeSlicer } from '../../kit/time-slicing.ts';
import type { HttpCache } from './http-cache.ts';
import { cacheKeys, matcherOf, type PurgeBy, type PurgeOrder } from './purge-order.ts';
import type { StoredResponse } from './stored-response.ts';

export interface PurgeCounts {
  /** Stored responses: each variant of a URL counts. */
  responses: number;
  /** Fetches in progress whose responses will not be stored. */
  fetches: number;
}

/** Carries out an order, time-sliced beside the traffic. The order must be valid. */
export async function purge(cache: HttpCache, order: PurgeOrder): Promise<PurgeCounts> {
  cache.purgeEpoch++;
  const { by } = order;
  // Within the call, and before memory: a read from disk meanwhile must not bring a response back.
  purgeDisk(cache, order);
  const counts = by === 'tag' ? await purgeTags(cache, order) : await purgeKeys(cache, by, order);
  cache.metrics.purged += counts.responses;
  return counts;
}

function purgeDisk({ disk, key }: HttpCache, { by, values, soft }: PurgeOrder): void {
  if (disk === null) return;
  if (by === 'all') disk.purge(by, '', soft);
  else if (by !== 'url') for (const value of values) disk.purge(by, value, soft);
  else {
    for (const one of values.flatMap((value) => cacheKeys(value, key))) {
      if (soft) disk.purge('key', one, true);
      else disk.invalidate(one);
    }
  }
}

async function purgeTags(cache: HttpCache, { values, soft }: PurgeOrder): Promise<PurgeCounts> {
  const tags = new Set(values);
  const fetches = cache.fetches.filter((fetch) => fetch.outdateTagged(tags, !soft)).length;
  let responses = 0;
  for (const tag of tags) {
    const keys = cache.store.keysTagged(tag);
    responses += await take(cache, keys, soft, ({ head }) => head.tags.includes(tag));
  }
  return { responses, fetches };
}

async function purgeKeys(
  cache: HttpCache,
  by: Exclude<PurgeBy, 'tag'>,
  { values, soft }: PurgeOrder,
): Promise<PurgeCounts> {
  const { store } = cache;
  if (by === 'url') {
    const keys = new Set(values.flatMap((value) => cacheKeys(value, cache.key)));
    const fetches = outdate(cache, soft, (key) => keys.has(key));
    return { responses: await take(cache, keys, soft, everything), fetches };
  }
  const matches = by === 'all' ? everything : matcherOf(by, values);
  const fetches = outdate(cache, soft, matches);
  if (by === 'all' && !soft) return { responses: store.clear(), fetches };
  return { responses: await take(cache, store.keys(), soft, everything, matches), fetches };
}

const everything = (): boolean => true;

/** Keeps fetches for matching keys from being stored. Returns their number. */
function outdate(cache: HttpCache, soft: boolean, matches: (key: string) => boolean): number {
  const meant = cache.fetches.filter(({ key }) => matches(key));
  for (const fetch of meant) fetch.outdate(!soft);
  return meant.length;
}

async function take(
  { store, clock }: HttpCache,
  keys: Iterable<string>,
  soft: boolean,
  isMeant: (one: StoredResponse) => boolean,
  matches: (key: string) => boolean = everything,
): Promise<number> {
  const now = clock.now();
  let count = 0;
  await new TimeSlicer(clock, true).each(keys, (key) => {
    if (matches(key)) count += soft ? store.makeStale(key, isMeant, now) : store.purge(key, isMeant);
  });
  return count;
}
