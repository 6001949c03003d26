/**
 * Writes stored responses in the background: batches are appended to one file, and the oldest file is removed to make
 * room. Hot to enqueue; writes run between turns of the event loop, a little at a time.
 *
 * The queue is bounded. A response that finds no room is counted and not written: traffic never waits for a disk.
 */
import { close, open, unlink, writev } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Clock } from '../../kit/clock.ts';
import type { DiskMetrics } from '../../observe/metrics.ts';
import type { Directory } from './directory.ts';
import type { Entries } from './entries.ts';
import { writtenForm } from './record-codec.ts';
import type { PendingWrite } from './pending-write.ts';
import { writeColumns } from './load.ts';
import { HEADER, recordParts } from './record.ts';
import { readAgain } from './second-chance.ts';
import { ROW, Segment } from './segment.ts';
import type { SegmentFiles } from './segment-files.ts';
import { WriteQueue } from './write-queue.ts';

const SMALLEST_SEGMENT = 64 * 1024;
const LARGEST_SEGMENT = 64 * 1024 * 1024;
/** Pause after a failed write (ms). */
const PAUSE = 5000;
/** When a segment is removed, its records with hits are written again, up to its size divided by this. */
const SECOND_CHANCE = 4;

export interface WriterParts {
  readonly directory: Directory;
  readonly entries: Entries;
  readonly files: SegmentFiles;
  readonly metrics: DiskMetrics;
  readonly clock: Clock;
  /** The highest id of the existing segments. */
  readonly lastId: number;
  /** Bytes in use by other files than segments. */
  readonly besides: () => number;
  /** An item could not be written. On a full disk it is called after room was made. */
  readonly unwritten: (item: PendingWrite) => void;
  readonly failed: (error: unknown) => void;
}

const openFile = promisify(open);
const closeFile = promisify(close);
const writeParts = promisify((fd: number, parts: Buffer[], at: number, done: (e: Error | null, size: number) => void) =>
  writev(fd, parts, at, done),
);

export class Writer {
  maxSize: number;
  readonly #parts: WriterParts;
  readonly queue = new WriteQueue();
  #running: Promise<void> | null = null;
  #segment: Segment | null = null;
  #fd = -1;
  #nextId: number;
  #pausedUntil = 0;
  #started = false;
  /** The size limit may have been lowered. */
  #tooLarge = false;
  #closed = false;

  constructor(maxSize: number, parts: WriterParts) {
    this.maxSize = maxSize;
    this.#parts = parts;
    this.#nextId = parts.lastId + 1;
  }

