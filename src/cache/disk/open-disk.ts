/** An open cache directory: writes, reads, invalidation and purges. Cold to open and close, hot otherwise. */
import { unlinkSync } from 'node:fs';
import type { Clock } from '../../kit/clock.ts';
import type { DiskMetrics } from '../../observe/metrics.ts';
import type { StoredResponse } from '../store/stored-response.ts';
import { Directory, type Refusal, refusalOf } from './directory.ts';
import { Entries, replaces } from './entries.ts';
import { type Tombstone, Tombstones, LONGEST_VALUE } from './tombstones.ts';
import { kindOf } from './record-codec.ts';
import { identityHash, keyHash } from './hashes.ts';
import { Erasure, load } from './load.ts';
import { type Lookup, Lookups, type Seeker, type Sought } from './lookups.ts';
import { type PurgeKind, Purges } from './purges.ts';
import { HEADER, MOST_TEXT } from './record.ts';
import { SegmentFiles } from './segment-files.ts';
import { Writer } from './writer.ts';

const MOST_ERASURES = 4 * 1024 * 1024;
/** Approximate size of a record's text without key and field lines. */
const TEXT = 512;

export interface OpenDiskParts {
  readonly maxSize: number;
  readonly clock: Clock;
  readonly metrics: DiskMetrics;
  /** The largest size of the tombstone file; above it, all older records become doubtful instead. */
  readonly mostErasures?: number;
  readonly found: (key: string, stored: StoredResponse) => void;
  /** Reports an error. */
  readonly failed: (error: unknown) => void;
  /** The directory can't be used any more. */
  readonly lost: (error: unknown) => void;
}

export class OpenDisk {
  readonly directory: Directory;
  readonly entries = new Entries();
  /** Resolves when all existing records are loaded. */
  readonly loaded: Promise<void>;
  readonly #parts: OpenDiskParts;
  readonly #erasures: Tombstones;
  readonly #purges = new Purges();
  readonly #files: SegmentFiles;
  readonly #writer: Writer;
  readonly #lookups: Lookups;
  /** During the load: tombstones for records that are not loaded yet. */
  #erasure: Erasure | null = new Erasure();
  #doubtful: number;
  #next: number;
  #over = false;
  #isDoubting = false;

