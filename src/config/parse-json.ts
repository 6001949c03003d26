/** Parses JSON and JSON5 to a value, with the position of every key and value. Cold. */
import { type ObjectNode, parse as parseJson, type ValueNode } from '@humanwhocodes/momoa';
import JSON5 from 'json5';
import { broken, type ParsedFile, segments, twice } from './parsed-file.ts';
import type { Position, Problem } from './problem.ts';

export function parseJsonOr5(file: string, text: string, mode: 'json' | 'json5'): ParsedFile {
  let root: ValueNode;
  let value: unknown;
  try {
    // One parser gives positions, the other defines the language: a text that only one accepts is not valid. For JSON5
    // the defining parser runs first, because the other never ends at a text that stops within an escape.
    if (mode === 'json5') value = JSON5.parse(text);
    root = parseJson(text, { mode, ranges: false }).body;
    if (mode === 'json') value = JSON.parse(text);
  } catch (error) {
    if (error instanceof RangeError) throw error;
    const { line, column, message } = placeOf(error);
    return broken({ file, line, column }, message);
  }
  const problems: Problem[] = [];
  findDuplicates(root, '', file, problems);
  const places = new JsonPlaces(root);
  const locate = (pointer: string, at?: 'key' | 'value'): Position => {
    const { line, column } = places.startOf(pointer, at === 'key');
    return { file, line, column };
  };
  return { value: problems.length > 0 ? undefined : value, problems, locate };
}

/**
 * Each parser reports the position in its own way; JSON.parse, which finds errors that the other accepts, not at all.
 */
function placeOf(error: unknown): { line: number; column: number; message: string } {
  const told = error as { line?: number; column?: number; lineNumber?: number; columnNumber?: number; message: string };
  return {
    line: told.line ?? told.lineNumber ?? 1,
    column: Math.max(1, told.column ?? told.columnNumber ?? 1),
    message: told.message.replace(/^JSON5: /, '').replace(/ \(\d+:\d+\)$| at \d+:\d+$/, ''),
  };
}

function keyOf(member: Member): string {
  return member.name.type === 'String' ? member.name.value : member.name.name;
}

type Member = ObjectNode['members'][number];

class JsonPlaces {
  readonly #root: ValueNode;
  /** The members of each object by key, indexed once. */
  readonly #members = new Map<ObjectNode, ReadonlyMap<string, Member>>();

  constructor(root: ValueNode) {
    this.#root = root;
  }

  startOf(pointer: string, wantKey: boolean): { line: number; column: number } {
    let node: ValueNode = this.#root;
    const parts = segments(pointer);
    for (const [i, part] of parts.entries()) {
      if (node.type === 'Object') {
        const member = this.#membersOf(node).get(part);
        if (member === undefined) break;
        if (wantKey && i === parts.length - 1) return member.name.loc.start;
        node = member.value;
      } else if (node.type === 'Array') {
        const element = node.elements[Number(part)];
        if (element === undefined) break;
        node = element.value;
      } else break;
    }
    return node.loc.start;
  }

  #membersOf(node: ObjectNode): ReadonlyMap<string, Member> {
    let found = this.#members.get(node);
    if (found === undefined)
      this.#members.set(node, (found = new Map(node.members.map((one) => [keyOf(one), one] as const))));
    return found;
  }
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
