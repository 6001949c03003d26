/** The files and globs that one load reads, each once, and a digest of all of them. Cold. */
import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { Links } from './links.ts';
import { matchingFiles } from './matching-files.ts';
import { decodeText, readBytes, type Unreadable } from './read-text.ts';

/** The texts of a config itself, without the values of its references. */
export interface ConfigTexts {
  /** By absolute path; null: it could not be read. */
  readonly texts: ReadonlyMap<string, string | null>;
  /** The files found for each absolute pattern. */
  readonly found: ReadonlyMap<string, readonly string[]>;
}

export class ConfigReader {
  readonly #texts = new Map<string, string | Unreadable>();
  readonly #contents = new Map<string, Uint8Array | Unreadable>();
  readonly #globs = new Map<string, readonly string[]>();
  readonly #configs = new Set<string>();
  readonly #links = new Links();
  readonly #given: ReadonlyMap<string, string | null>;
  readonly #found: ReadonlyMap<string, readonly string[]>;

  /** `given`: texts that replace the contents of files, by absolute path; `found`: the files that patterns match. */
  constructor(
    given: ReadonlyMap<string, string | null> = new Map(),
    found: ReadonlyMap<string, readonly string[]> = new Map(),
  ) {
    this.#given = given;
    this.#found = found;
  }

  /** The text of a file of the config itself. */
  config(path: string): string | Unreadable {
    this.#configs.add(path);
    return this.look(path);
  }

  /** The file's text, or the reason why it has none. The result is the same for the whole load. */
  look(path: string): string | Unreadable {
    let text = this.#texts.get(path);
    if (text === undefined) {
      const bytes = this.bytes(path);
      text = this.#given.get(path) ?? ('why' in bytes ? bytes : decodeText(bytes));
      this.#texts.set(path, text);
    }
    return text;
  }

  /** What is in a file that need not be text, or the reason why it cannot be read: the same for the whole load. */
  bytes(path: string): Uint8Array | Unreadable {
    let bytes = this.#contents.get(path);
    if (bytes === undefined) {
      const given = this.#given.get(path) ?? null;
      bytes = given === null ? readBytes(this.#links.resolve(path)) : Buffer.from(given);
      this.#contents.set(path, bytes);
    }
    return bytes;
  }

  /** The file's text, or null if it has none. */
  read(path: string): string | null {
    const text = this.look(path);
    return typeof text === 'string' ? text : null;
  }

  /** The files that an absolute pattern matches, in order. The result is the same for the whole load. */
  glob(pattern: string): readonly string[] {
    let found = this.#globs.get(pattern);
    if (found === undefined) {
      found = this.#found.get(pattern) ?? this.#find(pattern).toSorted();
      this.#globs.set(pattern, found);
    }
    return found;
  }

  #find(pattern: string): string[] {
    const directory = dirname(pattern);
    const published = this.#links.publishedIn(this.#links.resolve(directory));
    if (published === null) return matchingFiles(pattern);
    const inside = matchingFiles(join(published, pattern.slice(directory.length)));
    return inside.map((path) => join(directory, basename(path)));
  }

  /** Every pattern requested. */
  get globs(): readonly string[] {
    return [...this.#globs.keys()];
  }

  /** Every path requested, readable or not. */
  get files(): readonly string[] {
    return [...this.#contents.keys()];
  }

  get texts(): ConfigTexts {
    const texts = new Map([...this.#configs].map((path) => [path, this.read(path)]));
    return { texts, found: new Map(this.#globs) };
  }

  /** Hex SHA-256 of names and contents. */
  digest(): string {
    const hash = createHash('sha256');
    for (const [path, bytes] of [...this.#contents].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      if ('why' in bytes) hash.update(`${path}\0${bytes.why}\0`);
      else hash.update(`${path}\0${bytes.length}\0`).update(bytes).update('\0');
    }
    for (const [pattern, found] of [...this.#globs].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      hash.update(`${pattern}\0${found.join('\0')}\0`);
    }
    return hash.digest('hex');
  }
}
