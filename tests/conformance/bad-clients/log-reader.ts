/** Reads an access log as it grows, and counts what it says of each listener. */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';

interface Line {
  readonly listener: string;
  readonly status: number;
  readonly client: string;
  readonly error?: string;
}

export class LogReader {
  readonly #file: string;
  #at = 0;
  #rest = '';
  /** By listener, then by status and error. */
  readonly #tallies = new Map<string, Map<string, number>>();

  constructor(file: string) {
    this.#file = file;
  }

  /** Status and error of the lines about that listener, with their number; as of now. */
  tally(listener: string): ReadonlyMap<string, number> {
    this.#read();
    return this.#tallies.get(listener) ?? new Map<string, number>();
  }

  #read(): void {
    if (!existsSync(this.#file)) return;
    const fd = openSync(this.#file, 'r');
    const part = Buffer.alloc(1024 * 1024);
    for (;;) {
      const count = readSync(fd, part, 0, part.length, this.#at);
      if (count === 0) break;
      this.#at += count;
      const lines = (this.#rest + part.toString('latin1', 0, count)).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.#count(JSON.parse(line) as Line);
    }
    closeSync(fd);
  }

  #count({ listener, status, error, client }: Line): void {
    let tally = this.#tallies.get(listener);
    if (tally === undefined) this.#tallies.set(listener, (tally = new Map<string, number>()));
    const who = client === '127.0.0.1' ? '' : ` from ${client}`;
    const words = `${status}${error === undefined ? '' : ` ${error}`}${who}`;
    tally.set(words, (tally.get(words) ?? 0) + 1);
  }
}
