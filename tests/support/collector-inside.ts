/** Imported before the gateway's main: answers, when asked over IPC, what the collector of this process has done so far. */
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import v8 from 'node:v8';

export interface CollectorCounts {
  /** Collections of the young generation. */
  readonly minor: number;
  /** Full collections. */
  readonly major: number;
  /** Bytes in the old generation, dead ones included that no full collection has found yet; without code. */
  readonly old: number;
  /** Bytes allocated since the process began. */
  readonly allocated: number;
}

let minor = 0;
let major = 0;

const observer = new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const { kind } = (entry as PerformanceEntry & { readonly detail: { readonly kind: number } }).detail;
    if (kind === constants.NODE_PERFORMANCE_GC_MINOR) minor++;
    else if (kind === constants.NODE_PERFORMANCE_GC_MAJOR) major++;
  }
});
observer.observe({ entryTypes: ['gc'] });

process.on('message', (message) => {
  if (message !== 'collector') return;
  // Entries are told on a later turn.
  setTimeout(() => {
    const old = v8
      .getHeapSpaceStatistics()
      .filter(({ space_name }) => space_name === 'old_space' || space_name === 'large_object_space')
      .reduce((sum, { space_used_size }) => sum + space_used_size, 0);
    const { total_allocated_bytes: allocated } = v8.getHeapStatistics();
    process.send!({ minor, major, old, allocated } satisfies CollectorCounts);
  }, 50);
});
process.channel!.unref();
