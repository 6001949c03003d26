/**
 * The access log: one JSON line per exchange or tunnel, built by hand and written in batches. Hot.
 *
 * A record holds plain values, so that nothing here depends on exchanges. If the process is killed, unwritten lines are
 * lost; `close` writes them.
 */
import { openSync } from 'node:fs';
import sonicBoom from 'sonic-boom';
import type { Clock, Timer } from '../kit/clock.ts';
import { AsciiWriter } from './ascii-writer.ts';
import { jsonText } from './json-text.ts';

/** The most bytes queued for a reader that has stopped reading; further lines are lost. */
const MOST_WAITING = 16 * 1024 * 1024;
/** Bytes buffered before a write, and the longest time that a line is buffered (ms). */
const BATCH = 64 * 1024;
const LONGEST_WAIT = 1000;

const STREAMS = new Set(['stdout', 'stderr']);

/** An upper bound on the bytes of a line without target, host and user agent. */
const COMMON = 2048;
/** The most bytes that a character takes in JSON. */
const LONGEST_ESCAPE = 6;

const CLIENT_PORT = ascii('","client_port":');
const TARGET = ascii(',"target":"');
const STATUS = ascii('","status":');
const UPSTREAM = ascii(',"upstream_ms":');
const BYTES_IN = ascii(',"bytes_in":');
const BYTES_OUT = ascii(',"bytes_out":');
const DURATION = ascii(',"duration_ms":');
const ERROR = ascii(',"error":"');
const ERROR_DETAIL = ascii(',"error_detail":"');
const QUOTE = ascii('"');
const END = ascii('}\n');

/**
 * What one line says. The constructor takes what every exchange and tunnel has; the caller then sets what else is known.
 * All records have the same shape, and each is one object.
 */
export class AccessRecord {
  readonly kind: 'http' | 'tcp';
  /** Monotonic ms. */
  readonly now: number;
  readonly generation: number;
  readonly listener: string;
  readonly client: string;
  readonly clientPort: number;
  route = '';
  endpoint = '';
  /** What policies say of the exchange: members of a JSON object, each after a comma. */
  notes = '';
  method = '';
  host = '';
  target = '';
  /** The protocol version, as ten times the number; 0 for tcp. */
  version = 0;
  status = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** Milliseconds. */
  duration = 0;
  /** Milliseconds to the upstream's head; 0: there was none. */
  upstream = 0;
  error = '';
  errorDetail = '';
  userAgent = '';
  /** What is known of the client's TLS: members of a JSON object in ASCII, each after a comma; null: nothing. */
  tls: Uint8Array | null = null;

  constructor(
    kind: 'http' | 'tcp',
    now: number,
    generation: number,
    listener: string,
    client: string,
    clientPort: number,
  ) {
    this.kind = kind;
    this.now = now;
    this.generation = generation;
    this.listener = listener;
    this.client = client;
    this.clientPort = clientPort;
  }
}

type Place = Pick<
  AccessRecord,
  'listener' | 'route' | 'endpoint' | 'notes' | 'generation' | 'method' | 'host' | 'version'
> & {
  readonly bytes: Uint8Array;
};

type File = Omit<sonicBoom.SonicBoom, 'write'> & { write(bytes: Buffer): boolean };

/** Throws if it can't be opened. */
function open(path: string): File {
  const fd = path === 'stdout' ? 1 : path === 'stderr' ? 2 : openSync(path, 'a');
  // The library's types lack the content mode used here.
  const file = new sonicBoom.SonicBoom({
    fd,
    contentMode: 'buffer',
    maxLength: MOST_WAITING,
    sync: false,
  }) as unknown as File;
  // A full disk must not stop the traffic; lines that can't be written are lost.
  file.on('error', () => {});
  return file;
}

export class AccessLog {
  readonly path: string;
  #file: File;
  readonly #clock: Clock;
  /** The bytes between the time and the request id's number. */
  readonly #afterTime: Uint8Array;
  readonly #gathering: Timer;
  #out = new AsciiWriter(BATCH);
  #last: Place | null = null;
  #lastAgent = '';
  #lastAgentBytes = ascii('');
  #count = 0;
  /** From monotonic to epoch ms. */
  #offset = 0;
  #nextSecond = 0;
  #second = ascii('');

  /**
   * Throws if the file can't be opened. `path`: stdout, stderr or a file, which is appended to. `idPrefix` makes
   * request ids unique among processes.
   */
  constructor(path: string, clock: Clock, idPrefix: string) {
    this.path = path;
    this.#file = open(path);
    this.#clock = clock;
    this.#afterTime = ascii(`Z","request_id":"${idPrefix}`);
    this.#gathering = clock.every(LONGEST_WAIT, () => this.#hand());
  }

