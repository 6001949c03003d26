/**
 * Where a config comes from: a file, a Kubernetes API or an xDS server. The reloader knows no more of it than this. Cold.
 *
 * A source names a root document and tells when it may have changed. The compiler reads the document through
 * ConfigReader, in whichever process it compiles: from the texts that the source gives, and the rest (includes, values
 * behind references) from disk.
 */
import type { Clock } from '../kit/clock.ts';

/** The inputs of the last compilation: a change of any of them may change the plan. */
export interface ConfigInputs {
  /** Every document and file that was read or looked for. */
  readonly files: readonly string[];
  /** The patterns of included files, absolute. */
  readonly globs: readonly string[];
}

/** The settings of the config in effect that say how a source is followed. */
export interface FollowSettings {
  /** Whether the source is watched at all. */
  readonly watch: boolean;
  /** Milliseconds without a change in place before such a file is read. */
  readonly settle: number;
}

/** Nothing is watched before the first config is in effect. */
export const NOT_FOLLOWED: FollowSettings = { watch: false, settle: 0 };

/** How a source noticed that something may have changed: by an event or by a poll. */
export type Notice = 'watch' | 'poll';

/** The texts of a config that don't come from disk, by absolute path. */
export type GivenTexts = ReadonlyMap<string, string>;

export interface ConfigSource {
  /**
   * The absolute path of the root document, on disk or not. It names the source in the log, in the history and in the
   * positions of problems; its extension tells the format, and relative paths in it start at its folder.
   */
  readonly root: string;

  /** Milliseconds after which a refused config is read once more, because it may have been read half written. */
  readonly secondLook: number;

  /**
   * Whether what was just read may be incomplete. A hint follows when it is complete.
   */
  readonly unsettled: boolean;

  /** The documents as of now that the source itself holds; a file source holds none. May wait for the first of them. */
  read(): Promise<GivenTexts>;

  /** Calls `hint` from now on whenever a reload may find something new. Called once. */
  listen(clock: Clock, hint: (by: Notice) => void): void;

  /** Follows these inputs, and nothing else. */
  follow(inputs: ConfigInputs, settings: FollowSettings): void;

  /** Whether the root document is exactly this text. */
  holds(text: string): boolean;

  /**
   * Replaces the root document, which must still be `current`, so that a restart serves what was pushed. Returns null,
   * or a text for people that says why it is unchanged.
   */
  replace(current: string, text: string): Promise<string | null>;

  close(): Promise<void>;
}

/** The reason why a push may not overwrite a document that is not in effect. */
export const HOLDS_ANOTHER = 'the config file does not hold the config in effect';
