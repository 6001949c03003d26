/**
 * Merges the root file and the files it includes into one document; each value keeps the position where it was written.
 * Cold.
 *
 * Named maps are merged; routes, tests and invariants are appended in the order of the file names. A name declared
 * twice is a problem that shows both places.
 */
import { dirname, resolve } from 'node:path';
import { parseConfig } from './parse.ts';
import { type ParsedFile, segments } from './parsed-file.ts';
import { errorAt, type Position, type Problem } from './problem.ts';
import type { Unreadable } from './read-text.ts';
import type { ConfigReader } from './config-reader.ts';

/** The position of the value, or of its key, at a JSON Pointer of the merged document. */
export type Locate = (pointer: string, at?: 'key' | 'value') => Position;

export interface Merged {
  readonly value: Record<string, unknown>;
  readonly problems: readonly Problem[];
  readonly locate: Locate;
  /** Whether a file could not be read or parsed: then the meaning of the whole is unknown. */
  readonly broken: boolean;
}

const MAPS = ['acme', 'certificates', 'acls', 'caches', 'pools', 'listeners'];
const LISTS = ['routes', 'tests', 'invariants'];

interface Origin {
  readonly parsed: ParsedFile;
  readonly pointer: string;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function readAndMerge(file: string, reader: ConfigReader): Merged {
  const problems: Problem[] = [];
  const origins = new Map<string, Origin>();
  const root = parseOne(file, reader, problems);
  let broken = root.problems.length > 0 || !isRecord(root.value);
  const value: Record<string, unknown> = isRecord(root.value) ? { ...root.value } : {};
  const locate: Locate = (pointer, at) => {
    const [first = '', second = '', ...rest] = segments(pointer).map(escape);
    const origin = origins.get(`/${first}/${second}`);
    if (origin === undefined) return root.locate(pointer, at);
    return origin.parsed.locate([origin.pointer, ...rest].join('/'), at);
  };
  if (root.problems.length === 0 && !isRecord(root.value)) {
    const empty = root.value === undefined || root.value === null;
    const hint = 'the least is version: 1, a listener, and a route or a pool';
    problems.push(errorAt(root.locate(''), '', empty ? 'has nothing in it' : 'must be a map of settings', hint));
  }
  for (const name of MAPS) if (isRecord(value[name])) value[name] = { ...value[name] };
  const lists = new Map<string, unknown[]>();
  for (const name of LISTS) {
    const list = value[name] ?? [];
    // The schema reports a value that should be a list and is not.
    if (Array.isArray(list)) lists.set(name, [...(list as unknown[])]);
  }
  const patterns = Array.isArray(value['include']) ? value['include'].filter((one) => typeof one === 'string') : [];
  for (const [i, pattern] of patterns.entries()) {
    if (pattern.includes('**')) {
      const message = 'must not look through whole trees of directories (**)';
      problems.push(errorAt(root.locate(`/include/${i}`), `/include/${i}`, message));
      broken = true;
      continue;
    }
    const absolute = resolve(dirname(file), pattern);
    const found = reader.glob(absolute);
    const absent = found.length === 0 && !/[*?[{]/.test(pattern) ? reader.look(absolute) : '';
    if (typeof absent !== 'string') {
      problems.push(errorAt(root.locate(`/include/${i}`), `/include/${i}`, absent.why));
      broken = true;
    }
    for (const path of found) if (path !== file) mergeOne(parseOne(path, reader, problems));
  }
  if (patterns.length > 0) for (const [name, list] of lists) value[name] = list;
  return { value, problems, locate, broken };

  function mergeOne(parsed: ParsedFile): void {
    if (parsed.problems.length > 0) broken = true;
    if (!isRecord(parsed.value)) return;
    for (const [key, part] of Object.entries(parsed.value)) {
      if (LISTS.includes(key) && Array.isArray(part)) {
        const list = lists.get(key);
        part.forEach((one, i) => {
          origins.set(`/${key}/${list?.length ?? 0}`, { parsed, pointer: `/${key}/${i}` });
          list?.push(one);
        });
      } else if (MAPS.includes(key) && isRecord(part)) mergeMap(key, part, parsed);
      else if (key !== 'version' && key !== '$schema' && !key.startsWith('x-')) {
        const hint = `only ${[...MAPS, ...LISTS].join(', ')} are merged`;
        const pointer = `/${escape(key)}`;
        problems.push(errorAt(parsed.locate(pointer, 'key'), pointer, 'may not stand in an included file', hint));
      }
    }
  }

  function mergeMap(key: string, part: Record<string, unknown>, parsed: ParsedFile): void {
    const target = isRecord(value[key]) ? value[key] : {};
    value[key] = target;
    for (const [name, setting] of Object.entries(part)) {
      const pointer = `/${key}/${escape(name)}`;
      if (Object.hasOwn(target, name)) {
        problems.push({
          ...errorAt(parsed.locate(pointer, 'key'), pointer, `${name} is declared twice`),
          related: [{ ...locate(pointer, 'key'), message: 'first declared here' }],
        });
        continue;
      }
      // Not by assignment: `__proto__` would set the prototype and vanish.
      Object.defineProperty(target, name, { value: setting, writable: true, enumerable: true, configurable: true });
      origins.set(pointer, { parsed, pointer });
    }
  }
}

function parseOne(file: string, reader: ConfigReader, problems: Problem[]): ParsedFile {
  const text = reader.config(file);
  const parsed = typeof text === 'string' ? parseConfig(file, text) : unreadable(file, text);
  problems.push(...parsed.problems);
  return parsed;
}

function unreadable(file: string, { why }: Unreadable): ParsedFile {
  const place = { file, line: 1, column: 1 };
  return {
    value: undefined,
    problems: [errorAt(place, '', why)],
    locate: () => place,
  };
}

function escape(segment: string): string {
  return segment.replaceAll('~', '~0').replaceAll('/', '~1');
}
