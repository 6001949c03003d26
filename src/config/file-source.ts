/**
 * A config in files: the root file, what it includes, and the files behind its references. Cold; a ConfigSource.
 *
 * The compiler reads the files from disk (config-reader.ts); file-watcher.ts says when to read them again; replace.ts
 * writes a pushed config.
 */
import type { Clock } from '../kit/clock.ts';
import {
  type ConfigInputs,
  type ConfigSource,
  type FollowSettings,
  type GivenTexts,
  HOLDS_ANOTHER,
  type Notice,
} from './config-source.ts';
import { FileWatcher } from './file-watcher.ts';
import { readText } from './read-text.ts';
import { codeOf, prepareReplacement, whyNotReplace } from './replace.ts';

/** A file that does not compile may be half written: it is read again after this time, before it is reported (ms). */
const SECOND_LOOK = 50;

const NONE: GivenTexts = new Map();

export class FileSource implements ConfigSource {
  readonly root: string;
  readonly secondLook = SECOND_LOOK;
  #watcher: FileWatcher | null = null;

  /** `file`: absolute path. */
  constructor(file: string) {
    this.root = file;
  }

  get unsettled(): boolean {
    return this.#watcher?.unsettled ?? false;
  }

  async read(): Promise<GivenTexts> {
    return NONE;
  }

  listen(clock: Clock, hint: (by: Notice) => void): void {
    this.#watcher = new FileWatcher(clock, hint);
  }

  follow({ files, globs }: ConfigInputs, settings: FollowSettings): void {
    this.#watcher?.update(files, globs, settings);
  }

  holds(text: string): boolean {
    return readText(this.root) === text;
  }

  async replace(current: string, text: string): Promise<string | null> {
    const why = await whyNotReplace(this.root);
    if (why !== null) return `the config file can't be kept in step: ${why}`;
    try {
      const replacement = await prepareReplacement(this.root, text);
      // Don't overwrite an edit of the file that is not in effect, or not yet.
      if (!this.holds(current)) {
        await replacement.abort();
        return HOLDS_ANOTHER;
      }
      await replacement.commit();
      return null;
    } catch (error) {
      return `the config file can't be kept in step: ${codeOf(error)}`;
    }
  }

  async close(): Promise<void> {
    await this.#watcher?.close();
  }
}
