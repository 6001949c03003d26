/**
 * Writes what has been stored behind the traffic's back: batches at the end of one file, the oldest file making room. Hot to
 * ask; it works between two turns of the event loop, a little at a time.
 *
 * What waits is bounded. What finds no room is not written, and counted: traffic never waits for a disk.
 */
import { close, open, unlink, writev } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Clock } from '../../kit/clock.ts';
import type { CacheMetrics } from '../../observe/metrics.ts';
import type { StoredResponse } from '../stored-response.ts';
import type { Directory } from './directory.ts';
import type { Entries, Entry } from './entries.ts';
import { readForm, writtenForm } from './form.ts';
import { writeColumns } from './load.ts';
import { HEADER, MOST_TEXT, type ReadRecord, readRecord, type RecordKey, recordParts } from './record.ts';
import { ROW, Segment } from './segment.ts';
import type { SegmentFiles } from './segment-files.ts';

/** Bytes that may wait to be written. */
const MOST_WAITING = 32 * 1024 * 1024;
/** Bytes that are made ready and written in one go. */
const BATCH = 256 * 1024;
const SMALLEST_SEGMENT = 64 * 1024;
const LARGEST_SEGMENT = 64 * 1024 * 1024;
/** How long nothing is written after something could not be (ms). */
const PAUSE = 5000;
/** The share of a segment that is written once more when it goes, if it has been asked for. */
const SECOND_CHANCE = 4;

export interface Item extends RecordKey {
  readonly key: string;
  readonly varyNames: readonly string[];
  /** What is to be written; null: the record. */
  readonly response: StoredResponse | null;
  /** It was read from a file that goes. */
  readonly record: ReadRecord | null;
  readonly size: number;
  /** There is an older one on disk, which must not come back in its place. */
  readonly replaces: boolean;
  /** It has been taken back. */
  dead: boolean;
}

export interface WriterParts {
  readonly directory: Directory;
  readonly entries: Entries;
  readonly files: SegmentFiles;
  readonly metrics: CacheMetrics;
  readonly clock: Clock;
  /** Of the highest segment that was there. */
  readonly lastId: number;
  /** Bytes in use besides segments. */
  readonly besides: () => number;
  /** It had to be given up; told once room has been made, if that was what was wanting. */
  readonly unwritten: (item: Item) => void;
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
  #queue: Item[] = [];
  /** What waits or is being written, by hash of the key. */
  readonly #pending = new Map<number, Item[]>();
  #waiting = 0;
  #running: Promise<void> | null = null;
  #segment: Segment | null = null;
  #fd = -1;
  #nextId: number;
  #pausedUntil = 0;
  #started = false;
  /** It may take less than it did. */
  #tooLarge = false;
  #closed = false;

  constructor(maxSize: number, parts: WriterParts) {
    this.maxSize = maxSize;
    this.#parts = parts;
    this.#nextId = parts.lastId + 1;
  }

