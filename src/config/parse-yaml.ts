/** Parses YAML 1.2 to a value, with the position of every key and value. Cold. */
import {
  Composer,
  CST,
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  Parser,
  visit,
  type YAMLError,
} from 'yaml';
import { broken, DEEPEST, type ParsedFile, segments, tooDeep, twice } from './parsed-file.ts';
import { errorAt, type Position, type Problem } from './problem.ts';

/** Duplicate keys are found here instead, with both positions. */
const OPTIONS = { merge: true, uniqueKeys: false, prettyErrors: false, logLevel: 'error' } as const;

const MORE = 'more than one document in a file';

export function parseYaml(file: string, text: string): ParsedFile {
  const lines = new LineCounter();
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const beyond = beyondDeepest(tokens);
  if (beyond !== null) return tooDeep(at(beyond));
  const documents = new Composer(OPTIONS).compose(tokens, true, text.length);
  // An empty text is an empty document.
  const document = documents.next().value as Document.Parsed;
  const problems: Problem[] = document.errors.flatMap((error) => syntaxProblem(error, at));
  // A `---` at the end begins another, empty document.
  const second = [...documents].find((one) => one.errors.length > 0 || !isNothing(one.contents));
  if (second !== undefined) problems.push(errorAt(at(second.range[0]), '', MORE));
  // An alias refers to the last node before it with that anchor (YAML 1.2 §7.1).
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
      const place = at(alias.range?.[0] ?? 0);
      if (target === undefined) problems.push(noAnchor(place, alias.source));
      else if (path.includes(target)) problems.push(errorAt(place, '', `${alias.source} would hold itself`));
    },
  });
  if (problems.length > 0) return { value: undefined, problems, locate: () => ({ file, line: 1, column: 1 }) };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 1000 });
  } catch (error) {
    return broken(at(0), error instanceof Error ? error.message : String(error));
  }
  const places = new YamlPlaces(document, targets);
  return {
    value: value ?? undefined,
    problems: [],
    locate: (pointer, what) => at(places.offsetOf(pointer, what === 'key')),
  };
}

/** The node is empty: it lacks even the word `null`. */
function isNothing(contents: unknown): boolean {
  return contents === null || (isScalar(contents) && contents.value === null && (contents.source ?? '') === '');
}

/** The parser's message, and a hint. */
function syntaxProblem({ code, message, pos }: YAMLError, at: (offset: number) => Position): Problem[] {
  // Reported where aliases are resolved.
  if (code === 'BAD_ALIAS' && /empty/.test(message)) return [];
  return [errorAt(at(pos[0]), '', message, code === 'TAB_AS_INDENT' ? 'indent with spaces' : undefined)];
}

/** Most often a text that begins with a star was meant. */
function noAnchor(place: Position, name: string): Problem {
  const hint = `a star begins the name of an anchor; if a text is meant, write "*${name}" in quotes`;
  return errorAt(place, '', name === '' ? 'a star alone names no anchor' : `there is no anchor ${name}`, hint);
}

/**
 * The offset of the first map or list that is nested too deeply; null: none is. Checked before nodes are composed from
 * the tokens, which takes stack and heap in proportion to the depth.
 */
function beyondDeepest(tokens: readonly CST.Token[]): number | null {
  const rest = tokens.map((token) => ({ token, level: 0 }));
  let first: number | null = null;
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { token, level } = next;
    if (token.type === 'document') {
      if (token.value !== undefined) rest.push({ token: token.value, level });
    } else if (CST.isCollection(token)) {
      if (level < DEEPEST) for (const inner of tokensIn(token)) rest.push({ token: inner, level: level + 1 });
      else first = Math.min(first ?? token.offset, token.offset);
    }
  }
  return first;
}

function tokensIn({ items }: CST.BlockMap | CST.BlockSequence | CST.FlowCollection): CST.Token[] {
  return items.flatMap(({ key, value }) => [key ?? [], value ?? []]).flat();
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

/** The target of each alias. */
type Targets = Map<unknown, Node>;

class YamlPlaces {
  readonly #document: Document;
  readonly #targets: Targets;
  /** The pairs of each map by key, indexed once: many of them may have problems. */
  readonly #pairs = new Map<readonly Pair[], ReadonlyMap<string, Pair>>();

  constructor(document: Document, targets: Targets) {
    this.#document = document;
    this.#targets = targets;
  }

  offsetOf(pointer: string, wantKey: boolean): number {
    let node: unknown = this.#document.contents;
    let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
    const parts = segments(pointer);
    for (const [i, part] of parts.entries()) {
      node = this.#targets.get(node) ?? node;
      if (isMap(node)) {
        const pair = this.#pairsOf(node.items).get(part) ?? this.#mergedPair(node.items, part);
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

  #pairsOf(items: readonly Pair[]): ReadonlyMap<string, Pair> {
    let found = this.#pairs.get(items);
    if (found === undefined) {
      found = new Map(items.flatMap((pair) => (isScalar(pair.key) ? [[String(pair.key.value), pair] as const] : [])));
      this.#pairs.set(items, found);
    }
    return found;
  }

  /** The pair of that key that a merge (`<<`) brought in. */
  #mergedPair(items: readonly Pair[], key: string): Pair | undefined {
    for (const pair of items) {
      if (!isScalar(pair.key) || (pair.key.value !== '<<' && typeof pair.key.value !== 'symbol')) continue;
      const sources = isSeq(pair.value) ? pair.value.items : [pair.value];
      for (const source of sources) {
        const map = this.#targets.get(source) ?? source;
        if (!isMap(map)) continue;
        const found = this.#pairsOf(map.items).get(key) ?? this.#mergedPair(map.items, key);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'range' in value;
}
