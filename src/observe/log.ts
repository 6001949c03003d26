/** The application log: one JSON line per event on stderr. Cold: nothing is logged here per request. */
import type { Clock } from '../kit/clock.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';

const RANK: Readonly<Record<Level, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export class Log {
  level: Level = 'info';
  readonly #clock: Clock;
  readonly #write: (line: string) => void;

  constructor(clock: Clock, write: (line: string) => void = (line) => process.stderr.write(line)) {
    this.#clock = clock;
    this.#write = write;
  }

  debug(event: string, fields: object = {}): void {
    this.#log('debug', event, fields);
  }

  info(event: string, fields: object = {}): void {
    this.#log('info', event, fields);
  }

  warn(event: string, fields: object = {}): void {
    this.#log('warn', event, fields);
  }

  error(event: string, fields: object = {}): void {
    this.#log('error', event, fields);
  }

  #log(level: Level, event: string, fields: object): void {
    if (RANK[level] < RANK[this.level]) return;
    this.#write(`${JSON.stringify({ time: new Date(this.#clock.wall()).toISOString(), level, event, ...fields })}\n`);
  }
}
