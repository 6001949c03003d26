/** The disk operations of what must outlive the process: every write is atomic, and readable only by its owner. Cold. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, link, lstat, open, readdir, readFile, rename, unlink, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeDirectories } from './make-directories.ts';

/** Promises that reject with the system's error; a missing file is a result, not an error. */
export interface Disk {
  /** null: there is no such file. */
  read(path: string): Promise<Buffer | null>;
  /** The names in a directory; none if there is no such directory. */
  list(directory: string): Promise<string[]>;
  /** Milliseconds since 1970 at which it was last written or touched; null: there is no such file. */
  written(path: string): Promise<number | null>;
  /** Sets the time of the last write. */
  touch(path: string, ms: number): Promise<void>;
  /** Replaces the file. */
  replace(path: string, data: string): Promise<void>;
  /** Returns false, and changes nothing, if the file exists. */
  create(path: string, data: string): Promise<boolean>;
  remove(path: string): Promise<void>;
  /** Renames a file. Returns false if it does not exist. */
  move(from: string, to: string): Promise<boolean>;
  /** Creates the directory and its parents where missing. */
  makeDirectory(path: string): Promise<void>;
  /**
   * Returns the problem with a directory that must be private; '' if there is none. Removes the access of others if
   * that is the only problem.
   */
  claim(directory: string): Promise<string>;
}

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;
/** The permission bits of group and others. */
const OTHERS = 0o077;

/** The name prefix of a file that is not complete yet. */
export const UNFINISHED = '.unfinished-';

/** The error codes of file systems without hard links. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

export const systemDisk: Disk = {
  read: (path) => readFile(path).catch(nothingThere(null)),
  list: (directory) => readdir(directory).catch(nothingThere([])),
  written: async (path) => (await lstat(path).catch(nothingThere(null)))?.mtimeMs ?? null,
  touch: (path, ms) => utimes(path, ms / 1000, ms / 1000),
  async replace(path, data) {
    const unfinished = await writeBeside(path, data);
    await rename(unfinished, path).catch((error: unknown) => giveUp(unfinished, error));
    await sync(dirname(path));
  },
  async create(path, data) {
    const unfinished = await writeBeside(path, data);
    let created = true;
    try {
      await link(unfinished, path);
      await unlink(unfinished);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') created = false;
      else if (!NO_LINKS.has(codeOf(error))) await giveUp(unfinished, error);
      else created = (await lstat(path).catch(nothingThere(null))) === null;
      await (created ? rename(unfinished, path) : unlink(unfinished));
    }
    await sync(dirname(path));
    return created;
  },
  async remove(path) {
    await unlink(path).catch(nothingThere(undefined));
    await sync(dirname(path)).catch(nothingThere(undefined));
  },
  async move(from, to) {
    const moved = await rename(from, to).then(() => true, nothingThere(false));
    if (moved) await sync(dirname(to));
    return moved;
  },
  async makeDirectory(path) {
    const first = makeDirectories(path, DIRECTORY_MODE);
    if (first !== undefined) await sync(dirname(first));
  },
  async claim(directory) {
    // Inspected and changed through one handle: a link put in its place meanwhile is not followed.
    const status = await lstat(directory).catch(nothingThere(null));
    if (status === null) return '';
    if (!status.isDirectory()) return 'is not a directory';
    const own = process.geteuid?.();
    // Where files have no owners, write access is controlled elsewhere.
    if (own === undefined) return '';
    await using handle = await open(directory, 'r');
    const { uid, ino, mode } = await handle.stat();
    if (ino !== status.ino) return 'is not a directory';
    if (uid !== own) return `belongs to another user (${uid}, not ${own})`;
    if ((mode & OTHERS) !== 0) await handle.chmod(DIRECTORY_MODE);
    return '';
  },
};

/** For read-only callers, which may run as another user. */
export const readingDisk: Disk = { ...systemDisk, claim: () => Promise.resolve('') };

/** Writes to a name beside it and flushes it to disk. */
async function writeBeside(path: string, data: string): Promise<string> {
  const unfinished = join(dirname(path), `${UNFINISHED}${randomBytes(8).toString('hex')}`);
  let handle: FileHandle | null = null;
  try {
    handle = await open(unfinished, 'wx', FILE_MODE);
    await handle.writeFile(data);
    await handle.sync();
  } catch (error) {
    await handle?.close().catch(() => {});
    return giveUp(unfinished, error);
  }
  await handle.close();
  return unfinished;
}

async function giveUp(unfinished: string, error: unknown): Promise<never> {
  await unlink(unfinished).catch(() => {});
  throw error;
}

/** The error codes for a directory that can't be opened or flushed; there, the rename is all that is possible. */
const NO_FLUSH = new Set(['EPERM', 'EISDIR', 'EINVAL', 'ENOTSUP']);

/** A name in a directory is durable once the directory is flushed. */
async function sync(directory: string): Promise<void> {
  try {
    await using handle = await open(directory, 'r');
    await handle.sync();
  } catch (error) {
    if (!NO_FLUSH.has(codeOf(error))) throw error;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}

function nothingThere<T>(answer: T): (error: unknown) => T {
  return (error) => {
    if (codeOf(error) === 'ENOENT') return answer;
    throw error;
  };
}