  write(record: AccessRecord): void {
    const { error, errorDetail, userAgent, tls } = record;
    const texts = record.target.length + userAgent.length + record.host.length + errorDetail.length;
    const room = COMMON + LONGEST_ESCAPE * texts + (tls === null ? 0 : tls.length);
    if (this.#out.at + room > this.#out.bytes.length) this.#hand(room);
    const out = this.#out;
    this.#time(record.now, out);
    out.integer(this.#count++);
    out.raw(this.#place(record));
    out.text(record.client);
    out.raw(CLIENT_PORT);
    out.integer(record.clientPort);
    if (record.kind === 'http') {
      out.raw(TARGET);
      out.quoted(record.target);
      out.raw(STATUS);
      out.integer(record.status);
      out.raw(UPSTREAM);
      out.milliseconds(record.upstream);
      if (userAgent !== '') out.raw(this.#userAgent(userAgent));
    }
    if (tls !== null) out.raw(tls);
    out.raw(BYTES_IN);
    out.integer(record.bytesIn);
    out.raw(BYTES_OUT);
    out.integer(record.bytesOut);
    out.raw(DURATION);
    out.milliseconds(record.duration);
    if (error !== '') {
      out.raw(ERROR);
      out.text(error);
      out.raw(QUOTE);
      if (errorDetail !== '') {
        out.raw(ERROR_DETAIL);
        out.quoted(errorDetail);
        out.raw(QUOTE);
      }
    }
    out.raw(END);
  }

  /** The text shared by many lines, rebuilt only when it changes. */
  #place(record: AccessRecord): Uint8Array {
    const last = this.#last;
    if (
      last !== null &&
      record.route === last.route &&
      record.endpoint === last.endpoint &&
      record.notes === last.notes &&
      record.host === last.host &&
      record.method === last.method &&
      record.listener === last.listener &&
      record.generation === last.generation &&
      record.version === last.version
    ) {
      return last.bytes;
    }
    const { kind, listener, route, endpoint, notes, generation, method, host, version } = record;
    // Only the path of a Unix socket needs escaping: names are words, a method is a token, a host is validated.
    const http =
      kind === 'tcp' ? '' : `,"protocol":"HTTP/${(version / 10).toFixed(1)}","method":"${method}","host":"${host}"`;
    const bytes = ascii(
      `","kind":"${kind}","listener":"${listener}","route":"${route}","endpoint":${jsonText(endpoint)}${notes},"generation":${generation}${http},"client":"`,
    );
    this.#last = { listener, route, endpoint, notes, generation, method, host, version, bytes };
    return bytes;
  }

  /** Clients often send the same User-Agent: its JSON text is cached. */
  #userAgent(text: string): Uint8Array {
    if (text !== this.#lastAgent) {
      this.#lastAgent = text;
      this.#lastAgentBytes = ascii(`,"user_agent":${jsonText(text)}`);
    }
    return this.#lastAgentBytes;
  }

  /** Passes the buffer to the writer, and makes room for a line of `room` bytes. */
  #hand(room = 0): void {
    const { bytes, at } = this.#out;
    if (at > 0) this.#file.write(bytes.subarray(0, at));
    this.#out = new AsciiWriter(Math.max(BATCH, room));
  }

  /**
   * Reopens the file for log rotation; buffered lines go to the old one. If it can't be opened, throws and keeps the
   * old one.
   */
  reopen(): void {
    if (STREAMS.has(this.path)) return;
    const next = open(this.path);
    this.#hand();
    this.#file.end();
    this.#file = next;
  }

  /**
   * Writes the buffer and closes the file. Resolves when that is done, or abandoned because the reader has stopped
   * reading.
   */
  close(): Promise<void> {
    this.#gathering.cancel();
    this.#hand();
    const file = this.#file;
    return new Promise((resolve) => {
      const limit = this.#clock.after(LONGEST_WAIT, () => {
        file.destroy();
        resolve();
      });
      file.once('close', () => {
        limit.cancel();
        resolve();
      });
      file.end();
    });
  }

  /** Writes the line's beginning, up to the request id's number; all but the milliseconds is rebuilt once a second. */
  #time(now: number, out: AsciiWriter): void {
    let wall = now + this.#offset;
    if (wall >= this.#nextSecond || wall < this.#nextSecond - 1000) {
      wall = this.#clock.wall();
      this.#offset = wall - now;
      const second = Math.floor(wall / 1000);
      this.#nextSecond = (second + 1) * 1000;
      this.#second = ascii(`{"time":"${new Date(second * 1000).toISOString().slice(0, 20)}`);
    }
    out.raw(this.#second);
    out.thousandths(Math.floor(wall) % 1000);
    out.raw(this.#afterTime);
  }
}

function ascii(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}
