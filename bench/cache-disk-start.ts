/**
 * How long a cache's disk takes to be ready: `node bench/cache-disk-start.ts --gigabytes 10`.
 *
 * The directory is made up as it would be after so many bytes of responses of `--object` bytes: markers and columns are real,
 * and read as ever; of the records' files only the newest, which was being written to when the process was killed, has its
 * bytes, the others are holes. Shown is the time until all is known, the longest that the event loop stood still meanwhile,
 * and what the index takes in memory; then what a response costs to write and to read.
 */
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { identityHash, keyHash } from '../src/cache/disk/hashes.ts';
import { OpenDisk } from '../src/cache/disk/open-disk.ts';
import { Segment } from '../src/cache/disk/segment.ts';
import { systemClock } from '../src/kit/clock.ts';
import { diskMetrics } from '../src/observe/metrics.ts';
import { response } from '../tests/support/disk.ts';
import { exchange } from '../tests/support/exchange.ts';

const { values } = parseArgs({
  options: { gigabytes: { type: 'string', default: '10' }, object: { type: 'string', default: '16384' } },
});
const GB = 1024 ** 3;
const SEGMENT = 64 * 1024 * 1024;
const total = Number(values.gigabytes) * GB;
const object = Number(values.object);

const path = join(mkdtempSync(join(tmpdir(), 'prozy-bench-')), 'cache');
const failures: unknown[] = [];

async function open(): Promise<OpenDisk> {
  const disk = await OpenDisk.open(path, 'bench', false, {
    maxSize: total * 2,
    clock: systemClock,
    metrics: diskMetrics(),
    found: () => {},
    failed: (error) => failures.push(error),
    lost: (error) => failures.push(error),
  });
  if (!(disk instanceof OpenDisk)) throw new Error(`${disk.code}: ${disk.message}`);
  return disk;
}

const cpu = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const row = (name: string, value: string): void => console.log(`${name.padEnd(44)} ${value}`);
const written = async (disk: OpenDisk): Promise<void> => {
  while (disk.waiting > 0) await new Promise((resolve) => setTimeout(resolve, 5));
};

/** So many responses, written for real. Answers with µs of CPU for each. */
async function write(disk: OpenDisk, count: number, from: number): Promise<number> {
  const body = Buffer.alloc(object, 'x');
  const started = cpu();
  for (let n = 0; n < count; n++) {
    disk.put(`http://example.com/real/${from + n}`, response(body));
    if (n % 500 === 499) await written(disk);
  }
  await written(disk);
  return ((cpu() - started) / count) * 1000;
}

try {
  {
    const disk = await open();
    await disk.loaded;
    const { directory } = disk;
    const identity = identityHash('all', [], '');
    let key = 0;
    const segments = Math.floor(total / SEGMENT);
    for (let id = 1; id < segments; id++) {
      const segment = new Segment(id);
      const size = object + 700;
      for (let offset = 0; offset + size <= SEGMENT; offset += size) {
        const hash = keyHash(directory.salt, `http://example.com/made-up/${key}`);
        segment.add({ hash, identity, kind: 0, number: ++key }, [], offset, size);
      }
      writeFileSync(directory.segmentFile(id, 'columns'), segment.columns());
      writeFileSync(directory.segmentFile(id, 'records'), '');
      truncateSync(directory.segmentFile(id, 'records'), segment.bytes);
    }
    await disk.close(10_000);
  }
  {
    // One whole segment whose process was killed: it has no columns.
    const disk = await open();
    await disk.loaded;
    const microseconds = await write(disk, Math.floor(SEGMENT / (object + 700)) - 10, 0);
    row('to write one response', `${microseconds.toFixed(0)} µs of CPU, all threads`);
    await disk.close(10_000);
    const newest = disk.directory.listSegments()[0]!;
    rmSync(disk.directory.segmentFile(newest.id, 'columns'));
  }
  for (let n = 0; n < 5; n++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const before = process.memoryUsage();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const startedAt = performance.now();
  const startedCpu = cpu();
  const disk = await open();
  const usable = performance.now() - startedAt;
  await disk.loaded;
  const ms = performance.now() - startedAt;
  delay.disable();
  globalThis.gc?.();
  const after = process.memoryUsage();
  row('responses on disk', `${disk.entries.size}, ${(disk.bytes / GB).toFixed(1)} GB`);
  row('until it can be used', `${usable.toFixed(0)} ms`);
  row('until all of it is known', `${ms.toFixed(0)} ms, ${(cpu() - startedCpu).toFixed(0)} ms of CPU`);
  row('longest pause of the event loop', `${(delay.max / 1e6).toFixed(1)} ms`);
  const used = after.heapUsed + after.external - before.heapUsed - before.external;
  row('memory of the index', `${(used / 1e6).toFixed(1)} MB, ${(used / disk.entries.size).toFixed(0)} bytes each`);
  const reads = 2000;
  const startedReads = cpu();
  const busy = performance.eventLoopUtilization();
  for (let n = 0; n < reads; n++) {
    const key = `http://example.com/real/${(n * 37) % 3000}`;
    await new Promise<void>((resolve) => {
      const lookup = disk.look({ key, scope: 'all', x: exchange(), statusHeader: true }, { onDisk: () => resolve() });
      if (lookup === null) resolve();
    });
  }
  const loop = (performance.eventLoopUtilization(busy).active / reads) * 1000;
  row(
    'to read one response',
    `${(((cpu() - startedReads) / reads) * 1000).toFixed(0)} µs of CPU, ${loop.toFixed(0)} µs of the loop`,
  );
  await disk.close(10_000);
  row('load of the machine', readFileSync('/proc/loadavg', 'latin1').trim());
  if (failures.length > 0) console.log(failures);
} finally {
  rmSync(join(path, '..'), { recursive: true, force: true });
}
