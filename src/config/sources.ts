/** The files that one load reads, each once, and a digest over all of them. Cold. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export class Sources {
  /** null: it could not be read. */
  readonly #texts = new Map<string, string | null>();

  /** The file's text, or null if it can't be read. The same answer for the whole load. */
  read(path: string): string | null {
    let text = this.#texts.get(path);
    if (text === undefined) {
      try {
        text = readFileSync(path, 'utf8');
      } catch {
        text = null;
      }
      this.#texts.set(path, text);
    }
    return text;
  }

  /** Every path asked for, readable or not. */
  get files(): readonly string[] {
    return [...this.#texts.keys()];
  }

  /** Hex SHA-256 over names and contents. */
  digest(): string {
    const hash = createHash('sha256');
    for (const [path, text] of [...this.#texts].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      hash.update(`${path}\0${text === null ? 'missing' : `${text.length}\0${text}`}\0`);
    }
    return hash.digest('hex');
  }
}
