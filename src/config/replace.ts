/**
 * Replaces a file with another text: atomically, keeping its owner and mode. Cold.
 *
 * The text is written to a file beside it, flushed to disk and renamed over it. Any obstacle is reported as text for
 * people and leaves the file unchanged.
 */
import { constants } from 'node:fs';
import { access, lstat, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Links } from './links.ts';

/** Returns the reason why the gateway may not replace a file; null: it may. */
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

/** The new text in a file beside the old one, ready to be renamed. */
export interface Replacement {
  commit(): Promise<void>;
  abort(): Promise<void>;
}

/** Rejects with the system's error. */
export async function prepareReplacement(file: string, text: string): Promise<Replacement> {
  const { mode, uid, gid } = await lstat(file);
  const beside = join(dirname(file), `.${basename(file)}.new`);
  const abort = (): Promise<void> => rm(beside, { force: true });
  // Remove the file that a killed process left.
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

/** The rename must also survive a power loss; where directories can't be flushed, nothing more is possible. */
async function flush(directory: string): Promise<void> {
  try {
    await using handle = await open(directory, 'r');
    await handle.sync();
  } catch {
    // The text is in place anyway.
  }
}

/** The system's error code. */
export function codeOf(error: unknown): string {
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);
}
