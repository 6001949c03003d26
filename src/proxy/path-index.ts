/**
 * The routes of one host, found by path without looking at each of them. Cold to fill, hot to ask.
 *
 * Exact paths and prefixes are looked up in maps; a prefix by each of the lengths that occur, of which there are few.
 * Of all that match, the one that stands first in the config wins.
 */
import type { Exchange } from '../http/exchange.ts';
import type { PathPlan } from '../plan/types.ts';
import type { Predicate } from './predicates.ts';

export interface Entry<T> {
  /** Place in the config: the lowest that matches wins. */
  readonly order: number;
  readonly predicate: Predicate | null;
  readonly value: T;
}

interface PatternEntry<T> extends Entry<T> {
  readonly pattern: RegExp;
}

const SLASH = 0x2f;

export class PathIndex<T> {
  readonly #any: Entry<T>[] = [];
  /** Prefix "/": every path but "*". */
  readonly #root: Entry<T>[] = [];
  readonly #exact = new Map<string, Entry<T>[]>();
  readonly #prefixes = new Map<string, Entry<T>[]>();
  readonly #lengths: number[] = [];
  readonly #patterns: PatternEntry<T>[] = [];

  /** Entries must come in rising order. */
  add(path: PathPlan | null, entry: Entry<T>): void {
    if (path === null) this.#any.push(entry);
    else if (path.kind === 'regex') this.#patterns.push({ ...entry, pattern: new RegExp(path.value) });
    else if (path.kind === 'exact') addTo(this.#exact, path.value, entry);
    else if (path.value === '/') this.#root.push(entry);
    else {
      addTo(this.#prefixes, path.value, entry);
      if (!this.#lengths.includes(path.value.length)) this.#lengths.push(path.value.length);
    }
  }

  /** The first entry that matches and stands before `best`, else `best`. */
  find(x: Exchange, best: Entry<T> | null): Entry<T> | null {
    const path = x.path;
    let found = first(this.#any, x, best);
    if (this.#root.length > 0 && path.charCodeAt(0) === SLASH) found = first(this.#root, x, found);
    if (this.#exact.size > 0) {
      const entries = this.#exact.get(path);
      if (entries !== undefined) found = first(entries, x, found);
    }
    const lengths = this.#lengths;
    for (let i = 0; i < lengths.length; i++) {
      const length = lengths[i]!;
      if (path.length < length || (path.length > length && path.charCodeAt(length) !== SLASH)) continue;
      const entries = this.#prefixes.get(path.length === length ? path : path.slice(0, length));
      if (entries !== undefined) found = first(entries, x, found);
    }
    const patterns = this.#patterns;
    for (let i = 0; i < patterns.length; i++) {
      const entry = patterns[i]!;
      if (found !== null && entry.order > found.order) break;
      if (entry.pattern.test(path) && (entry.predicate === null || entry.predicate(x))) {
        found = entry;
        break;
      }
    }
    return found;
  }
}

function addTo<T>(map: Map<string, Entry<T>[]>, key: string, entry: Entry<T>): void {
  const entries = map.get(key);
  if (entries === undefined) map.set(key, [entry]);
  else entries.push(entry);
}

function first<T>(entries: readonly Entry<T>[], x: Exchange, best: Entry<T> | null): Entry<T> | null {
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!;
    if (best !== null && entry.order > best.order) return best;
    if (entry.predicate === null || entry.predicate(x)) return entry;
  }
  return best;
}
