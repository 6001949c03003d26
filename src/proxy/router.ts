/**
 * Finds the first route whose every condition holds, at a cost that does not grow with the number of routes. Hot.
 *
 * Compiled by runtime/snapshot/bind.ts for each listener of a snapshot: host → path → the other conditions. A route may stand
 * under several hosts; all indexes that can match are asked, and the lowest place in the config wins.
 */
import type { Exchange } from '../http/exchange.ts';
import type { MatchPlan } from '../plan/types.ts';
import { compilePattern, type Entry, PathIndex, type Edit } from './path-index.ts';
import { compilePredicate } from './predicates.ts';

export interface Routed<T> {
  readonly match: MatchPlan;
  readonly value: T;
}

/** Between the orders of two neighbours, so that others find room between them. */
const SPACING = 1024;

/** In place of a host, for what matches any. */
const ANY = '';

export class Router<T> {
  #any = new PathIndex<T>();
  #exact = new Map<string, PathIndex<T>>();
  /** By ".example.com", for "*.example.com". */
  #wildcards = new Map<string, PathIndex<T>>();
  /** Of each route: they rise. */
  #orders: number[] = [];

  /** Routes come in the order of their precedence. Cold. */
  add(match: MatchPlan, value: T): void {
    const order = this.#orders.length === 0 ? 0 : this.#orders.at(-1)! + SPACING;
    this.#orders.push(order);
    const entry = entryOf(match, value, order);
    for (const host of match.hosts ?? [ANY]) this.#of(host).add(match.path, entry);
  }

  /**
   * Another router, with `come` in place of the routes from `start` on that had the matches `gone`. It shares with this one
   * whatever is the same in both. null: there is no room between the neighbours. Cold.
   */
  edited(start: number, gone: readonly MatchPlan[], come: readonly Routed<T>[]): Router<T> | null {
    const end = start + gone.length;
    const orders = ordersBetween(this.#orders, start, end, come.length);
    if (orders === null) return null;
    const edits = new Map<string, Edit<T>>();
    const editOf = (host: string): Edit<T> => {
      let edit = edits.get(host);
      if (edit === undefined) edits.set(host, (edit = { gone: [], come: [] }));
      return edit;
    };
    for (const [i, { hosts, path }] of gone.entries())
      for (const host of hosts ?? [ANY]) editOf(host).gone.push({ path, order: this.#orders[start + i]! });
    for (const [i, { match, value }] of come.entries()) {
      const entry = entryOf(match, value, orders[i]!);
      for (const host of match.hosts ?? [ANY]) editOf(host).come.push({ path: match.path, entry });
    }
    const next = new Router<T>();
    next.#any = this.#any;
    next.#exact = new Map(this.#exact);
    next.#wildcards = new Map(this.#wildcards);
    next.#orders = [...this.#orders.slice(0, start), ...orders, ...this.#orders.slice(end)];
    for (const [host, edit] of edits) next.#put(host, next.#of(host).edited(edit));
    return next;
  }

  match(x: Exchange): T | undefined {
    let best = this.#any.find(x, null);
    if (this.#exact.size === 0 && this.#wildcards.size === 0) return best?.value;
    // The dot that makes a name absolute makes it no other name; the plan takes it off too.
    const host = x.host.endsWith('.') ? x.host.slice(0, -1) : x.host;
    if (this.#exact.size > 0) {
      const index = this.#exact.get(host);
      if (index !== undefined) best = index.find(x, best);
    }
    if (this.#wildcards.size > 0) {
      for (let dot = host.indexOf('.', 1); dot > 0; dot = host.indexOf('.', dot + 1)) {
        const index = this.#wildcards.get(host.slice(dot));
        if (index !== undefined) best = index.find(x, best);
      }
    }
    return best?.value;
  }

  #of(host: string): PathIndex<T> {
    if (host === ANY) return this.#any;
    const [map, key] = this.#placeOf(host);
    let index = map.get(key);
    if (index === undefined) map.set(key, (index = new PathIndex()));
    return index;
  }

  #put(host: string, index: PathIndex<T>): void {
    const [map, key] = this.#placeOf(host);
    if (host === ANY) this.#any = index;
    else if (index.empty) map.delete(key);
    else map.set(key, index);
  }

  #placeOf(host: string): readonly [Map<string, PathIndex<T>>, string] {
    return host.startsWith('*') ? [this.#wildcards, host.slice(1)] : [this.#exact, host];
  }
}

function entryOf<T>(match: MatchPlan, value: T, order: number): Entry<T> {
  return { order, predicate: compilePredicate(match), pattern: compilePattern(match.path), value };
}

/** So many orders for what stands in place of those from `start` to before `end`. null: there are not so many. */
function ordersBetween(orders: readonly number[], start: number, end: number, count: number): number[] | null {
  if (end - start === count) return orders.slice(start, end);
  const room = (count + 1) * SPACING;
  const before = start === 0 ? (orders[end] ?? 0) - room : orders[start - 1]!;
  const after = end === orders.length ? before + room : orders[end]!;
  const step = Math.floor((after - before) / (count + 1));
  return step < 1 ? null : Array.from({ length: count }, (_, i) => before + (i + 1) * step);
}
