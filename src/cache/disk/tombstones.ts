/**
 * The tombstone file: invalidated keys and records, and purges. Cold.
 *
 * A line is written within the call, before the caller gets its answer: after that, a killed process can't bring the
 * record back. If any line in the file is torn, all older records become doubtful.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { Purge, PurgeKind } from './purges.ts';

const HEADER = 24;

/** All records of a key, or one identity of it. */
export interface Tombstone {
  readonly hash: number;
  /** -1: all. */
  readonly identity: number;
  /** -1: any. */
  readonly kind: number;
  readonly number: number;
}

const ERASED = 1;
const PURGE_KINDS: readonly PurgeKind[] = ['all', 'host', 'prefix', 'tag', 'key'];
/** With ERASED, the types of a line. */
const HARD = 2;
const SOFT = 3;

export interface TombstonesRead {
  readonly erased: readonly Tombstone[];
  readonly purges: readonly Purge[];
  /** The file is intact. */
  readonly sound: boolean;
}

export class Tombstones {
  readonly #path: string;
  #fd: number;
  /** Bytes. */
  size: number;

  constructor(path: string, fd: number, size: number) {
    this.#path = path;
    this.#fd = fd;
    this.size = size;
  }

  /** Throws the system's error. */
  static open(path: string): Tombstones & { readonly read: TombstonesRead } {
    const fd = openSync(path, 'a', 0o600);
    const bytes = readFileSync(path);
    return Object.assign(new Tombstones(path, fd, bytes.length), { read: read(bytes) });
  }

  /** Throws the system's error; the record may then come back. */
  erase(one: Tombstone): void {
    this.#write(erasedLine(one));
  }

  purge(purge: Purge): void {
    this.#write(purgeLine(purge));
  }

  #write(line: Buffer): void {
    this.size += writeSync(this.#fd, line);
  }

  /**
   * Rewrites the file with the lines that still matter: those with a higher number than the lowest record. Returns its
   * size.
   */
  rewrite(lowest: number, purges: readonly Purge[]): number {
    const { erased } = read(readFileSync(this.#path));
    const kept = erased.filter(({ number }) => number > lowest).map(erasedLine);
    return this.replace([...kept, ...purges.map(purgeLine)]);
  }

  replace(lines: readonly Buffer[]): number {
    const bytes = Buffer.concat(lines);
    writeFileSync(`${this.#path}.new`, bytes, { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
    closeSync(this.#fd);
    this.#fd = openSync(this.#path, 'a', 0o600);
    this.size = bytes.length;
    return this.size;
  }

  /** `sync`: flush to the disk. */
  close(sync: boolean): void {
    try {
      if (sync) fsyncSync(this.#fd);
    } finally {
      closeSync(this.#fd);
    }
  }
}

function line(type: number, number: number, at: number, payload: Buffer): Buffer {
  const out = Buffer.alloc(HEADER + payload.length);
  out.writeUInt16LE(payload.length, 4);
  out.writeUInt8(type, 6);
  out.writeDoubleLE(number, 8);
  out.writeDoubleLE(at, 16);
  payload.copy(out, HEADER);
  out.writeUInt32LE(crc32(out.subarray(4)), 0);
  return out;
}

function erasedLine({ hash, identity, kind, number }: Tombstone): Buffer {
  const payload = Buffer.alloc(24);
  payload.writeDoubleLE(hash, 0);
  payload.writeDoubleLE(identity, 8);
  payload.writeInt32LE(kind, 16);
  return line(ERASED, number, 0, payload);
}

function purgeLine({ kind, value, soft, number, at }: Purge): Buffer {
  const payload = Buffer.concat([Buffer.of(PURGE_KINDS.indexOf(kind)), Buffer.from(value)]);
  return line(soft ? SOFT : HARD, number, at, payload);
}

/** Longer values don't fit in a line. */
export const LONGEST_VALUE = 60_000;

function read(bytes: Buffer): TombstonesRead {
  const erased: Tombstone[] = [];
  const purges: Purge[] = [];
  let at = 0;
  while (bytes.length - at >= HEADER) {
    const end = at + HEADER + bytes.readUInt16LE(at + 4);
    if (end > bytes.length || crc32(bytes.subarray(at + 4, end)) !== bytes.readUInt32LE(at)) break;
    const number = bytes.readDoubleLE(at + 8);
    const type = bytes.readUInt8(at + 6);
    const payload = bytes.subarray(at + HEADER, end);
    if (type === ERASED && payload.length === 24) {
      const [hash, identity, kind] = [payload.readDoubleLE(0), payload.readDoubleLE(8), payload.readInt32LE(16)];
      erased.push({ hash, identity, kind, number });
    } else {
      const kind = PURGE_KINDS[payload[0] ?? -1];
      if ((type !== HARD && type !== SOFT) || kind === undefined) break;
      purges.push({
        kind,
        value: payload.toString('utf8', 1),
        soft: type === SOFT,
        number,
        at: bytes.readDoubleLE(at + 16),
      });
    }
    at = end;
  }
  return { erased, purges, sound: at === bytes.length };
}