  get #target(): number {
    return Math.max(SMALLEST_SEGMENT, Math.min(LARGEST_SEGMENT, Math.floor(this.maxSize / 16)));
  }

  /** false: it will not be written. */
  add(item: PendingWrite): boolean {
    const { clock } = this.#parts;
    if (this.#closed || item.size > this.maxSize / 4 || clock.now() < this.#pausedUntil) return false;
    if (!this.queue.hasRoom(item.size)) return false;
    this.queue.add(item);
    this.#run();
    return true;
  }

  isWriting(segment: Segment): boolean {
    return segment === this.#segment;
  }

  /** All existing records are loaded: from now on the writer may remove segments. */
  start(): void {
    this.#started = true;
    this.#run();
  }

  resize(maxSize: number): void {
    this.maxSize = maxSize;
    this.#tooLarge = true;
    this.#run();
  }

  // === the write loop

  #run(): void {
    if (this.#running !== null || !this.#started || !this.#hasWork) return;
    this.#running = this.#work().finally(() => {
      this.#running = null;
      this.#run();
    });
  }

  get #hasWork(): boolean {
    return !this.queue.isEmpty || this.#tooLarge;
  }

  async #work(): Promise<void> {
    while (this.#hasWork) {
      // Traffic goes first.
      await setImmediate();
      this.#tooLarge = false;
      const batch = this.queue.nextBatch();
      let error: unknown;
      try {
        error = await this.#write(batch);
      } catch (thrown) {
        error = thrown;
      }
      for (const item of batch) this.queue.done(item);
      if (error !== null) await this.#failed(error, batch);
    }
  }

  /** null: the whole batch is written. */
  async #write(batch: readonly PendingWrite[]): Promise<unknown> {
    const all = batch
      .filter(({ dead }) => !dead)
      .map((item) => ({ item, text: this.#textOf(item), body: bodyOf(item) }));
    const total = all.reduce((sum, { text, body }) => sum + sizeOf(text, body), 0);
    if (total === 0) {
      await this.#makeRoom(0);
      return null;
    }
    const segment = await this.#segmentFor(total, all.length);
    const parts: Buffer[] = [];
    let offset = segment.bytes;
    for (const { item, text, body } of all) {
      parts.push(...recordParts(item, text, body, { segment: segment.id, offset }));
      offset += sizeOf(text, body);
    }
    const written = await writeParts(this.#fd, parts, segment.bytes);
    if (written !== total) return new Error(`${written} of ${total} bytes were written`);
    const { entries, metrics } = this.#parts;
    for (const { item, text, body } of all) {
      const i = segment.add(item, item.varyNames, segment.bytes, sizeOf(text, body));
      if (item.dead) segment.kill(i);
      else entries.insert({ segment, i });
    }
    metrics.writes += all.length;
    return null;
  }

  #textOf({ key, response, record }: PendingWrite): Buffer {
    return response === null ? record!.text : Buffer.from(writtenForm(key, response, this.#parts.clock));
  }

  /** The open segment for so many bytes and records, after making room for them. */
  async #segmentFor(bytes: number, records: number): Promise<Segment> {
    const current = this.#segment;
    if (current !== null && (current.bytes + bytes > this.#target || !current.hasRows(records))) await this.#finish();
    await this.#makeRoom(bytes + records * ROW);
    if (this.#segment !== null) return this.#segment;
    const { directory, entries } = this.#parts;
    const segment = new Segment(this.#nextId++);
    this.#fd = await openFile(directory.segmentFile(segment.id, 'records'), 'wx', 0o600);
    this.#segment = segment;
    entries.addSegment(segment);
    return segment;
  }

  /** Closes the open segment. */
  async #finish(): Promise<void> {
    const segment = this.#segment;
    const fd = this.#fd;
    this.#segment = null;
    this.#fd = -1;
    if (segment === null) return;
    segment.finish();
    await closeFile(fd);
    if (segment.slot < 0) return;
    if (segment.count === 0) await this.#drop(segment);
    else await writeColumns(this.#parts.directory, segment);
  }

  // === room

  async #makeRoom(bytes: number): Promise<void> {
    const { entries, besides } = this.#parts;
    for (;;) {
      const [oldest] = entries.segments;
      if (oldest === undefined || entries.bytes + besides() + bytes <= this.maxSize) return;
      if (oldest === this.#segment) await this.#finish();
      const most = oldest.bytes / SECOND_CHANCE;
      const again = await readAgain(oldest, most, entries, this.#parts.files);
      await this.#drop(oldest);
      this.queue.addFirst(again);
    }
  }

  async #drop(segment: Segment): Promise<void> {
    const { directory, entries, files, metrics } = this.#parts;
    metrics.evictions += entries.removeSegment(segment);
    files.forget(segment.id);
    for (const ending of ['records', 'columns'] as const) {
      await promisify(unlink)(directory.segmentFile(segment.id, ending)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') this.#parts.failed(error);
      });
    }
  }

  /** A write failed. The file keeps its records; after a pause, writes continue in a new one. */
  async #failed(error: unknown, batch: readonly PendingWrite[]): Promise<void> {
    const { clock, metrics, entries, unwritten, failed } = this.#parts;
    metrics.errors++;
    this.#pausedUntil = clock.now() + PAUSE;
    const lost = [...batch, ...this.queue.giveUp()];
    metrics.dropped += lost.length;
    await this.#finish().catch(() => {});
    const [oldest] = entries.segments;
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC' && oldest !== undefined) await this.#drop(oldest);
    for (const item of lost) unwritten(item);
    failed(error);
  }

  /** Flushes the queue, as far as time permits. Returns whether all of it was written. */
  async close(ms: number): Promise<boolean> {
    this.#closed = true;
    const { clock, metrics, failed } = this.#parts;
    let late = false;
    await new Promise<void>((resolve) => {
      const timer = clock.after(ms, () => {
        late = true;
        resolve();
      });
      void this.#idle().then(() => {
        timer.cancel();
        resolve();
      });
    });
    const lost = this.queue.giveUp();
    metrics.dropped += lost.length;
    // A hanging write is not awaited.
    if (late) return false;
    await this.#finish().catch(failed);
    return lost.length === 0;
  }

  async #idle(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }
}

function bodyOf({ response, record }: PendingWrite): Buffer | null {
  return response === null ? record!.body : response.body();
}

function sizeOf(text: Buffer, body: Buffer | null): number {
  return HEADER + text.length + (body?.length ?? 0);
}
