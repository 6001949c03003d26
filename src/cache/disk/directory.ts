/**
 * The directory of a disk cache: ownership, exclusive lock, and whether it was closed cleanly. Cold.
 *
 *     cache.json   format, key shape, salt, number of the run, boot ID, whether it was closed cleanly
 *     lock         held by the system for as long as the process lives
 *     erasures     tombstones: invalidations and purges
 *     segments/    records, and their columns
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeDirectories } from '../../kit/make-directories.ts';

const FORMAT = 2;
const MARKER = 'cache.json';
const LOCK = 'lock';
const DISCARDED = 'discarded-';
/** What a directory may contain before its first use as a cache. */
const NOTHING = new Set(['lost+found', LOCK, `${LOCK}-journal`, `${MARKER}.new`]);

interface Marker {
  readonly format: number;
  /** How keys are built: differently built keys have a different meaning. */
  readonly shape: string;
  readonly salt: string;
  readonly run: number;
  /** The boot ID of the system; '' where there is none. */
  readonly boot: string;
  /** It was closed cleanly. */
  readonly clean: boolean;
  /** Records with a lower number are revalidated before use. */
  readonly doubtful: number;
}

/** Why a directory can't be used. `code`: the system's error code, or one of ours. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

export interface FoundSegment {
  readonly id: number;
  readonly bytes: boolean;
  readonly columns: boolean;
}

/** The range of record numbers for each run. */
const RUN = 2 ** 32;

export class Directory {
  readonly path: string;
  readonly #lock: DatabaseSync;
  #marker: Marker;
  /** Why the previous contents were discarded, or ''. */
  readonly thrownAway: string;

  private constructor(path: string, lock: DatabaseSync, marker: Marker, thrownAway: string) {
    this.path = path;
    this.#lock = lock;
    this.#marker = marker;
    this.thrownAway = thrownAway;
  }

  /** Throws nothing: a failure is returned. */
  static async open(path: string, shape: string): Promise<Directory | Refusal> {
    let lock: DatabaseSync | null = null;
    try {
      makeDirectories(path, 0o700);
      const names = readdirSync(path);
      if (!names.includes(MARKER) && names.some((name) => !NOTHING.has(name) && !name.startsWith(DISCARDED)))
        return { code: 'ALIEN', message: 'it contains other files, which stay' };
      lock = lockOf(join(path, LOCK));
      if (lock === null) return { code: 'LOCKED', message: 'another process or cache uses it' };
      return await Directory.#opened(path, shape, lock);
    } catch (error) {
      lock?.close();
      return refusalOf(error);
    }
  }

