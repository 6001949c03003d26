/** Finds a config file's history on disk for commands. Cold. */
import { resolve } from 'node:path';
import { ConfigReader } from '../config/config-reader.ts';
import { readingDisk } from '../kit/disk.ts';
import { stateDirOf } from '../history/state-dir.ts';
import { filesIn, HistoryStore } from '../history/store.ts';
import type { Environment } from './plan-against.ts';

export interface HistoryPlace {
  readonly stateDir?: string | undefined;
  /** The config file. */
  readonly config?: string | undefined;
}

/** Returns an error text on failure. */
export async function findHistory(
  { stateDir, config }: HistoryPlace,
  env: Environment,
): Promise<HistoryStore | string> {
  const said = stateDir ?? (env['PROZY_STATE_DIR'] || undefined);
  if (config !== undefined) {
    const file = resolve(config);
    const directory = said ?? stateDirOf(file, env, new ConfigReader());
    if (directory === null) return `${config} says no reload.state_dir; --state-dir says it instead`;
    return new HistoryStore(resolve(directory), file, readingDisk);
  }
  if (said === undefined) return 'says where: --admin, --state-dir or --config';
  const directory = resolve(said);
  const files = await filesIn(directory, readingDisk);
  const [file] = files;
  if (file === undefined) return `there is no history in ${said}`;
  if (files.length > 1) return `${said} has the history of several files; --config says which: ${files.join(', ')}`;
  return new HistoryStore(directory, file, readingDisk);
}
