/**
 * Creates a directory and its parents. Cold.
 *
 * Node's own version (`recursive: true`) never returns if a file system refuses a new directory with ENOENT, as /proc
 * does.
 */
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Returns the first directory that was created, or undefined if `path` existed. Throws the system's error. */
export function makeDirectories(path: string, mode: number): string | undefined {
  try {
    mkdirSync(path, { mode });
    return path;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return undefined;
    const parent = dirname(path);
    const absent = code === 'ENOENT' && statSync(parent, { throwIfNoEntry: false }) === undefined;
    if (!absent || parent === path) throw error;
    const first = makeDirectories(parent, mode);
    mkdirSync(path, { mode });
    return first;
  }
}