  static async #opened(path: string, shape: string, lock: DatabaseSync): Promise<Directory> {
    const text = readMarker(path);
    const old = text === null ? null : parseMarker(text);
    let thrownAway = '';
    if (text !== null && old === null) thrownAway = 'it can not be read';
    else if (old !== null && old.format !== FORMAT) thrownAway = `its format is ${old.format}`;
    else if (old !== null && old.shape !== shape) thrownAway = 'its keys were made otherwise';
    if (thrownAway !== '' || old === null) discard(path);
    sweep(path);
    const kept = thrownAway === '' ? old : null;
    const boot = bootId();
    const run = (kept?.run ?? 0) + 1;
    // Data not yet flushed is lost in a crash of the system, and tombstones may be among it.
    const sound = kept === null || (kept.boot === boot && boot !== '') || kept.clean;
    const marker = {
      format: FORMAT,
      shape,
      salt: kept?.salt ?? randomBytes(16).toString('base64url'),
      run,
      boot,
      clean: false,
      doubtful: sound ? (kept?.doubtful ?? 0) : run * RUN,
    };
    const directory = new Directory(path, lock, marker, thrownAway);
    await directory.#write(marker);
    makeDirectories(join(path, 'segments'), 0o700);
    return directory;
  }

  get salt(): string {
    return this.#marker.salt;
  }

  get doubtful(): number {
    return this.#marker.doubtful;
  }

  /** Records of this run have this number or a higher one. */
  get firstNumber(): number {
    return this.#marker.run * RUN;
  }

  file(name: string): string {
    return join(this.path, name);
  }

  segmentFile(id: number, ending: 'records' | 'columns'): string {
    return join(this.path, 'segments', `${String(id).padStart(10, '0')}.${ending}`);
  }

  /** The segments in the directory, newest first, each with the files that it has. */
  listSegments(): FoundSegment[] {
    const found = new Map<number, { id: number; bytes: boolean; columns: boolean }>();
    for (const name of readdirSync(join(this.path, 'segments'))) {
      const [, digits, ending] = /^(\d{10})\.(records|columns)$/.exec(name) ?? [];
      if (digits === undefined) {
        rmSync(join(this.path, 'segments', name), { force: true, recursive: true });
        continue;
      }
      const id = Number(digits);
      const one = found.get(id) ?? { id, bytes: false, columns: false };
      if (ending === 'records') one.bytes = true;
      else one.columns = true;
      found.set(id, one);
    }
    return [...found.values()].toSorted((a, b) => b.id - a.id);
  }

  /** From now on records with a lower number are revalidated before use. Throws the system's error. */
  doubt(below: number): Promise<void> {
    return this.#write({ ...this.#marker, doubtful: below });
  }

  /** Discards all stored data, when nothing else can keep it from coming back. Throws the system's error. */
  discard(): void {
    discard(this.path);
    sweep(this.path);
  }

  /** `clean`: everything has been written. */
  async close(clean: boolean): Promise<void> {
    try {
      if (clean) await this.#write({ ...this.#marker, clean: true });
    } catch {
      // Then the directory counts as not closed cleanly.
    }
    this.#lock.close();
  }

  async #write(marker: Marker): Promise<void> {
    const path = join(this.path, MARKER);
    await writeFile(`${path}.new`, JSON.stringify(marker), { mode: 0o600, flush: true });
    await rename(`${path}.new`, path);
    this.#marker = marker;
  }
}

export function refusalOf(error: unknown): Refusal {
  const { code = 'ERROR', message } = error as NodeJS.ErrnoException;
  return { code, message };
}

/** Removes the cache's files: a rename removes the large ones at once, and they are deleted later. */
function discard(path: string): void {
  const segments = join(path, 'segments');
  if (existsSync(segments)) renameSync(segments, join(path, `${DISCARDED}${randomBytes(6).toString('hex')}`));
  for (const name of ['erasures', 'erasures.new']) rmSync(join(path, name), { force: true });
}

function sweep(path: string): void {
  for (const name of readdirSync(path)) {
    if (!name.startsWith(DISCARDED)) continue;
    // Files that can't be removed now are tried again at the next start.
    rm(join(path, name), { recursive: true, force: true }).catch(() => {});
  }
}

/**
 * A lock that ends with the process, however that ends. The file is an empty database: in Node only SQLite has an API
 * for file locks. null: another process or cache holds it.
 */
function lockOf(path: string): DatabaseSync | null {
  writeFileSync(path, '', { mode: 0o600, flag: 'a' });
  chmodSync(path, 0o600);
  const lock = new DatabaseSync(path, { timeout: 0 });
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return lock;
  } catch {
    lock.close();
    return null;
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return '';
  }
}

function readMarker(path: string): string | null {
  try {
    return readFileSync(join(path, MARKER), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    return '';
  }
}

function parseMarker(text: string): Marker | null {
  try {
    const value = JSON.parse(text) as Partial<Marker> | null;
    if (typeof value?.format !== 'number') return null;
    const { shape, salt, run, boot, clean, doubtful } = value;
    const texts = [shape, salt, boot].every((one) => typeof one === 'string');
    const numbers = [run, doubtful].every((one) => Number.isSafeInteger(one) && Number(one) >= 0);
    // Of another format only the format number is known.
    return value.format !== FORMAT || (texts && numbers && typeof clean === 'boolean') ? (value as Marker) : null;
  } catch {
    return null;
  }
}
