/**
 * Reads a file that a config is, includes or refers to: strictly, and never for long. Cold.
 *
 * Small configs are read where the traffic is. Whatever is no file (a pipe, a device) could keep that waiting, or never
 * end; what is not UTF-8 (RFC 8259 §8.1, YAML 1.2 §5.2) would silently become another text.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** Larger files are refused: nobody writes them, and they would stop the gateway for seconds. */
const LARGEST_FILE = 32 * 1024 * 1024;

const PART = 64 * 1024;

/** Why a file has no text. */
export interface Unreadable {
  readonly why: string;
}

const CANNOT: Unreadable = { why: 'cannot read this file' };
const NO_FILE: Unreadable = { why: 'is no file' };
const TOO_LARGE: Unreadable = { why: 'is larger than 32 MiB' };
const NOT_UTF8: Unreadable = { why: 'is not UTF-8' };

export function readText(path: string): string | Unreadable {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return CANNOT;
  }
  try {
    if (!fstatSync(descriptor).isFile()) return NO_FILE;
    const bytes = readAll(descriptor);
    return bytes === null ? TOO_LARGE : decodeText(bytes);
  } catch {
    return CANNOT;
  } finally {
    closeSync(descriptor);
  }
}

/** null: there is too much of it. What a file says of its size need not be so. */
function readAll(descriptor: number): Buffer | null {
  const { size } = fstatSync(descriptor);
  if (size > LARGEST_FILE) return null;
  const parts: Buffer[] = [];
  for (let sum = 0; sum <= LARGEST_FILE; ) {
    const part = Buffer.allocUnsafe(Math.max(PART, size - sum));
    const count = readSync(descriptor, part);
    if (count === 0) return Buffer.concat(parts);
    parts.push(part.subarray(0, count));
    sum += count;
  }
  return null;
}

/** Without a byte order mark, which some editors write. */
export function decodeText(bytes: Uint8Array): string | Unreadable {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return NOT_UTF8;
  }
}
