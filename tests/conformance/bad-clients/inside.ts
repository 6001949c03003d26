/** Loaded into the gateway's process before the gateway: says on demand what it holds when all garbage is collected. */
import { setTimeout as after } from 'node:timers/promises';
import { buffersInUse } from '../../../src/net/read-buffers.ts';

export interface Holdings {
  /** Bytes of objects, and of memory outside the heap that they hold. */
  readonly heap: number;
  readonly external: number;
  readonly rss: number;
  /** Read buffers handed out. */
  readonly buffers: number;
}

process.on('message', () => void report());

async function report(): Promise<void> {
  // Finalizers run between collections.
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await after(10);
  }
  const { heapUsed: heap, external, rss } = process.memoryUsage();
  process.send?.({ heap, external, rss, buffers: buffersInUse() } satisfies Holdings);
}
