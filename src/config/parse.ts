/**
 * Text to value, by the file's extension, with the place of every key and value. Cold.
 *
 * The extension alone decides: YAML would read a JSON5 comment as a key. Duplicate keys are problems in all formats.
 */
import { extname } from 'node:path';
import { parse as parseJson, type ObjectNode, type ValueNode } from '@humanwhocodes/momoa';
import JSON5 from 'json5';
import { isMap, isScalar, isSeq, LineCounter, parseDocument, visit, type Document, type Node, type Pair } from 'yaml';
import type { Position, Problem } from './problem.ts';

export interface ParsedFile {
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** The place of the value at a JSON Pointer, or of its key; of its nearest ancestor if it is not there. */
  locate(pointer: string, at?: 'key' | 'value'): Position;
}

/** Levels of maps and lists in each other; configs have about ten. What is beyond would be more than the stack holds. */
const DEEPEST = 100;
const TOO_DEEP = `has more than ${DEEPEST} levels`;

export function parseConfig(file: string, text: string): ParsedFile {
  try {
    const parsed = parseByName(file, text);
    return isDeeper(parsed.value, DEEPEST) ? broken(file, 1, 1, TOO_DEEP) : parsed;
  } catch (error) {
    // What parsers say whose stack has overflowed.
    if (error instanceof RangeError) return broken(file, 1, 1, TOO_DEEP);
    throw error;
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((one) => isDeeper(one, levels - 1));
}

function parseByName(file: string, text: string): ParsedFile {
  const extension = extname(file).toLowerCase();
  if (extension === '.yaml' || extension === '.yml') return parseYaml(file, text);
  if (extension === '.json' || extension === '.json5')
    return parseJsonOr5(file, text, extension === '.json' ? 'json' : 'json5');
  return broken(file, 1, 1, `cannot tell the format of ${file}`, 'the name must end in .yaml, .yml, .json or .json5');
}

function broken(file: string, line: number, column: number, message: string, hint?: string): ParsedFile {
  const problem = { file, line, column, pointer: '', message, ...(hint === undefined ? {} : { hint }) };
  return { value: undefined, problems: [problem], locate: () => ({ file, line, column }) };
}

function twice(place: Position, pointer: string, first: Position): Problem {
  return {
    ...place,
    pointer,
    message: 'the same key twice in one map',
    related: [{ ...first, message: 'first here' }],
  };
}

export function segments(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

// === YAML

function parseYaml(file: string, text: string): ParsedFile {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    merge: true,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'error',
  });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problems: Problem[] = document.errors.map((error) => ({
    ...at(error.pos[0]),
    pointer: '',
    message: error.message,
  }));
  // An alias stands for what was last called so before it (YAML 1.2 §7.1).
  const anchors = new Map<string, Node>();
  const targets: Targets = new Map();
  const note = (_: unknown, node: Node & { anchor?: string }): void => {
    if (node.anchor !== undefined) anchors.set(node.anchor, node);
  };
  visit(document, {
    Scalar: note,
    Seq: note,
    Map: (_, map) => {
      note(_, map);
      for (const one of duplicates(map.items, at)) problems.push(one);
    },
    Alias: (_, alias, path) => {
      const target = anchors.get(alias.source);
      if (target !== undefined) targets.set(alias, target);
      const place = { ...at(alias.range?.[0] ?? 0), pointer: '' };
      if (target === undefined) problems.push({ ...place, message: `there is no anchor ${alias.source}` });
      else if (path.includes(target)) problems.push({ ...place, message: `${alias.source} would hold itself` });
    },
  });
  if (problems.length > 0) return { value: undefined, problems, locate: () => ({ file, line: 1, column: 1 }) };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 1000 });
  } catch (error) {
    return broken(file, 1, 1, error instanceof Error ? error.message : String(error));
  }
  return {
    value: value ?? undefined,
    problems: [],
    locate: (pointer, what) => at(locateYaml(document, pointer, what === 'key', targets)),
  };
}

function duplicates(items: readonly Pair[], at: (offset: number) => Position): Problem[] {
  const seen = new Map<string, Position>();
  return items.flatMap(({ key }) => {
    if (!isScalar(key) || key.value === '<<' || typeof key.value === 'symbol') return [];
    const name = String(key.value);
    const place = at(key.range?.[0] ?? 0);
    const first = seen.get(name);
    if (first !== undefined) return twice(place, '', first);
    seen.set(name, place);
    return [];
  });
}

/** What each alias stands for. */
type Targets = Map<unknown, Node>;

function locateYaml(document: Document, pointer: string, wantKey: boolean, targets: Targets): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  const parts = segments(pointer);
  for (const [i, part] of parts.entries()) {
    node = targets.get(node) ?? node;
    if (isMap(node)) {
      const pair = pairs(node.items).get(part) ?? mergedPair(node.items, part, targets);
      if (pair === undefined) return offset;
      const keyStart = isNode(pair.key) ? pair.key.range?.[0] : undefined;
      node = pair.value;
      const valueStart = isNode(node) ? node.range?.[0] : undefined;
      offset = (wantKey && i === parts.length - 1 ? keyStart : (valueStart ?? keyStart)) ?? offset;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      offset = (isNode(node) ? node.range?.[0] : undefined) ?? offset;
    } else return offset;
  }
  return offset;
}

