/**
 * Finds the routes of one host by path, without a test of each one. Cold to fill, hot to query.
 *
 * Exact paths and prefixes are looked up in maps; prefixes once for each length that occurs, and few do. Of all
 * matching routes the first in the config wins.
 */
import type { Exchange } from '../http/exchange.ts';
import { compileRegex } from '../kit/linear-regex.ts';
import type { PathPlan } from '../plan/types/match.ts';
import type { Predicate } from './predicates.ts';

export interface Entry<T> {
  /** Order in the config: the lowest matching entry wins. */
  readonly order: number;
  readonly predicate: Predicate | null;
  /** Set for a regular expression path; null for others. */
  readonly pattern: RegExp | null;
  readonly value: T;
}

/** Entries to remove, and entries to insert. */
export interface Edit<T> {
  readonly gone: { readonly path: PathPlan | null; readonly order: number }[];
  readonly come: { readonly path: PathPlan | null; readonly entry: Entry<T> }[];
}

export function compilePattern(path: PathPlan | null): RegExp | null {
  return path?.kind === 'regex' ? compileRegex(path.value) : null;
}

const SLASH = 0x2f;

export class PathIndex<T> {
  #any: Entry<T>[] = [];
  /** Prefix "/": every path but "*". */
  #root: Entry<T>[] = [];
  #exact = new Map<string, Entry<T>[]>();
  #prefixes = new Map<string, Entry<T>[]>();
  #lengths: number[] = [];
  #patterns: Entry<T>[] = [];

  /** Entries must be added in ascending order. */
  add(path: PathPlan | null, entry: Entry<T>): void {
    if (path === null) this.#any.push(entry);
    else if (path.kind === 'regex') this.#patterns.push(entry);
    else if (path.kind === 'exact') addTo(this.#exact, path.value, entry);
    else if (path.value === '/') this.#root.push(entry);
    else {
      addTo(this.#prefixes, path.value, entry);
      if (!this.#lengths.includes(path.value.length)) this.#lengths.push(path.value.length);
    }
  }

  get empty(): boolean {
    return (
      this.#any.length === 0 &&
      this.#root.length === 0 &&
      this.#exact.size === 0 &&
      this.#prefixes.size === 0 &&
      this.#patterns.length === 0
    );
  }

  /** An edited copy. It shares all unchanged parts with this one. */
  edited({ gone, come }: Edit<T>): PathIndex<T> {
    const next = new PathIndex<T>();
    next.#any = this.#any;
    next.#root = this.#root;
    next.#exact = new Map(this.#exact);
    next.#prefixes = new Map(this.#prefixes);
    next.#patterns = this.#patterns;
    for (const { path, order } of gone) next.#change(path, (entries) => entries.filter((one) => one.order !== order));
    for (const { path, entry } of come) next.#change(path, (entries) => inserted(entries, entry));
    next.#lengths = [...new Set([...next.#prefixes.keys()].map((prefix) => prefix.length))];
    return next;
  }

  #change(path: PathPlan | null, change: (entries: readonly Entry<T>[]) => Entry<T>[]): void {
    if (path === null) this.#any = change(this.#any);
    else if (path.kind === 'regex') this.#patterns = change(this.#patterns);
    else if (path.kind === 'exact') changeIn(this.#exact, path.value, change);
    else if (path.value === '/') this.#root = change(this.#root);
    else changeIn(this.#prefixes, path.value, change);
  }

  /** The first matching entry in front of `best`, else `best`. */
  find(x: Exchange, best: Entry<T> | null): Entry<T> | null {
    const path = x.routedPath;
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
      if (entry.pattern!.test(path) && (entry.predicate === null || entry.predicate(x))) {
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

function changeIn<T>(
  map: Map<string, Entry<T>[]>,
  key: string,
  change: (entries: readonly Entry<T>[]) => Entry<T>[],
): void {
  const entries = change(map.get(key) ?? []);
  if (entries.length === 0) map.delete(key);
  else map.set(key, entries);
}

/** Inserts the entry at its place in the order. */
function inserted<T>(entries: readonly Entry<T>[], entry: Entry<T>): Entry<T>[] {
  const place = entries.findIndex(({ order }) => order > entry.order);
  return place < 0 ? [...entries, entry] : entries.toSpliced(place, 0, entry);
}

function first<T>(entries: readonly Entry<T>[], x: Exchange, best: Entry<T> | null): Entry<T> | null {
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!;
    if (best !== null && entry.order > best.order) return best;
    if (entry.predicate === null || entry.predicate(x)) return entry;
  }
  return best;
}
