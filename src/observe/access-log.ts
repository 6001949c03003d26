/**
 * The access log: one JSON line per exchange or tunnel, built by hand and written in batches. Hot.
 *
 * `record` takes plain values, so that nothing here knows of exchanges. Lines that were not written when the process is
 * killed are lost; `close` writes them.
 */
import { closeSync, openSync } from 'node:fs';
import sonicBoom from 'sonic-boom';
import type { Clock } from '../kit/clock.ts';
import { jsonText } from './json-text.ts';

/** Bytes that may wait for a reader that has stopped reading; lines beyond are lost. */
const MOST_WAITING = 16 * 1024 * 1024;
/** Bytes gathered before a write, and the longest that a line waits (ms). */
const BATCH = 8 * 1024;
const LONGEST_WAIT = 1000;

const STREAMS = new Set(['stdout', 'stderr']);

/** Opening happens later and elsewhere; whether it can is to be known now. */
function openForAppending(path: string): void {
  closeSync(openSync(path, 'a'));
}

export interface AccessRecord {
  readonly kind: 'http' | 'tcp';
  readonly generation: number;
  readonly listener: string;
  readonly client: string;
  readonly clientPort: number;
  readonly route: string;
  readonly endpoint: string;
  readonly method: string;
  readonly host: string;
  readonly target: string;
  readonly minor: number;
  readonly status: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Milliseconds. */
  readonly duration: number;
  /** Milliseconds to the upstream's head; 0: there was none. */
  readonly upstream: number;
  readonly error: string;
  readonly userAgent: string;
}

export class AccessLog {
  readonly path: string;
  readonly #out: sonicBoom.SonicBoom;
  readonly #clock: Clock;
  readonly #idPrefix: string;
  #count = 0;
  #second = -1;
  #time = '';

  /** Throws if the file can't be opened. `path`: stdout, stderr or a file, which is appended to. `idPrefix` makes request ids unique among processes. */
  constructor(path: string, clock: Clock, idPrefix: string) {
    this.path = path;
    if (!STREAMS.has(path)) openForAppending(path);
    this.#clock = clock;
    this.#idPrefix = idPrefix;
    const target = path === 'stdout' ? { fd: 1 } : path === 'stderr' ? { fd: 2 } : { dest: path, append: true };
    this.#out = new sonicBoom.SonicBoom({
      ...target,
      minLength: BATCH,
      periodicFlush: LONGEST_WAIT,
      maxLength: MOST_WAITING,
      sync: false,
    });
    // A full disk must not stop the traffic; what could not be written is lost.
    this.#out.on('error', () => {});
  }

  write(record: AccessRecord): void {
    const { kind, error, userAgent } = record;
    const http =
      kind === 'tcp'
        ? ''
        : `,"method":${jsonText(record.method)},"host":${jsonText(record.host)},"target":${jsonText(record.target)},"protocol":"HTTP/1.${record.minor}","status":${record.status}` +
          `,"upstream_ms":${record.upstream.toFixed(3)}${userAgent === '' ? '' : `,"user_agent":${jsonText(userAgent)}`}`;
    this.#out.write(
      `{"time":"${this.#now()}","request_id":"${this.#idPrefix}${(this.#count++).toString(36)}","kind":"${kind}","client":"${record.client}","client_port":${record.clientPort}` +
        `,"listener":"${record.listener}","route":"${record.route}","endpoint":"${record.endpoint}","generation":${record.generation}${http}` +
        `,"bytes_in":${record.bytesIn},"bytes_out":${record.bytesOut},"duration_ms":${record.duration.toFixed(3)}${error === '' ? '' : `,"error":${jsonText(error)}`}}\n`,
    );
  }

  /** Opens the file anew, for log rotation; what was gathered goes to the old one. */
  reopen(): void {
    this.#flush();
    if (!STREAMS.has(this.path)) this.#out.reopen();
  }

  /** Writes what is gathered and closes the file. */
  close(): void {
    this.#flush();
    if (!STREAMS.has(this.path)) this.#out.end();
    else this.#out.destroy();
  }

  #flush(): void {
    try {
      this.#out.flushSync();
    } catch {
      // Not open yet, or the disk is full: there is nothing more to be done for these lines.
    }
  }

  /** ISO time, to the second made once a second. */
  #now(): string {
    const now = this.#clock.wall();
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#time = new Date(second * 1000).toISOString().slice(0, 20);
    }
    return `${this.#time}${String(Math.floor(now) % 1000).padStart(3, '0')}Z`;
  }
}