/** What is in a map by its key, found once: there may be a problem with each of very many. */
const known = new WeakMap<readonly Pair[], ReadonlyMap<string, Pair>>();

function pairs(items: readonly Pair[]): ReadonlyMap<string, Pair> {
  let found = known.get(items);
  if (found === undefined) {
    found = new Map(items.flatMap((pair) => (isScalar(pair.key) ? [[String(pair.key.value), pair] as const] : [])));
    known.set(items, found);
  }
  return found;
}

/** The pair of that key that came in through a merge (`<<`). */
function mergedPair(items: readonly Pair[], key: string, targets: Targets): Pair | undefined {
  for (const pair of items) {
    if (!isScalar(pair.key) || (pair.key.value !== '<<' && typeof pair.key.value !== 'symbol')) continue;
    const sources = isSeq(pair.value) ? pair.value.items : [pair.value];
    for (const source of sources) {
      const map = targets.get(source) ?? source;
      const found = isMap(map) ? (pairs(map.items).get(key) ?? mergedPair(map.items, key, targets)) : undefined;
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'range' in value;
}

// === JSON and JSON5

function parseJsonOr5(file: string, text: string, mode: 'json' | 'json5'): ParsedFile {
  let root: ValueNode;
  let value: unknown;
  try {
    // One parser knows the places, the other what the language says: where they differ, the text is not of that language.
    // Its own comes first for JSON5, since at a text that ends within an escape the other would never come to an end.
    if (mode === 'json5') value = JSON5.parse(text);
    root = parseJson(text, { mode, ranges: false }).body;
    if (mode === 'json') value = JSON.parse(text);
  } catch (error) {
    if (error instanceof RangeError) throw error;
    const { line, column, message } = placeOf(error);
    return broken(file, line, column, message);
  }
  const problems: Problem[] = [];
  findDuplicates(root, '', file, problems);
  const locate = (pointer: string, at?: 'key' | 'value'): Position => {
    const { start } = locateJson(root, pointer, at === 'key').loc;
    return { file, line: start.line, column: start.column };
  };
  return { value: problems.length > 0 ? undefined : value, problems, locate };
}

/** Each parser tells it in its own way; JSON.parse, which finds what the other has let pass, not at all. */
function placeOf(error: unknown): { line: number; column: number; message: string } {
  const told = error as { line?: number; column?: number; lineNumber?: number; columnNumber?: number; message: string };
  return {
    line: told.line ?? told.lineNumber ?? 1,
    column: Math.max(1, told.column ?? told.columnNumber ?? 1),
    message: told.message.replace(/^JSON5: /, '').replace(/ \(\d+:\d+\)$| at \d+:\d+$/, ''),
  };
}

function keyOf(member: ObjectNode['members'][number]): string {
  return member.name.type === 'String' ? member.name.value : member.name.name;
}

const knownMembers = new WeakMap<ObjectNode, ReadonlyMap<string, ObjectNode['members'][number]>>();

function membersOf(node: ObjectNode): ReadonlyMap<string, ObjectNode['members'][number]> {
  let found = knownMembers.get(node);
  if (found === undefined)
    knownMembers.set(node, (found = new Map(node.members.map((one) => [keyOf(one), one] as const))));
  return found;
}

function locateJson(
  root: ValueNode,
  pointer: string,
  wantKey: boolean,
): { loc: { start: { line: number; column: number } } } {
  let node: ValueNode = root;
  const parts = segments(pointer);
  for (const [i, part] of parts.entries()) {
    if (node.type === 'Object') {
      const member = membersOf(node).get(part);
      if (member === undefined) return node;
      if (wantKey && i === parts.length - 1) return member.name;
      node = member.value;
    } else if (node.type === 'Array') {
      const element = node.elements[Number(part)];
      if (element === undefined) return node;
      node = element.value;
    } else return node;
  }
  return node;
}

function findDuplicates(node: ValueNode, pointer: string, file: string, problems: Problem[]): void {
  if (node.type === 'Array')
    node.elements.forEach((one, i) => findDuplicates(one.value, `${pointer}/${i}`, file, problems));
  if (node.type !== 'Object') return;
  const seen = new Map<string, Position>();
  for (const member of node.members) {
    const key = keyOf(member);
    const { line, column } = member.name.loc.start;
    const first = seen.get(key);
    if (first === undefined) seen.set(key, { file, line, column });
    else problems.push(twice({ file, line, column }, `${pointer}/${key}`, first));
    findDuplicates(member.value, `${pointer}/${key}`, file, problems);
  }
}