  /** Bytes that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Of the numbers of what waits, the lowest. */
  get lowest(): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const items of this.#pending.values()) for (const { number } of items) lowest = Math.min(lowest, number);
    return lowest;
  }

  get #target(): number {
    return Math.max(SMALLEST_SEGMENT, Math.min(LARGEST_SEGMENT, Math.floor(this.maxSize / 16)));
  }

  /** false: it will not be written. */
  add(item: Item): boolean {
    const { clock } = this.#parts;
    if (this.#closed || item.size > this.maxSize / 4 || clock.now() < this.#pausedUntil) return false;
    if (this.#waiting + item.size > MOST_WAITING) return false;
    this.#queue.push(item);
    this.#note(item);
    this.#run();
    return true;
  }

  #note(item: Item): void {
    this.#waiting += item.size;
    const others = this.#pending.get(item.hash);
    if (others === undefined) this.#pending.set(item.hash, [item]);
    else others.push(item);
  }

  #done(item: Item): void {
    this.#waiting -= item.size;
    const others = this.#pending.get(item.hash)!.filter((one) => one !== item);
    if (others.length === 0) this.#pending.delete(item.hash);
    else this.#pending.set(item.hash, others);
  }

  /** What waits and is meant is not written, and what is being written does not count. Answers whether there was any. */
  kill(hash: number, isMeant: (item: Item) => boolean): boolean {
    let any = false;
    for (const item of this.#pending.get(hash) ?? []) {
      if (item.dead || !isMeant(item)) continue;
      item.dead = true;
      any = true;
    }
    return any;
  }

  /** Everything that was there before is known: from now on it may make room. */
  start(): void {
    this.#started = true;
    this.#run();
  }

  resize(maxSize: number): void {
    this.maxSize = maxSize;
    this.#tooLarge = true;
    this.#run();
  }

  // === at work

  #run(): void {
    if (this.#running !== null || !this.#started || !this.#hasWork) return;
    this.#running = this.#work().finally(() => {
      this.#running = null;
      this.#run();
    });
  }

  get #hasWork(): boolean {
    return this.#queue.length > 0 || this.#tooLarge;
  }

  async #work(): Promise<void> {
    while (this.#hasWork) {
      // Traffic has its turn first.
      await setImmediate();
      this.#tooLarge = false;
      const batch = this.#nextBatch();
      let error: unknown;
      try {
        error = await this.#write(batch);
      } catch (thrown) {
        error = thrown;
      }
      for (const item of batch) this.#done(item);
      if (error !== null) await this.#failed(error, batch);
    }
  }

  #nextBatch(): Item[] {
    let count = 0;
    for (let size = 0; count < this.#queue.length && size < BATCH; count++) size += this.#queue[count]!.size;
    return this.#queue.splice(0, count);
  }

  /** null: all of it is written. */
  async #write(batch: readonly Item[]): Promise<unknown> {
    const all = batch
      .filter(({ dead }) => !dead)
      .map((item) => ({ item, text: this.#textOf(item), body: bodyOf(item) }))
      .filter(({ text }) => text.length <= MOST_TEXT);
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
    metrics.diskWrites += all.length;
    return null;
  }

  #textOf({ key, response, record }: Item): Buffer {
    return response === null ? record!.text : Buffer.from(writtenForm(key, response, this.#parts.clock));
  }

  /** The file that so many bytes and records go to, with room made for them. */
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

  /** Nothing more is written to the file. */
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
      const again = await this.#secondChance(oldest);
      await this.#drop(oldest);
      for (const item of again) this.#note(item);
      this.#queue.unshift(...again);
    }
  }

  /** What has been asked for since it was written there, as far as it is not too much. */
  async #secondChance(segment: Segment): Promise<Item[]> {
    const hits: Entry[] = [];
    let room = Math.min(segment.bytes / SECOND_CHANCE, MOST_WAITING / 2 - this.#waiting);
    for (let i = 0; i < segment.count && room > 0; i++) {
      if (segment.isDead(i) || !segment.wasHit(i)) continue;
      hits.push({ segment, i });
      room -= segment.size(i);
    }
    const items: [Entry, Item][] = [];
    for (const entry of hits) {
      const item = await this.#readAgain(entry);
      if (item !== null) items.push([entry, item]);
    }
    return items.filter(([entry]) => this.#parts.entries.isLive(entry)).map(([, item]) => item);
  }

  #readAgain({ segment, i }: Entry): Promise<Item | null> {
    const [offset, size] = [segment.offset(i), segment.size(i)];
    return new Promise((resolve) => {
      const done = (bytes: Buffer | null): void => {
        const record = bytes === null ? null : readRecord(bytes, { segment: segment.id, offset });
        const form = record === null ? null : readForm(record.text.toString());
        if (record === null || form === null) return resolve(null);
        const { hash, identity, kind, number } = record;
        const same = { hash, identity, kind, number, size, key: form.key, varyNames: segment.varyNames(i) };
        resolve({ ...same, response: null, record, replaces: false, dead: false });
      };
      if (!this.#parts.files.ask({ segment: segment.id, offset, size, isWanted: () => true, done })) resolve(null);
    });
  }

  async #drop(segment: Segment): Promise<void> {
    const { directory, entries, files, metrics } = this.#parts;
    metrics.diskEvictions += entries.removeSegment(segment);
    files.forget(segment.id);
    for (const ending of ['records', 'columns'] as const) {
      await promisify(unlink)(directory.segmentFile(segment.id, ending)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') this.#parts.failed(error);
      });
    }
  }

  /** It could not be written. What is in the file stays; what comes goes to another one, after a while. */
  async #failed(error: unknown, batch: readonly Item[]): Promise<void> {
    const { clock, metrics, entries, unwritten, failed } = this.#parts;
    metrics.diskErrors++;
    this.#pausedUntil = clock.now() + PAUSE;
    const lost = [...batch, ...this.#queue.splice(0)];
    for (const item of lost.slice(batch.length)) this.#done(item);
    metrics.diskDropped += lost.length;
    await this.#finish().catch(() => {});
    const [oldest] = entries.segments;
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC' && oldest !== undefined) await this.#drop(oldest);
    for (const item of lost) unwritten(item);
    failed(error);
  }

  /** Writes what waits, as far as there is time. Answers whether all of it was. */
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
    const lost = this.#queue.splice(0);
    metrics.diskDropped += lost.length;
    for (const item of lost) this.#done(item);
    // What hangs is not waited for.
    if (late) return false;
    await this.#finish().catch(failed);
    return lost.length === 0;
  }

  async #idle(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }
}

function bodyOf({ response, record }: Item): Buffer | null {
  return response === null ? record!.body : response.body();
}

function sizeOf(text: Buffer, body: Buffer | null): number {
  return HEADER + text.length + (body?.length ?? 0);
}
