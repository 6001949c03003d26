/**
 * Reads a file of a config, or one that it includes, references or names: strictly, and in bounded time. Cold.
 *
 * Small configs are read in the process that serves traffic. Reading something other than a regular file (a pipe, a
 * device) could block it, or never end. Text that is not UTF-8 (RFC 8259 §8.1, YAML 1.2 §5.2) would silently become
 * another text.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { systemReason } from '../kit/system-reason.ts';

/** Larger files are refused: handwritten configs are smaller, and reading them would stop the gateway for seconds. */
const LARGEST_FILE = 32 * 1024 * 1024;

const PART = 64 * 1024;

/** The reason why a file has no text. */
export interface Unreadable {
  /** The message about the file itself. */
  readonly why: string;
  /** The message where the file is referenced. */
  readonly reason: string;
}

const NO_FILE: Unreadable = { why: 'is no file', reason: 'it is no file' };
const DIRECTORY: Unreadable = { why: 'is a directory, not a file', reason: 'it is a directory' };
const TOO_LARGE: Unreadable = { why: 'is larger than 32 MiB', reason: 'it is larger than 32 MiB' };
const NOT_UTF8: Unreadable = { why: 'is not UTF-8', reason: 'it is not UTF-8' };

export function readText(path: string): string | Unreadable {
  const bytes = readBytes(path);
  return bytes instanceof Uint8Array ? decodeText(bytes) : bytes;
}

export function readBytes(path: string): Uint8Array | Unreadable {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return unreadable(error);
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) return stat.isDirectory() ? DIRECTORY : NO_FILE;
    const bytes = readAll(descriptor);
    return bytes ?? TOO_LARGE;
  } catch (error) {
    return unreadable(error);
  } finally {
    closeSync(descriptor);
  }
}

/** A system error with a file is a problem of the config. */
function unreadable(error: unknown): Unreadable {
  const reason = systemReason(error);
  return { why: `cannot read this file: ${reason}`, reason };
}

/** Returns null if the file is too large. Its reported size may be wrong. */
function readAll(descriptor: number): Buffer | null {
  const { size } = fstatSync(descriptor);
  if (size > LARGEST_FILE) return null;
  const parts: Buffer[] = [];
  for (let sum = 0; sum <= LARGEST_FILE; ) {
    // One byte more than it should have tells that it has ended.
    const part = Buffer.allocUnsafe(sum === 0 && size > 0 ? size + 1 : PART);
    const count = readSync(descriptor, part);
    if (count === 0) return Buffer.concat(parts);
    parts.push(part.subarray(0, count));
    sum += count;
    if (sum === size) return Buffer.concat(parts);
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