  private constructor(directory: Directory, erasures: ReturnType<typeof Tombstones.open>, parts: OpenDiskParts) {
    const { clock, metrics, found, failed } = parts;
    const { entries } = this;
    this.directory = directory;
    this.#parts = parts;
    this.#erasures = erasures;
    this.#doubtful = directory.doubtful;
    this.#next = directory.firstNumber;
    for (const one of erasures.read.erased) this.#erasure!.add(one);
    for (const purge of erasures.read.purges) this.#purges.add(purge);
    const files = new SegmentFiles(directory);
    this.#files = files;
    this.#lookups = new Lookups({
      salt: directory.salt,
      doubtful: () => this.#doubtful,
      purges: this.#purges,
      broken: ({ segment, i }, error) => {
        const [hash, identity, kind] = [segment.hash(i), segment.identity(i), segment.kind(i)];
        metrics.errors++;
        entries.kill({ segment, i });
        this.#erase({ hash, identity, kind, number: this.#number() });
        failed(error);
      },
      entries,
      files,
      metrics,
      clock,
      found,
    });
    const left = directory.listSegments();
    this.#writer = new Writer(parts.maxSize, {
      lastId: left[0]?.id ?? 0,
      besides: () => this.#erasures.size,
      unwritten: (item) => {
        if (item.replaces && !item.dead) this.#erase({ ...item, number: this.#number() });
      },
      failed: (error) => this.#failed(error),
      directory,
      entries,
      files,
      metrics,
      clock,
    });
    this.loaded = load(left, {
      erasure: this.#erasure!,
      isOver: () => this.#over,
      unreadable: failed,
      directory,
      entries,
      clock,
    }).then(() => this.#becomeLoaded());
  }

  /** Throws nothing: a failure is returned. */
  static async open(path: string, shape: string, doubtAll: boolean, parts: OpenDiskParts): Promise<OpenDisk | Refusal> {
    const directory = await Directory.open(path, shape);
    if (!(directory instanceof Directory)) return directory;
    try {
      const erasures = Tombstones.open(directory.file('erasures'));
      // Tombstones were lost, so the valid records are unknown.
      if (doubtAll || !erasures.read.sound) await directory.doubt(directory.firstNumber);
      return new OpenDisk(directory, erasures, parts);
    } catch (error) {
      await directory.close(false);
      return refusalOf(error);
    }
  }

  #becomeLoaded(): void {
    this.#erasure = null;
    if (this.#over) return;
    this.#writer.start();
    this.#tidy();
  }

  #number(): number {
    return this.#next++;
  }

  get bytes(): number {
    return this.entries.bytes + this.#erasures.size;
  }

  /** Bytes in the write queue. */
  get waiting(): number {
    return this.#writer.queue.bytes;
  }

  resize(maxSize: number): void {
    if (maxSize !== this.#writer.maxSize) this.#writer.resize(maxSize);
  }

  // === stored responses

  look(sought: Sought, seeker: Seeker): Lookup | null {
    return this.#lookups.look(sought, seeker);
  }

  put(key: string, response: StoredResponse): void {
    const { metrics } = this.#parts;
    const { scope, varyNames, variant, fields } = response.head;
    const hash = keyHash(this.directory.salt, key);
    const identity = identityHash(scope, varyNames, variant);
    const kind = kindOf(response);
    const waited = this.#writer.queue.kill(hash, (item) => item.identity === identity && replaces(kind, item.kind));
    const written = this.entries.killReplaced({ hash, identity, kind });
    const size = HEADER + TEXT + key.length + fields.size + (response.headOnly ? 0 : response.length);
    const number = this.#number();
    const item = { hash, identity, kind, number, key, varyNames, response, record: null, size };
    const old = waited || written || this.#erasure !== null;
    const isShort = key.length + fields.size < MOST_TEXT / 8;
    if (isShort && this.#writer.add({ ...item, replaces: old, dead: false })) return;
    metrics.dropped++;
    if (old) this.#erase({ hash, identity, kind, number });
  }

  // === invalidation and purges

  drop(key: string, response: StoredResponse): void {
    const { scope, varyNames, variant } = response.head;
    const hash = keyHash(this.directory.salt, key);
    const identity = identityHash(scope, varyNames, variant);
    const kind = kindOf(response);
    const waited = this.#writer.queue.kill(hash, (item) => item.identity === identity && replaces(kind, item.kind));
    const written = this.entries.killReplaced({ hash, identity, kind });
    if (waited || written || this.#erasure !== null) this.#erase({ hash, identity, kind, number: this.#number() });
  }

  /** Returns the number of records invalidated. */
  invalidate(key: string): number {
    const hash = keyHash(this.directory.salt, key);
    const entries = this.entries.find(hash);
    for (const entry of entries) this.entries.kill(entry);
    const waited = this.#writer.queue.kill(hash, () => true);
    if (entries.length > 0 || waited || this.#erasure !== null)
      this.#erase({ hash, identity: -1, kind: -1, number: this.#number() });
    return entries.length;
  }

  /** `value`: for a key purge, the key. */
  purge(kind: PurgeKind, value: string, soft: boolean): void {
    const { clock } = this.#parts;
    const text = kind === 'key' ? String(keyHash(this.directory.salt, value)) : value;
    const at = { soft, number: this.#number(), at: clock.wall() };
    // A value that is too long for a tombstone purges everything.
    const purge =
      text.length > LONGEST_VALUE ? { kind: 'all' as const, value: '', ...at } : { kind, value: text, ...at };
    this.#purges.add(purge);
    this.#note(() => this.#erasures.purge(purge));
  }

  #erase(one: Tombstone): void {
    this.#erasure?.add(one);
    this.#note(() => this.#erasures.erase(one));
  }

  /** Without its tombstone a record would come back after a restart: rather give up the directory. */
  #note(write: () => void): void {
    if (this.#over) return;
    try {
      write();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC' && this.#makeRoom(write)) return;
      this.#giveUp(error);
      return;
    }
    this.#tidy();
  }

  /** On a full disk, removes the oldest segment to make room for the tombstone. */
  #makeRoom(write: () => void): boolean {
    const [oldest] = this.entries.segments;
    if (oldest === undefined || this.#writer.isWriting(oldest)) return false;
    try {
      this.entries.removeSegment(oldest);
      this.#files.forget(oldest.id);
      unlinkSync(this.directory.segmentFile(oldest.id, 'records'));
      write();
      return true;
    } catch {
      return false;
    }
  }

  #giveUp(error: unknown): void {
    try {
      this.directory.discard();
    } catch {
      // The directory is not writable; the next open tries again.
    }
    this.#parts.lost(error);
  }

  /**
   * Drops tombstones that no record is old enough for; if too many are left, all older records become doubtful instead.
   */
  #tidy(): void {
    const most = this.#parts.mostErasures ?? MOST_ERASURES;
    if (this.#erasure !== null || this.#isDoubting || this.#erasures.size <= most) return;
    const lowest = Math.min(this.entries.lowest, this.#writer.queue.lowest);
    this.#purges.forget(lowest);
    try {
      this.#erasures.rewrite(lowest, this.#purges.all);
      if (this.#erasures.size <= most / 2) return;
    } catch (error) {
      this.#giveUp(error);
      return;
    }
    this.#isDoubting = true;
    void this.#doubtAll().finally(() => (this.#isDoubting = false));
  }

  /** Every existing record is revalidated before use, so older tombstones are not needed. */
  async #doubtAll(): Promise<void> {
    const below = this.#number();
    this.#doubtful = below;
    try {
      await this.directory.doubt(below);
      if (this.#over) return;
      const later = this.#purges.all.filter(({ number }) => number > below);
      this.#erasures.rewrite(below, later);
      this.#purges.forget(below);
    } catch (error) {
      this.#giveUp(error);
    }
  }

  #failed(error: unknown): void {
    this.#parts.failed(error);
    // The directory has been removed.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') this.#parts.lost(error);
  }

  /** Flushes the write queue, within `ms`. */
  async close(ms: number): Promise<void> {
    if (this.#over) return;
    const loaded = this.#erasure === null;
    const written = await this.#writer.close(loaded ? ms : 0);
    this.#over = true;
    await this.loaded;
    this.#files.close();
    let synced = true;
    try {
      this.#erasures.close(true);
    } catch {
      synced = false;
    }
    await this.directory.close(written && synced);
  }
}
