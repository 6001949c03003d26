/**
 * Puts another text in the place of a file: whole or not at all, with the owner and the mode that it had. Cold.
 *
 * The text is written beside it, flushed to the disk and renamed over it. Whatever stands in the way is told, as text for
 * people, and has changed nothing.
 */
import { constants } from 'node:fs';
import { access, lstat, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Links } from './links.ts';

/** Why a file is not for us to replace; null: it is. */
export async function whyNotReplace(file: string): Promise<string | null> {
  const directory = dirname(file);
  const links = new Links();
  if (links.publishedIn(links.resolve(directory)) !== null) return 'it is mounted by Kubernetes: change the ConfigMap';
  try {
    if ((await lstat(file)).isSymbolicLink()) return 'it is a symbolic link: change what it leads to, or where';
    await access(file, constants.W_OK);
    await access(directory, constants.W_OK);
  } catch (error) {
    return `it can't be written: ${codeOf(error)}`;
  }
  return null;
}

/** The new text beside a file, ready to be put in its place. */
export interface Replacement {
  commit(): Promise<void>;
  abort(): Promise<void>;
}

/** Rejects with the system's error. */
export async function prepareReplacement(file: string, text: string): Promise<Replacement> {
  const { mode, uid, gid } = await lstat(file);
  const beside = join(dirname(file), `.${basename(file)}.new`);
  const abort = (): Promise<void> => rm(beside, { force: true });
  // Left by a process that was killed.
  await abort();
  const handle = await open(beside, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    const own = await handle.stat();
    if (own.uid !== uid || own.gid !== gid) await handle.chown(uid, gid);
    await handle.chmod(mode & 0o7777);
    await handle.sync();
  } catch (error) {
    await abort();
    throw error;
  } finally {
    await handle.close();
  }
  return {
    abort,
    commit: async () => {
      await rename(beside, file);
      await flush(dirname(file));
    },
  };
}

/** The name, too, is to outlast a loss of power; where directories can't be flushed, it is as safe as it gets. */
async function flush(directory: string): Promise<void> {
  try {
    await using handle = await open(directory, 'r');
    await handle.sync();
  } catch {
    // The text is in place all the same.
  }
}

/** What the system calls what is wrong. */
export function codeOf(error: unknown): string {
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);
}
