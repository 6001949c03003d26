/** Cache metrics as Prometheus text. Cold. */
import type { Page } from './exposition-page.ts';
import type { CacheMetrics, DiskMetrics } from './metrics.ts';

export interface CacheGauges {
  readonly cache: string;
  /** URLs, and the responses stored for them. */
  readonly entries: number;
  readonly responses: number;
  /** Bytes in use, including bodies still being received, and the bytes of those alone. */
  readonly size: number;
  readonly coming: number;
  readonly maxSize: number;
  /** null: it has no disk. */
  readonly disk: DiskGauges | null;
}

export interface DiskGauges {
  readonly open: boolean;
  readonly entries: number;
  /** In use, and waiting to be written. */
  readonly bytes: number;
  readonly waiting: number;
  readonly maxSize: number;
}

export function writeCaches(
  page: Page,
  metrics: ReadonlyMap<string, CacheMetrics>,
  stores: readonly CacheGauges[],
): void {
  const all = [...metrics];
  page.family('prozy_cache_requests_total', 'counter', 'Requests at the cache, by result.');
  for (const [cache, { hits, stale, misses, passed }] of all) {
    for (const [result, count] of Object.entries({ hit: hits, stale, miss: misses, pass: passed }))
      page.sample('prozy_cache_requests_total', { cache, result }, count);
  }
  const counters = [
    ['collapsed_total', 'Misses answered along with another request for the same thing.', 'collapsed'],
    ['stale_on_error_total', 'Misses answered with a stale response because the origin failed.', 'staleOnError'],
    ['revalidated_total', 'Stored responses that their origin has found to be still good.', 'revalidated'],
    ['background_total', 'Fetches that revalidate a response served stale meanwhile.', 'background'],
    ['stored_total', 'Responses stored.', 'stored'],
    ['evictions_total', 'Responses that made room for others.', 'evictions'],
    ['invalidations_total', 'Responses forgotten because an unsafe request changed them.', 'invalidations'],
    ['purged_total', 'Responses that operators took back.', 'purged'],
    ['served_bytes_total', 'Content bytes of answers that were stored before they were asked for.', 'bytesServed'],
  ] as const;
  for (const [name, help, key] of counters) {
    page.family(`prozy_cache_${name}`, 'counter', help);
    for (const [cache, one] of all) page.sample(`prozy_cache_${name}`, { cache }, one[key]);
  }
  const gauges = [
    ['entries', 'URLs that something is stored for.', 'entries'],
    ['responses', 'Responses stored.', 'responses'],
    ['size_bytes', 'Bytes in use, bodies on their way included.', 'size'],
    ['coming_bytes', 'Of these, bodies on their way.', 'coming'],
    ['max_size_bytes', 'Bytes that may be in use.', 'maxSize'],
  ] as const;
  for (const [name, help, key] of gauges) {
    page.family(`prozy_cache_${name}`, 'gauge', help);
    for (const one of stores) page.sample(`prozy_cache_${name}`, { cache: one.cache }, one[key]);
  }
  diskFamilies(page, metrics, stores);
}

function diskFamilies(page: Page, metrics: ReadonlyMap<string, CacheMetrics>, stores: readonly CacheGauges[]): void {
  const disks = stores.flatMap(({ cache, disk }) => (disk === null ? [] : { cache, disk }));
  if (disks.length === 0) return;
  const counters = [
    ['hits_total', 'Requests that found their response on disk, not in memory.', 'hits'],
    ['misses_total', 'Requests that found no response in memory or on disk.', 'misses'],
    ['late_total', 'Of the misses, those that have waited for the disk in vain.', 'late'],
    ['writes_total', 'Responses written.', 'writes'],
    ['dropped_total', 'Responses given up unwritten: there was too much to write, or it could not be.', 'dropped'],
    ['evictions_total', 'Responses that made room for others.', 'evictions'],
    ['corrupt_total', 'Records that differ from what was written.', 'corrupt'],
    ['errors_total', 'Reads and writes that the system refused.', 'errors'],
  ] as const satisfies readonly (readonly [string, string, keyof DiskMetrics])[];
  for (const [name, help, key] of counters) {
    page.family(`prozy_cache_disk_${name}`, 'counter', help);
    for (const { cache } of disks)
      page.sample(`prozy_cache_disk_${name}`, { cache }, metrics.get(cache)?.disk[key] ?? 0);
  }
  const gauges = [
    ['entries', 'Responses on disk.', 'entries'],
    ['size_bytes', 'Bytes in use.', 'bytes'],
    ['waiting_bytes', 'Bytes that wait to be written.', 'waiting'],
    ['max_size_bytes', 'Bytes that may be in use.', 'maxSize'],
  ] as const;
  page.family('prozy_cache_disk_open', 'gauge', '1: the directory is in use; 0: it cannot be used at the moment.');
  for (const { cache, disk } of disks) page.sample('prozy_cache_disk_open', { cache }, disk.open ? 1 : 0);
  for (const [name, help, key] of gauges) {
    page.family(`prozy_cache_disk_${name}`, 'gauge', help);
    for (const { cache, disk } of disks) page.sample(`prozy_cache_disk_${name}`, { cache }, disk[key]);
  }
}
