/** The on-disk form of a history entry (which texts were in effect, since when and why) and of a hold. Cold. */
import { createHash } from 'node:crypto';
import type { ConfigTexts } from '../config/config-reader.ts';

/** The version of the format. A file with another one was written by another version, and is left alone. */
const VERSION = 1;

export interface Entry {
  /** Increases from 1; unlike a generation, it survives the process. */
  readonly number: number;
  /** ISO time. */
  readonly at: string;
  /** The trigger, and the client that requested it; '' if there is none. */
  readonly trigger: string;
  readonly by: string;
  /** Those of the process that wrote it. */
  readonly generation: number;
  readonly pid: number;
  /** A digest of the config's own texts, which identify an entry: see contentOf. */
  readonly content: string;
  /** A short summary of the changes. */
  readonly changes: string;
  /** The config file given to the gateway. */
  readonly file: string;
  readonly sources: readonly StoredText[];
  readonly globs: readonly StoredGlob[];
}

export interface StoredText {
  readonly path: string;
  /** SHA-256 of the text, and the name under which it is stored. */
  readonly blob: string;
}

interface StoredGlob {
  readonly pattern: string;
  readonly found: readonly string[];
}

/** As long as the file has the content it had then, another config serves instead. */
export interface Hold {
  /** ISO time. */
  readonly since: string;
  /** The entry that was requested. */
  readonly entry: number;
  /** The content that serves. */
  readonly serves: string;
  /** The content of the file. */
  readonly instead_of: string;
}

/** Written by another version: neither readable nor damaged. */
export const FOREIGN = Symbol('foreign');

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Hex SHA-256 of the names and contents of the config's own texts; files named by `${file:…}` are not included. */
export function contentOf({ texts, found: patterns }: ConfigTexts): string {
  const sources = [...texts].map(([path, text]) => ({ path, blob: text === null ? 'missing' : sha256(text) }));
  return digestOf(
    sources,
    [...patterns].map(([pattern, found]) => ({ pattern, found })),
  );
}

function digestOf(sources: readonly StoredText[], globs: readonly StoredGlob[]): string {
  const lines = [
    ...sources.map(({ path, blob }) => JSON.stringify([path, blob])),
    ...globs.map(({ pattern, found }) => JSON.stringify([pattern, found])),
  ];
  return sha256(lines.toSorted().join('\n'));
}

export function writeEntry(entry: Entry): string {
  return `${JSON.stringify({ version: VERSION, ...entry }, null, 2)}\n`;
}

/** null: damaged. */
export function readEntry(text: string): Entry | typeof FOREIGN | null {
  const value = parse(text);
  if (value === null || value === FOREIGN) return value;
  const { number, at, trigger, by, generation, pid, content, changes, file, sources, globs } = value;
  if (!isCount(number) || !isCount(generation) || !isCount(pid)) return null;
  if (!isText(at) || !isText(trigger) || !isText(by) || !isText(content) || !isText(changes) || !isText(file))
    return null;
  if (!Array.isArray(sources) || !sources.every(isStoredText)) return null;
  if (!Array.isArray(globs) || !globs.every(isStoredGlob)) return null;
  if (digestOf(sources, globs) !== content) return null;
  return { number, at, trigger, by, generation, pid, content, changes, file, sources, globs };
}

export function writeHold(hold: Hold): string {
  return `${JSON.stringify({ version: VERSION, ...hold }, null, 2)}\n`;
}

/** null: damaged. */
export function readHold(text: string): Hold | typeof FOREIGN | null {
  const value = parse(text);
  if (value === null || value === FOREIGN) return value;
  const { since, entry, serves, instead_of } = value;
  if (!isText(since) || !isCount(entry) || !isText(serves) || !isText(instead_of)) return null;
  return { since, entry, serves, instead_of };
}

function parse(text: string): Record<string, unknown> | typeof FOREIGN | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(value) || !isCount(value['version'])) return null;
  return value['version'] === VERSION ? value : FOREIGN;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isStoredText(value: unknown): value is StoredText {
  return isRecord(value) && isText(value['path']) && isText(value['blob']) && /^[0-9a-f]{64}$/.test(value['blob']);
}

function isStoredGlob(value: unknown): value is StoredGlob {
  return isRecord(value) && isText(value['pattern']) && Array.isArray(value['found']) && value['found'].every(isText);
}
